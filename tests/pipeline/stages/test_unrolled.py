"""The deployment graph computes what was trained, or is refused."""

import json
import shutil
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from ethosu.vela.tflite.Model import Model

from pipeline.data.arrays import DataSet
from pipeline.stages import inference, network, unrolled
from pipeline.stages.contract import Found, Work
from pipeline.stages.network import WeightsError
from pipeline.stages.unrolled import DifferenceError
from pipeline.steps import StepsError

Chain = Callable[..., tuple[Mapping[str, Path], Mapping[str, Found]]]
MakeWork = Callable[..., Work]

CELLS = pytest.mark.parametrize("cell", ["gru", "lstm", "simple_rnn"])
GRAPHS = pytest.mark.parametrize("graph", ["tied", "keras"])
FORMS: Mapping[str, Mapping[str, Any]] = {
    "stateless": {},
    "with state": {"state": True},
    "in pieces": {"state": True, "steps_per_inference": 2},
    "folded, in pieces": {"rows_per_step": 4, "state": True, "steps_per_inference": 1},
}


@pytest.fixture
def tampered(chain: Chain, tmp_path: Path) -> Mapping[str, Path]:
    """Return what the unrolled stage of the GRU reads, with weights that a test may change."""
    made, _ = chain("gru", until="weights")
    folder = shutil.copytree(made["weights"], tmp_path / "tampered")
    return {"dataset": made["dataset"], "weights": folder}


@pytest.fixture
def unroll(work: MakeWork, settings: Callable[..., Mapping[str, Any]]) -> Callable[..., tuple[Path, Found]]:
    """Run the stage on folders of the test's own; return its folder and what it found."""

    def run(inputs: Mapping[str, Path], **chosen: Any) -> tuple[Path, Found]:
        sections = settings(**chosen)
        job = work({section: sections[section] for section in ("model", "deployment")}, inputs)
        return job.into, unrolled.make(job)

    return run


NETWORKS = [
    pytest.param(
        cell,
        graph,
        form,
        id=f"{cell}-{graph}-{name}",
        marks=[pytest.mark.slow] * (cell != "gru" and graph == "keras" and name != "with state"),
    )
    for cell, graph, (name, form) in product(["gru", "lstm", "simple_rnn"], ["tied", "keras"], FORMS.items())
]


@pytest.mark.parametrize(("cell", "graph", "form"), NETWORKS)
def test_the_outputs_equal_those_of_the_trained_network(
    chain: Chain, data: DataSet, cell: str, graph: str, form: Mapping[str, Any]
) -> None:
    made, found = chain(cell, graph=graph, **form, until="unrolled")

    trained = network.load(made["weights"])
    expected = np.asarray(trained(data.x_test.reshape(300, *trained.input_shape[1:])))
    outputs = inference.outputs(made["unrolled"] / unrolled.MODEL, data.x_test, inference.BUILTIN)[inference.OUTPUT]

    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    reported = found["unrolled"].metrics["max_difference"]
    largest = np.abs(outputs[:100] - expected[:100]).max() / expected[:100].max()
    assert reported == pytest.approx(largest, abs=1e-7)
    assert reported < 1e-5


@pytest.mark.slow
@GRAPHS
def test_a_network_of_several_layers_is_deployed_whole(chain: Chain, data: DataSet, graph: str) -> None:
    made, found = chain("gru", graph=graph, layers=2, dense=[5], reset_after=False, until="unrolled")

    expected = np.asarray(network.load(made["weights"])(data.x_test[:100]))
    outputs = inference.outputs(made["unrolled"] / unrolled.MODEL, data.x_test[:100], inference.BUILTIN)

    np.testing.assert_allclose(outputs[inference.OUTPUT], expected, atol=1e-5)
    assert found["unrolled"].metrics["max_difference"] < 1e-5


@pytest.mark.parametrize(
    ("steps", "others"),
    [(None, {inference.SINGLE: 1}), (2, {inference.WHOLE: 8, inference.SINGLE: 1}), (1, {inference.WHOLE: 8})],
)
def test_a_tied_graph_with_state_is_written_in_every_form_that_is_compared(
    chain: Chain, steps: int | None, others: Mapping[str, int]
) -> None:
    made, found = chain("lstm", state=True, steps_per_inference=steps, until="unrolled")
    folder, metrics = made["unrolled"], found["unrolled"].metrics

    forms = {unrolled.MODEL: steps or 8, **others}
    assert {path.name for path in folder.iterdir()} == set(forms)
    for name, length in forms.items():
        model = inference.Model(folder / name, inference.BUILTIN)
        assert (model.steps, model.states) == (length, ["lstm_1_cell", "lstm_1_hidden"])
    assert (metrics["time_steps"], metrics["steps_per_inference"]) == (8, steps or 8)
    assert metrics["inferences_per_sequence"] == 8 // (steps or 8)


@GRAPHS
def test_steps_of_an_inference_are_counted_in_folded_rows(chain: Chain, graph: str) -> None:
    chosen = {"graph": graph, "rows_per_step": 4, "state": True, "steps_per_inference": 1}

    made, found = chain("gru", **chosen, until="unrolled")

    metrics = found["unrolled"].metrics
    names = ("rows_per_step", "time_steps", "steps_per_inference", "inferences_per_sequence")
    assert [metrics[name] for name in names] == [4, 2, 1, 2]
    model = inference.Model(made["unrolled"] / unrolled.MODEL, inference.BUILTIN)
    assert model.inputs[inference.INPUT].shape == (1, 1, 24)


@pytest.mark.parametrize("graph", ["tied", "keras"])
@pytest.mark.parametrize("steps", [3, 5, 16])
def test_steps_that_do_not_divide_the_sequence_are_an_error_that_lists_those_that_do(
    unroll: Callable[..., tuple[Path, Found]], chain: Chain, graph: str, steps: int
) -> None:
    made, _ = chain("gru", until="weights")

    with pytest.raises(StepsError) as caught:
        unroll(made, graph=graph, state=True, steps_per_inference=steps)

    assert str(caught.value) == (
        f"deployment.steps_per_inference = {steps} does not divide the 8 time steps of a sequence; possible: 1, 2, 4, 8"
    )


@GRAPHS
@CELLS
def test_the_float_model_takes_one_float_sample(chain: Chain, cell: str, graph: str) -> None:
    made, _ = chain(cell, graph=graph, until="unrolled")
    model = Interpreter(model_path=str(made["unrolled"] / unrolled.MODEL))

    (into,), (out,) = model.get_input_details(), model.get_output_details()

    assert (into["shape"].tolist(), into["dtype"]) == ([1, 8, 6], np.float32)
    assert (out["shape"].tolist(), out["dtype"]) == ([1, 3], np.float32)


@GRAPHS
@CELLS
def test_the_graph_is_written_out_without_a_loop(chain: Chain, cell: str, graph: str) -> None:
    made, _ = chain(cell, graph=graph, until="unrolled")

    content = (made["unrolled"] / unrolled.MODEL).read_bytes()
    assert b"while" not in content.lower()


@pytest.mark.parametrize("state", [False, True], ids=["stateless", "with state"])
@GRAPHS
@CELLS
def test_every_result_in_the_graph_is_used_because_others_have_no_range_to_quantize_by(
    chain: Chain,
    cell: str,
    graph: str,
    state: bool,  # noqa: FBT001
) -> None:
    made, _ = chain(cell, graph=graph, state=state, until="unrolled")
    subgraph = Model.GetRootAsModel((made["unrolled"] / unrolled.MODEL).read_bytes(), 0).Subgraphs(0)
    operators = [subgraph.Operators(number) for number in range(subgraph.OperatorsLength())]

    used = {int(tensor) for operator in operators for tensor in operator.InputsAsNumpy()}
    made_here = {int(tensor) for operator in operators for tensor in operator.OutputsAsNumpy()}

    left = made_here - used - {int(tensor) for tensor in subgraph.OutputsAsNumpy()}
    assert [subgraph.Tensors(tensor).Name().decode() for tensor in sorted(left)] == []


def test_the_weights_of_the_guides_network_are_those_that_were_trained(chain: Chain) -> None:
    made, _ = chain("gru", graph="keras", until="unrolled")

    before, after = (network.load(made[stage]).get_weights() for stage in ("weights", "unrolled"))

    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    ("graph", "files"),
    [("tied", {unrolled.MODEL}), ("keras", {unrolled.MODEL, network.ARCHITECTURE, network.WEIGHTS})],
)
def test_what_was_compared_is_reported(chain: Chain, graph: str, files: set[str]) -> None:
    made, found = chain("gru", graph=graph, until="unrolled")
    folder, metrics = made["unrolled"], found["unrolled"].metrics

    assert metrics["compared_samples"] == 100
    assert metrics["model_bytes"] == (folder / unrolled.MODEL).stat().st_size
    assert {path.name for path in folder.iterdir()} == files
    assert metrics["inferences_per_sequence"] == 1


def test_the_same_weights_give_the_same_bytes(unroll: Callable[..., tuple[Path, Found]], chain: Chain) -> None:
    made, found = chain("lstm", until="unrolled")

    folder, again = unroll(made, cell="lstm")

    assert again == found["unrolled"]
    assert (folder / unrolled.MODEL).read_bytes() == (made["unrolled"] / unrolled.MODEL).read_bytes()


def test_fewer_test_samples_than_wanted_are_all_compared(
    unroll: Callable[..., tuple[Path, Found]], chain: Chain, data: DataSet, tmp_path: Path
) -> None:
    few = tmp_path / "few"
    few.mkdir()
    data.kept(None, 7).save(few)

    _, found = unroll({**chain("gru", until="weights")[0], "dataset": few})

    assert found.metrics["compared_samples"] == 7


@GRAPHS
def test_a_trained_network_that_is_not_the_deployment_graphs_is_an_error(
    unroll: Callable[..., tuple[Path, Found]], tampered: Mapping[str, Path], graph: str
) -> None:
    path = tampered["weights"] / network.ARCHITECTURE
    architecture = json.loads(path.read_text(encoding="utf-8"))
    layers = {layer["config"]["name"]: layer["config"] for layer in architecture["config"]["layers"]}
    assert layers["gru_1"]["activation"] == "tanh"
    layers["gru_1"]["activation"] = "relu"
    path.write_text(json.dumps(architecture), encoding="utf-8")

    with pytest.raises(DifferenceError) as caught:
        unroll(tampered, graph=graph)

    said = str(caught.value)
    assert said.startswith("the deployment graph differs from the trained network by 0.")
    assert "(allowed: 0.0001) on 100 test samples" in said
    assert len(said.splitlines()) == 1


@GRAPHS
def test_weights_that_are_no_numbers_are_an_error(
    unroll: Callable[..., tuple[Path, Found]], tampered: Mapping[str, Path], graph: str
) -> None:
    trained = network.load(tampered["weights"])
    trained.set_weights([np.full_like(array, np.nan) for array in trained.get_weights()])
    network.save(trained, tampered["weights"])

    with pytest.raises(DifferenceError, match="differs from the trained network by nan"):
        unroll(tampered, graph=graph)


@pytest.mark.filterwarnings("ignore:Skipping nested container:UserWarning")  # Keras says the same before it refuses
@pytest.mark.parametrize(
    "other", [{"units": 5}, {"layers": 2}, {"dense": [3]}, {"reset_after": False}, {"cell": "lstm"}], ids=str
)
@GRAPHS
def test_weights_of_another_architecture_are_an_error(
    unroll: Callable[..., tuple[Path, Found]], chain: Chain, graph: str, other: dict[str, Any]
) -> None:
    with pytest.raises(WeightsError, match="does not fit the network"):
        unroll(chain("gru", until="weights")[0], graph=graph, **other)


@GRAPHS
def test_a_model_with_other_weights_differs_by_more_than_is_allowed(
    unroll: Callable[..., tuple[Path, Found]], chain: Chain, tampered: Mapping[str, Path], data: DataSet, graph: str
) -> None:
    trained = network.load(tampered["weights"])
    made, _ = chain("gru", graph=graph, until="unrolled")
    x = data.x_test[:20]
    assert unrolled.largest_difference(trained, made["unrolled"] / unrolled.MODEL, x) < unrolled.TOLERANCE

    trained.set_weights([array + 0.01 for array in trained.get_weights()])
    network.save(trained, tampered["weights"])
    folder, _ = unroll(tampered, graph=graph)

    before = network.load(made["weights"])
    assert unrolled.largest_difference(before, folder / unrolled.MODEL, x) > unrolled.TOLERANCE
