"""The deployment graph computes what was trained, or is refused."""

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
from pipeline.data.steps import StepsError
from pipeline.lowering import deploy, guide, plain
from pipeline.lowering.deploy import DifferenceError
from pipeline.network import files
from pipeline.network.errors import NetworkError
from pipeline.network.graph import Network
from pipeline.runtime import litert
from pipeline.stage import Found, Work
from pipeline.tflite import roles
from tests.pipeline.making import make_stage

Chain = Callable[..., tuple[Mapping[str, Path], Mapping[str, Found]]]
MakeWork = Callable[..., Work[Any]]

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
    made, _ = chain("gru", until="network")
    folder = shutil.copytree(made["network"], tmp_path / "tampered")
    return {"dataset": made["dataset"], "network": folder}


@pytest.fixture
def unroll(work: MakeWork, settings: Callable[..., Mapping[str, Any]]) -> Callable[..., tuple[Path, Found]]:
    """Run the stage on folders of the test's own; return its folder and what it found."""

    def run(inputs: Mapping[str, Path], **chosen: Any) -> tuple[Path, Found]:
        sections = settings(**chosen)
        job = work({"deployment": sections["deployment"]}, inputs)
        return job.into, make_stage("unrolled", job)

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

    expected = files.load(made["network"]).run({"input": data.x_test.astype(np.float64)})["output"]
    outputs = litert.outputs(made["unrolled"] / deploy.MODEL, data.x_test, litert.BUILTIN)[litert.OUTPUT]

    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    reported = found["unrolled"].metrics["max_difference"]
    largest = np.abs(outputs[:100] - expected[:100]).max() / expected[:100].max()
    assert reported == pytest.approx(largest, abs=1e-7)
    assert reported < 1e-5


@pytest.mark.slow
@GRAPHS
def test_a_network_of_several_layers_is_deployed_whole(chain: Chain, data: DataSet, graph: str) -> None:
    made, found = chain("gru", graph=graph, layers=2, dense=[5], reset_after=False, until="unrolled")

    expected = files.load(made["network"]).run({"input": data.x_test[:100]})["output"]
    outputs = litert.outputs(made["unrolled"] / deploy.MODEL, data.x_test[:100], litert.BUILTIN)

    np.testing.assert_allclose(outputs[litert.OUTPUT], expected, atol=1e-5)
    assert found["unrolled"].metrics["max_difference"] < 1e-5


@pytest.mark.parametrize(
    ("steps", "others"),
    [(None, {litert.SINGLE: 1}), (2, {litert.WHOLE: 8, litert.SINGLE: 1}), (1, {litert.WHOLE: 8})],
)
def test_a_tied_graph_with_state_is_written_in_every_form_that_is_compared(
    chain: Chain, steps: int | None, others: Mapping[str, int]
) -> None:
    made, found = chain("lstm", state=True, steps_per_inference=steps, until="unrolled")
    folder, metrics = made["unrolled"], found["unrolled"].metrics

    forms = {deploy.MODEL: steps or 8, **others}
    assert {path.name for path in folder.iterdir()} == {*forms, roles.FILE}
    assert {name: graph.steps for name, graph in roles.load(folder).items()} == forms
    for name, length in forms.items():
        model = litert.Model(folder / name, litert.BUILTIN)
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
    model = litert.Model(made["unrolled"] / deploy.MODEL, litert.BUILTIN)
    assert model.inputs[litert.INPUT].shape == (1, 1, 24)


@pytest.mark.parametrize("graph", ["tied", "keras"])
@pytest.mark.parametrize("steps", [3, 5, 16])
def test_steps_that_do_not_divide_the_sequence_are_an_error_that_lists_those_that_do(
    unroll: Callable[..., tuple[Path, Found]], chain: Chain, graph: str, steps: int
) -> None:
    made, _ = chain("gru", until="network")

    with pytest.raises(StepsError) as caught:
        unroll(made, graph=graph, state=True, steps_per_inference=steps)

    assert str(caught.value) == (
        f"deployment.steps_per_inference = {steps} does not divide the 8 time steps of a sequence; possible: 1, 2, 4, 8"
    )


@GRAPHS
@CELLS
def test_the_float_model_takes_one_float_sample(chain: Chain, cell: str, graph: str) -> None:
    made, _ = chain(cell, graph=graph, until="unrolled")
    model = Interpreter(model_path=str(made["unrolled"] / deploy.MODEL))

    (into,), (out,) = model.get_input_details(), model.get_output_details()

    assert (into["shape"].tolist(), into["dtype"]) == ([1, 8, 6], np.float32)
    assert (out["shape"].tolist(), out["dtype"]) == ([1, 3], np.float32)


@GRAPHS
@CELLS
def test_the_graph_is_written_out_without_a_loop(chain: Chain, cell: str, graph: str) -> None:
    made, _ = chain(cell, graph=graph, until="unrolled")

    content = (made["unrolled"] / deploy.MODEL).read_bytes()
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
    subgraph = Model.GetRootAsModel((made["unrolled"] / deploy.MODEL).read_bytes(), 0).Subgraphs(0)
    operators = [subgraph.Operators(number) for number in range(subgraph.OperatorsLength())]

    used = {int(tensor) for operator in operators for tensor in operator.InputsAsNumpy()}
    made_here = {int(tensor) for operator in operators for tensor in operator.OutputsAsNumpy()}

    left = made_here - used - {int(tensor) for tensor in subgraph.OutputsAsNumpy()}
    assert [subgraph.Tensors(tensor).Name().decode() for tensor in sorted(left)] == []


def test_the_network_of_the_guides_graph_is_the_one_that_was_trained(chain: Chain) -> None:
    made, _ = chain("gru", graph="keras", until="unrolled")

    for name in (files.DESCRIPTION, files.ARRAYS):
        assert (made["network"] / name).read_bytes() == (made["unrolled"] / name).read_bytes()


@pytest.mark.parametrize(
    ("graph", "names"),
    [("tied", set()), ("keras", {files.DESCRIPTION, files.ARRAYS})],
)
def test_what_was_compared_is_reported(chain: Chain, graph: str, names: set[str]) -> None:
    made, found = chain("gru", graph=graph, until="unrolled")
    folder, metrics = made["unrolled"], found["unrolled"].metrics

    assert metrics["compared_samples"] == 100
    assert metrics["model_bytes"] == (folder / deploy.MODEL).stat().st_size
    assert {path.name for path in folder.iterdir()} == {deploy.MODEL, roles.FILE, *names}
    assert metrics["inferences_per_sequence"] == 1


def test_the_same_weights_give_the_same_bytes(unroll: Callable[..., tuple[Path, Found]], chain: Chain) -> None:
    made, found = chain("lstm", until="unrolled")

    folder, again = unroll(made, cell="lstm")

    assert again == found["unrolled"]
    assert (folder / deploy.MODEL).read_bytes() == (made["unrolled"] / deploy.MODEL).read_bytes()


def test_fewer_test_samples_than_wanted_are_all_compared(
    unroll: Callable[..., tuple[Path, Found]], chain: Chain, data: DataSet, tmp_path: Path
) -> None:
    few = tmp_path / "few"
    few.mkdir()
    data.kept(None, 7).save(few)

    _, found = unroll({**chain("gru", until="network")[0], "dataset": few})

    assert found.metrics["compared_samples"] == 7


def changed(network: Network, by: float) -> Network:
    """Return a network whose every weight is changed by so much."""
    return network.with_layers(
        {
            layer.name: layer.with_arrays({name: array + np.float32(by) for name, array in layer.arrays().items()})
            for layer in network.layers
        }
    )


@pytest.mark.parametrize(("graph", "way"), [("tied", plain.Plain), ("keras", guide.Guide)])
def test_a_deployment_graph_that_does_not_compute_the_network_is_an_error(
    unroll: Callable[..., tuple[Path, Found]],
    chain: Chain,
    monkeypatch: pytest.MonkeyPatch,
    graph: str,
    way: type[plain.Plain | guide.Guide],
) -> None:
    write = way.write
    monkeypatch.setattr(
        way, "write", lambda self, network, *rest, **more: write(self, changed(network, 0.1), *rest, **more)
    )

    with pytest.raises(DifferenceError) as caught:
        unroll(chain("gru", until="network")[0], graph=graph)

    said = str(caught.value)
    assert said.startswith("the deployment graph differs from the trained network by 0.")
    assert "(allowed: 0.0001) on 100 test samples" in said
    assert len(said.splitlines()) == 1


@GRAPHS
def test_weights_that_are_no_numbers_are_an_error(
    unroll: Callable[..., tuple[Path, Found]], tampered: Mapping[str, Path], graph: str
) -> None:
    network = files.load(tampered["network"])
    files.save(changed(network, np.nan), tampered["network"])

    with pytest.raises(NetworkError, match="layer gru_1: its kernel holds nan"):
        unroll(tampered, graph=graph)


@GRAPHS
def test_a_model_with_other_weights_differs_by_more_than_is_allowed(
    unroll: Callable[..., tuple[Path, Found]], chain: Chain, tampered: Mapping[str, Path], data: DataSet, graph: str
) -> None:
    network = files.load(tampered["network"])
    made, _ = chain("gru", graph=graph, until="unrolled")
    x = data.x_test[:20]
    assert deploy.prove(network, made["unrolled"] / deploy.MODEL, x) < deploy.TOLERANCE

    files.save(changed(network, 0.01), tampered["network"])
    folder, _ = unroll(tampered, graph=graph)

    with pytest.raises(DifferenceError):
        deploy.prove(network, folder / deploy.MODEL, x)
