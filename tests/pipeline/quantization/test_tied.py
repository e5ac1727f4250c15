"""Tied quantization: one scale for a role at every step, integers throughout, and the same bytes in every form."""

import json
import platform
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from pipeline.quantization import tied
from pipeline.quantization.ranges import Range, RangeError
from pipeline.stage import Work
from pipeline.stages import vela
from pipeline.tflite import roles
from pipeline.tflite.quantization import Quantization
from pipeline.tflite.reader import IDENTIFIER
from tests.pipeline.lowering.test_lower import operators
from tests.pipeline.making import make_stage
from tests.pipeline.networks import CELLS, Network, load, made, run

KINDS: Mapping[str, Network] = {
    "gru": made("gru"),
    "gru, reset before": made("gru", reset_after=False),
    "lstm": made("lstm"),
    "simple_rnn": made("simple_rnn"),
    "gru, stacked": made("gru", 2),
    "lstm, stacked": made("lstm", 2),
    "simple_rnn, stacked": made("simple_rnn", 2),
}
NETWORKS = pytest.mark.parametrize("network", KINDS.values(), ids=KINDS)
BITS = pytest.mark.parametrize("bits", [8, 16], ids=["int8", "int16"])
STATE = pytest.mark.parametrize("state", [False, True], ids=["stateless", "with state"])
TYPES = {value: name.lower() for name, value in vars(schema.TensorType).items() if isinstance(value, int)}
TARGETS = {
    "ethos-u55-128": "Ethos_U55_High_End_Embedded",
    "ethos-u65-512": "Ethos_U65_High_End",
    "ethos-u85-512": "Ethos_U85_SYS_DRAM_Mid",
}


def unpack(model: bytes) -> Any:
    return schema.ModelT.InitFromPackedBuf(model, 0)


def pack(model: Any) -> bytes:
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def change(model: bytes, name: str, what: Callable[[Any], None]) -> bytes:
    """Return a model of which one tensor is changed."""
    loaded = unpack(model)
    (tensor,) = (tensor for tensor in loaded.subgraphs[0].tensors if tensor.name.decode() == name)
    what(tensor)
    return pack(loaded)


@pytest.mark.parametrize("missing", ["input", "gru_1/gate_sum", "gru_1/hidden", "logits", "output"])
def test_a_tie_without_range_is_an_error_that_names_the_tensor(missing: str) -> None:
    network = made("gru")
    model, graph = network.lower(3)
    ranges = network.ranges()
    del ranges[missing]

    with pytest.raises(RangeError, match=rf"^tensor \S+: nothing is known of the range of {missing}$"):
        tied.quantize(model, graph.ties, ranges, 8)


@STATE
@BITS
@NETWORKS
def test_nothing_is_left_in_float_and_every_tie_has_one_scale(network: Network, bits: int, state: bool) -> None:  # noqa: FBT001
    ties = network.graph(4, state=state).ties
    quantized = network.quantize(4, bits, state=state)

    tensors = {tensor.name.decode(): tensor for tensor in unpack(quantized).subgraphs[0].tensors}
    assert {TYPES[tensor.type] for tensor in tensors.values()} == {
        *("int8", f"int{bits}", "int32"),
        *(() if bits == 8 else ("int64",)),
    }
    stored: dict[str, set[tuple[int, float, int]]] = {}
    for name, tie in ties.items():
        tensor = tensors[name]
        ((scale,), (zero_point,)) = tensor.quantization.scale, tensor.quantization.zeroPoint
        stored.setdefault(tie, set()).add((tensor.type, float(scale), int(zero_point)))
    assert {len(found) for found in stored.values()} == {1}
    found = tied.parameters(quantized, ties, {})
    assert {tie: (parameters.scale, parameters.zero_point) for tie, parameters in found.items()} == {
        tie: parameters[1:] for tie, (parameters,) in stored.items()
    }


@BITS
@NETWORKS
def test_what_functions_return_has_their_own_scale(network: Network, bits: int) -> None:
    found = tied.parameters(network.quantize(4, bits), network.graph(4).ties, {})

    fixed = {
        role: (parameters.scale, parameters.zero_point)
        for tie, parameters in found.items()
        if (role := tie.rpartition("/")[2]) in {"hidden", "gates", "output", "candidate", "cell_tanh"}
    }
    tanh, sigmoid = ((1 / 128, 0), (1 / 256, -128)) if bits == 8 else ((2.0**-15, 0), (2.0**-15, 0))
    assert fixed == {role: sigmoid if role in {"gates", "output"} else tanh for role in fixed}
    assert {"hidden", "output"} <= set(fixed)


def test_kernels_have_a_scale_for_every_column() -> None:
    tensors = {tensor.name.decode(): tensor for tensor in unpack(made("gru").quantize(3)).subgraphs[0].tensors}

    for name, columns in (("gru_1/input/kernel", 12), ("gru_1/recurrent/kernel", 12), ("logits_1/kernel", 3)):
        assert len(tensors[name].quantization.scale) == columns
        assert not np.any(tensors[name].quantization.zeroPoint)


@pytest.mark.parametrize("cell", CELLS)
def test_weights_are_stored_once_however_many_steps_there_are(cell: str) -> None:
    sizes = [
        sum(len(buffer.data) for buffer in unpack(made(cell).quantize(steps)).buffers if buffer.data is not None)
        for steps in (2, 8)
    ]

    slices = 6 * 4 * 8  # each begin and end of a step's row
    assert sizes[1] <= sizes[0] + slices


@pytest.mark.skipif(sys.platform != "linux" or platform.machine() != "x86_64", reason="no tflite-micro for it")
def test_constants_of_a_large_model_are_where_tensorflow_lite_micro_looks_for_them() -> None:
    from tflite_micro import runtime  # noqa: PLC0415 - not on every machine

    network = Network("lstm", units=256)  # of 256 KiB, litert-quantizer puts the kernel behind the flatbuffer
    x = network.samples(4, 2)
    model = network.quantize(2)
    interpreter = runtime.Interpreter.from_bytes(model)
    loaded = load(model)
    stored = loaded.inputs["input"].stored(x)

    found = []
    for sample in stored:
        interpreter.set_input(sample[np.newaxis], 0)
        interpreter.invoke()
        found.append(interpreter.get_output(0)[0].astype(int))

    assert np.abs(np.array(found) - run(model, x)["output"]).max() <= 1
    assert all(buffer.offset <= 1 for buffer in unpack(model).buffers)


@pytest.mark.parametrize("what", ["scale", "zero point"])
@pytest.mark.parametrize("tensor", ["gru_1/gate_sum_2", "gru_1/update_gate_3", "gru_1/hidden_rows", "gru_2/hidden_1"])
def test_a_tensor_that_is_not_stored_as_the_others_of_its_tie_is_refused_by_name(tensor: str, what: str) -> None:
    network = made("gru", 2)
    ties = network.graph(3).ties

    def tamper(found: Any) -> None:
        if what == "scale":
            found.quantization.scale = [found.quantization.scale[0] * 1.01]
        else:
            found.quantization.zeroPoint = [int(found.quantization.zeroPoint[0]) + 1]

    with pytest.raises(RangeError) as caught:
        tied.parameters(change(network.quantize(3), tensor, tamper), ties, {})

    said = str(caught.value)
    assert "has scale" in said
    assert f"others of {ties[tensor]}: " in said


def test_a_form_with_another_scale_than_the_other_forms_is_refused() -> None:
    network = made("gru")
    ties = network.graph(3).ties
    known = tied.parameters(network.quantize(3), ties, {})
    other = {**known, "gru_1/move": Quantization.single(0.1, 0)}

    assert tied.parameters(network.quantize(1), network.graph(1).ties, known) == known
    with pytest.raises(RangeError, match=r"^tensor gru_1/move_\d has scale"):
        tied.parameters(network.quantize(3), ties, other)


@pytest.mark.parametrize(
    "tamper",
    [
        lambda tensor: setattr(tensor, "name", "another"),
        lambda tensor: setattr(tensor, "quantization", None),
        lambda tensor: setattr(tensor.quantization, "scale", None),
        lambda tensor: setattr(tensor.quantization, "scale", [0.1, 0.2]),
    ],
    ids=["renamed", "not quantized", "no scale", "two scales"],
)
def test_a_tensor_without_one_scale_of_its_own_is_refused_by_name(tamper: Callable[[Any], None]) -> None:
    network = made("lstm")

    with pytest.raises(RangeError, match=r"^tensor lstm_1/cell_2 has no scale of its own in the quantized model"):
        tied.parameters(change(network.quantize(3), "lstm_1/cell_2", tamper), network.graph(3).ties, {})


@STATE
@BITS
@NETWORKS
def test_no_operator_is_added_to_those_of_the_float_graph(network: Network, bits: int, state: bool) -> None:  # noqa: FBT001
    """Else a tensor would be stored anew between two that are stored alike, which costs cycles and changes nothing."""
    assert operators(network.quantize(4, bits, state=state)) == operators(network.build(4, state=state))


@STATE
@BITS
@NETWORKS
def test_what_the_signature_returns_is_an_output_of_the_graph(network: Network, bits: int, state: bool) -> None:  # noqa: FBT001
    loaded = unpack(network.quantize(4, bits, state=state))

    (signature,), graph = loaded.signatureDefs, loaded.subgraphs[0]
    assert {entry.tensorIndex for entry in signature.outputs} == set(graph.outputs)
    assert {entry.tensorIndex for entry in signature.inputs} == set(graph.inputs)


@BITS
@NETWORKS
def test_integers_are_near_the_float_graph(network: Network, bits: int) -> None:
    x = network.samples(20, 4, seed=2)
    in_float, stored = run(network.build(4, state=True), x), run(network.quantize(4, bits, state=True), x)

    for name, expected in in_float.items():
        found = stored[name].astype(np.float64)
        parameters = tied.parameters(network.quantize(4, bits, state=True), network.graph(4, state=True).ties, {})
        tie = name if name == "output" else "/".join(name.rsplit("_", 1))
        real = (found - parameters[tie].zero_point) * parameters[tie].scale
        worst = np.abs(real - expected).max()
        assert worst < (0.12 if bits == 8 else 0.03), (name, worst)  # with 16 bits, what is left is that of the weights


@BITS
@NETWORKS
def test_the_bytes_do_not_depend_on_how_a_sequence_is_cut(network: Network, bits: int) -> None:
    x = network.samples(60, 4, seed=5)
    whole = run(network.quantize(4, bits, state=True), x)

    for steps in (2, 1):
        pieces = run(network.quantize(steps, bits, state=True), x)
        assert pieces.keys() == whole.keys()
        for name, values in whole.items():
            np.testing.assert_array_equal(pieces[name], values)


def test_the_same_graph_and_ranges_give_the_same_bytes() -> None:
    first, second = (Network("simple_rnn", layers=2).quantize(4, state=True) for _ in range(2))

    assert first == second


def test_a_range_of_the_callers_is_what_is_used() -> None:
    network = made("gru")
    model, graph = network.lower(2)
    ranges = {**network.ranges(), "gru_1/move": Range(low=-2.0, high=127 / 64, basis="mine")}

    found = tied.parameters(tied.quantize(model, graph.ties, ranges, 8), graph.ties, {})

    assert found["gru_1/move"] == Quantization.single(1 / 64, 0)


COVERING = [
    (("gru", True), False, 8, "ethos-u55-128"),
    (("gru", True), True, 16, "ethos-u65-512"),
    (("gru", True), True, 8, "ethos-u85-512"),
    (("gru", False), True, 8, "ethos-u55-128"),
    (("gru", False), False, 16, "ethos-u65-512"),
    (("gru", False), True, 16, "ethos-u85-512"),
    (("lstm", True), True, 16, "ethos-u55-128"),
    (("lstm", True), False, 8, "ethos-u65-512"),
    (("lstm", True), False, 16, "ethos-u85-512"),
    (("simple_rnn", True), False, 16, "ethos-u55-128"),
    (("simple_rnn", True), True, 8, "ethos-u65-512"),
    (("simple_rnn", True), True, 16, "ethos-u85-512"),
]
"""Each cell on each target, and each pair of cell, state and width of activations at least once."""


@pytest.mark.parametrize(("cell", "state", "bits", "accelerator"), COVERING)
def test_every_operator_runs_on_the_npu(
    cell: tuple[str, bool],
    state: bool,  # noqa: FBT001
    bits: int,
    accelerator: str,
    tmp_path: Path,
) -> None:
    name, reset_after = cell
    network = Network(name, layers=2, dense=[5], reset_after=reset_after)
    quantized, into = tmp_path / "quantized", tmp_path / "into"
    for folder in (quantized, into):
        folder.mkdir()
    (quantized / "quantized.tflite").write_bytes(network.quantize(4, bits, state=state))
    roles.save({"quantized.tflite": network.graph(4, state=state)}, quantized)
    target = {
        "accelerator": accelerator,
        "system_config": TARGETS[accelerator],
        "memory_mode": "Sram_Only",
        "optimise": "Performance",
    }

    found = make_stage(
        "vela", Work(config={"target": target}, inputs={"quantized": quantized}, into=into, report=lambda **_: None)
    )

    assert found.metrics["cpu_operators_by_name"] == []
    assert found.metrics["npu_operators"] > 20
    layers = json.loads((into / vela.LAYERS).read_text(encoding="utf-8"))["layers"]
    theirs = {layer["name"] for layer in layers if layer["role"] is None}
    assert all("softmax" in name or name == "one_const/SHL" for name in theirs), "all else has a role"
