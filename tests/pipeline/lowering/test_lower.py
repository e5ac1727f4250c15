"""The whole graph computes what the network's formulas give, whatever its size, and however its sequence is cut."""

from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from pipeline.lowering.lower import lower
from pipeline.lowering.writer import LoweringError
from pipeline.network.values import Value
from pipeline.runtime import micro
from pipeline.tflite.roles import Graph
from tests.pipeline.networks import CELLS, Array, Network, load, made, run

TOLERANCE = 1e-5
"""Of the largest number of an output."""
OPERATIONS = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}


@cache
def drawn(seed: int) -> tuple[Network, int, list[int]]:
    """Return a random network, the steps of a sequence, and the numbers of steps that divide it."""
    random = np.random.default_rng(seed)
    cell = CELLS[seed % 3]
    network = Network(
        cell,
        seed,
        features=int(random.integers(1, 12)),
        bias=bool(random.integers(0, 4)),
        units=int(random.integers(1, 41)),
        layers=int(random.integers(1, 4)),
        dense=[int(width) for width in random.integers(1, 20, random.integers(0, 3))],
        reset_after=cell != "gru" or bool(random.integers(0, 2)),
    )
    time_steps = int(random.integers(1, 9))
    return network, time_steps, [steps for steps in range(1, time_steps + 1) if time_steps % steps == 0]


def assert_equal(found: Array, expected: Array) -> None:
    assert found.shape == expected.shape
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() <= TOLERANCE * np.abs(expected).max()


@pytest.mark.parametrize("seed", range(42))
def test_a_random_network_computes_its_formulas_whole_and_in_pieces(seed: int) -> None:
    network, time_steps, divisors = drawn(seed)
    x = network.samples(3, time_steps, seed)
    expected = network.expected(x)

    (output,) = run(network.build(time_steps), x).values()
    assert_equal(output, expected["output"])
    for steps in divisors:
        found = run(network.build(steps, state=True), x)
        assert found.keys() == expected.keys()
        for name, values in found.items():
            assert_equal(values, expected[name])


def test_the_random_networks_are_of_every_kind() -> None:
    models = [(network.model, steps) for network, steps, _ in map(drawn, range(42))]

    assert Counter(model["cell"] for model, _ in models) == dict.fromkeys(CELLS, 14)
    assert {model["reset_after"] for model, _ in models if model["cell"] == "gru"} == {True, False}
    assert {model["layers"] for model, _ in models} == {1, 2, 3}
    assert {len(model["dense"]) for model, _ in models} == {0, 1, 2}
    assert {steps for _, steps in models} == set(range(1, 9))
    assert min(model["units"] for model, _ in models) <= 3
    assert max(model["units"] for model, _ in models) >= 38


@pytest.mark.parametrize("cell", CELLS)
def test_a_state_of_ones_counts(cell: str) -> None:
    network = made(cell)
    x = network.samples(1, 2)
    loaded = load(network.build(2, state=True))

    loaded.reset()
    loaded.infer(x[0])
    from_zero = loaded.read("output").copy()
    for name in loaded.states:
        loaded.interpreter.set_tensor(loaded.inputs[name].index, np.ones((1, 4), np.float32))
    loaded.infer(x[0])

    assert np.abs(loaded.read("output") - from_zero).max() > 1e-3


def roles(graph: Graph) -> list[tuple[str | None, str | None, str, int | None]]:
    """Return operation, layer, role and step of everything that is computed, in order."""
    return [(each.layer, each.operation, each.role, each.step) for each in graph.tensors if each.operation]


def operators(model: bytes) -> list[tuple[str, str]]:
    """Return operation and output of every operator, in their order."""
    loaded: Any = schema.ModelT.InitFromPackedBuf(model, 0)
    graph = loaded.subgraphs[0]
    return [
        (
            OPERATIONS[loaded.operatorCodes[operator.opcodeIndex].builtinCode],
            graph.tensors[operator.outputs[0]].name.decode(),
        )
        for operator in graph.operators
    ]


@pytest.mark.parametrize("cell", CELLS)
def test_the_input_is_multiplied_once_for_all_steps(cell: str) -> None:
    written = operators(Network(cell, layers=2).build(6))

    products = [name for operation, name in written if operation == "FULLY_CONNECTED" and "recurrent" not in name]
    assert products == [f"{cell}_1/input_product", f"{cell}_2/input_product", "logits"]


@pytest.mark.parametrize("steps", [10, 11, 33])
def test_a_second_layer_reads_the_first_ones_states_whatever_their_number(steps: int) -> None:
    network = made("gru", 2)
    x = network.samples(2, steps)

    written = network.build(steps)

    (output,) = run(written, x).values()
    assert_equal(output, network.expected(x)["output"])
    joined = [operation for operation, name in operators(written) if name == "gru_1/hidden_rows"]
    assert joined == ["CONCATENATION" if steps <= 10 else "PACK"]


@pytest.mark.parametrize("steps", [10, 11, 33])
@pytest.mark.parametrize("bits", [8, 16])
def test_tensorflow_lite_micro_runs_two_layers_over_any_number_of_steps(steps: int, bits: int, tmp_path: Path) -> None:
    pytest.importorskip("tflite_micro", reason="there is no package of it for this machine")
    network = made("gru", 2)
    model = tmp_path / "quantized.tflite"
    model.write_bytes(network.quantize(steps, bits))

    found = micro.outputs(model, network.samples(1, steps), lambda _: None)

    assert found["output"].shape == (1, 3)


@pytest.mark.parametrize("state", [False, True], ids=["stateless", "with state"])
@pytest.mark.parametrize("reset_after", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_every_operator_has_a_role_and_the_operations_of_which_the_npu_is_capable(
    cell: str,
    reset_after: bool,  # noqa: FBT001
    state: bool,  # noqa: FBT001
) -> None:
    model, graph = made(cell, 2, reset_after=reset_after or cell != "gru").lower(5, state=state)
    written = operators(model)

    assert written == [(each.operation, each.tensor) for each in graph.tensors if each.operation]
    assert len({name for _, name in written}) == len(written), "a name twice would be an ambiguous range"
    assert {operation for operation, _ in written} <= {
        *("FULLY_CONNECTED", "STRIDED_SLICE", "RESHAPE", "CONCATENATION", "ADD", "SUB", "MUL"),
        *("LOGISTIC", "TANH", "RELU", "SOFTMAX"),
    }


@pytest.mark.parametrize("state", [False, True], ids=["stateless", "with state"])
@pytest.mark.parametrize("cell", CELLS)
def test_steps_after_the_first_are_all_alike(cell: str, state: bool) -> None:  # noqa: FBT001
    written = roles(made(cell).graph(5, state=state))
    of_step = {
        number: [(operation, role) for _, operation, role, step in written if step == number] for number in range(1, 6)
    }

    assert of_step[2] == of_step[3] == of_step[5]
    assert (of_step[1] == of_step[2]) == state


@pytest.mark.parametrize("cell", CELLS)
def test_the_graph_of_one_step_has_the_same_roles_as_that_of_many(cell: str) -> None:
    single, many = (roles(made(cell, 2).graph(steps, state=True)) for steps in (1, 4))

    # of one step, there is no row to take and nothing to put in a row
    rows = {"input_part", "hidden_rows"}
    of_one, of_many = ({each[:3] for each in written if each[2] not in rows} for written in (single, many))
    assert of_one == of_many


def test_the_same_weights_give_the_same_bytes() -> None:
    assert Network("lstm").lower(4, state=True) == Network("lstm").lower(4, state=True)


def test_rows_that_are_folded_come_in_as_they_lie_in_memory() -> None:
    network = Network("gru", rows_per_step=2)
    x = network.samples(3, 8)

    model, graph = network.lower(8)
    (output,) = run(model, x).values()

    assert load(model).inputs["input"].shape == (1, 4, 12)
    assert graph.steps == 8
    assert_equal(output, network.expected(x)["output"])


def test_two_tensors_of_one_name_are_refused() -> None:
    network = made("gru").network
    (cell, *rest) = network.layers
    taken = replace(rest[0], output="gru_1/gates_2")

    with pytest.raises(LoweringError, match="two tensors would be called gru_1/gates_2"):
        lower(replace(network, layers=(cell, taken, replace(rest[1], inputs=("gru_1/gates_2",)))), 4, state=False)


def test_an_input_without_a_time_axis_is_refused_by_name() -> None:
    network = replace(made("gru").network, inputs=(Value("gain", (3,)),))

    with pytest.raises(LoweringError, match="input gain has the shape"):
        lower(network, 4, state=False)


def test_a_head_may_be_called_whatever_it_is_called() -> None:
    """A name is no role: ``output_2`` is not step 2 of ``output``."""
    network = made("gru").network
    (cell, dense, _) = network.layers
    head = replace(dense, output="output_2")

    _, graph = lower(replace(network, layers=(cell, head), outputs=("output_2",)), 4, state=True)

    (last,) = (each for each in graph.tensors if each.tensor == "output_2")
    assert (last.layer, last.role, last.step, last.operation) == ("logits_1", "dense_layer", None, "FULLY_CONNECTED")
    assert [(port.name, port.kind) for port in graph.outputs] == [("gru_1_hidden", "state"), ("output_2", "output")]
