"""The deployment graph computes what was trained, or is refused."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from ethosu.vela.tflite.Model import Model

from pipeline.data.arrays import DataSet
from pipeline.stages import inference, network, unrolled
from pipeline.stages.contract import Found, Work
from pipeline.stages.network import WeightsError
from pipeline.stages.unrolled import DifferenceError

Chain = Callable[[str], tuple[Mapping[str, Path], Mapping[str, Found]]]
MakeWork = Callable[..., Work]

CELLS = pytest.mark.parametrize("cell", ["gru", "lstm", "simple_rnn"])


@pytest.fixture
def tampered(chain: Chain, tmp_path: Path) -> Mapping[str, Path]:
    """Return what the unrolled stage of the GRU reads, with weights that a test may change."""
    made, _ = chain("gru")
    folder = shutil.copytree(made["weights"], tmp_path / "tampered")
    return {"dataset": made["dataset"], "weights": folder}


def gru(units: int = 4) -> dict[str, dict[str, str | int]]:
    return {"model": {"cell": "gru", "units": units}}


@CELLS
def test_the_outputs_equal_those_of_the_trained_network(chain: Chain, data: DataSet, cell: str) -> None:
    made, found = chain(cell)

    expected = np.asarray(network.load(made["weights"])(data.x_test))
    outputs = inference.outputs(made["unrolled"] / unrolled.MODEL, data.x_test, inference.BUILTIN)

    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    reported = found["unrolled"].metrics["max_difference"]
    assert reported == pytest.approx(np.abs(outputs[:100] - expected[:100]).max(), abs=1e-7)
    assert reported < 1e-5


@CELLS
def test_the_float_model_takes_one_float_sample(chain: Chain, cell: str) -> None:
    made, _ = chain(cell)
    model = Interpreter(model_path=str(made["unrolled"] / unrolled.MODEL))

    (into,), (out,) = model.get_input_details(), model.get_output_details()

    assert (into["shape"].tolist(), into["dtype"]) == ([1, 8, 6], np.float32)
    assert (out["shape"].tolist(), out["dtype"]) == ([1, 3], np.float32)


@CELLS
def test_the_graph_is_written_out_without_a_loop(chain: Chain, cell: str) -> None:
    made, _ = chain(cell)

    assert network.load(made["unrolled"]).layers[0].unroll
    content = (made["unrolled"] / unrolled.MODEL).read_bytes()
    assert b"while" not in content.lower()


@CELLS
def test_every_result_in_the_graph_is_used_because_others_have_no_range_to_quantize_by(chain: Chain, cell: str) -> None:
    made, _ = chain(cell)
    graph = Model.GetRootAsModel((made["unrolled"] / unrolled.MODEL).read_bytes(), 0).Subgraphs(0)
    operators = [graph.Operators(number) for number in range(graph.OperatorsLength())]

    used = {int(tensor) for operator in operators for tensor in operator.InputsAsNumpy()}
    made_here = {int(tensor) for operator in operators for tensor in operator.OutputsAsNumpy()}

    left = made_here - used - {int(tensor) for tensor in graph.OutputsAsNumpy()}
    assert [graph.Tensors(tensor).Name().decode() for tensor in sorted(left)] == []


def test_the_weights_are_those_that_were_trained(chain: Chain) -> None:
    made, _ = chain("gru")

    before, after = (network.load(made[stage]).get_weights() for stage in ("weights", "unrolled"))

    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)


def test_what_was_compared_is_reported(chain: Chain) -> None:
    made, found = chain("gru")
    folder, metrics = made["unrolled"], found["unrolled"].metrics

    assert metrics["compared_samples"] == 100
    assert metrics["model_bytes"] == (folder / unrolled.MODEL).stat().st_size
    assert {path.name for path in folder.iterdir()} == {unrolled.MODEL, network.ARCHITECTURE, network.WEIGHTS}


def test_fewer_test_samples_than_wanted_are_all_compared(work: MakeWork, chain: Chain, data: DataSet) -> None:
    made, _ = chain("gru")
    job = work(gru(), {"dataset": made["dataset"].parent / "few", "weights": made["weights"]})
    job.inputs["dataset"].mkdir(exist_ok=True)
    data.first(None, 7).save(job.inputs["dataset"])

    assert unrolled.make(job).metrics["compared_samples"] == 7


def test_a_trained_network_that_is_not_the_deployment_graphs_is_an_error(
    work: MakeWork, tampered: Mapping[str, Path]
) -> None:
    path = tampered["weights"] / network.ARCHITECTURE
    architecture = json.loads(path.read_text(encoding="utf-8"))
    layers = {layer["config"]["name"]: layer["config"] for layer in architecture["config"]["layers"]}
    assert layers["gru"]["activation"] == "tanh"
    layers["gru"]["activation"] = "relu"
    path.write_text(json.dumps(architecture), encoding="utf-8")

    with pytest.raises(DifferenceError) as caught:
        unrolled.make(work(gru(), tampered))

    said = str(caught.value)
    assert said.startswith("the deployment graph differs from the trained network by 0.")
    assert "(allowed: 0.0001) on the first 100 test samples" in said
    assert len(said.splitlines()) == 1


def test_weights_that_are_no_numbers_are_an_error(work: MakeWork, tampered: Mapping[str, Path]) -> None:
    trained = network.load(tampered["weights"])
    trained.set_weights([np.full_like(array, np.nan) for array in trained.get_weights()])
    network.save(trained, tampered["weights"])

    with pytest.raises(DifferenceError, match="differs from the trained network by nan"):
        unrolled.make(work(gru(), tampered))


def test_weights_of_another_width_are_an_error(work: MakeWork, tampered: Mapping[str, Path]) -> None:
    with pytest.raises(WeightsError, match="does not fit the network"):
        unrolled.make(work(gru(units=5), tampered))


def test_a_model_with_other_weights_differs_by_more_than_is_allowed(
    work: MakeWork, chain: Chain, tampered: Mapping[str, Path], data: DataSet
) -> None:
    trained = network.load(tampered["weights"])
    made, _ = chain("gru")
    x = data.x_test[:20]
    assert unrolled.largest_difference(trained, made["unrolled"] / unrolled.MODEL, x) < unrolled.TOLERANCE

    trained.set_weights([array + 0.01 for array in trained.get_weights()])
    network.save(trained, tampered["weights"])
    job = work(gru(), tampered)
    unrolled.make(job)

    before = network.load(made["weights"])
    assert unrolled.largest_difference(before, job.into / unrolled.MODEL, x) > unrolled.TOLERANCE
