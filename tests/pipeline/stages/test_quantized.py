"""Quantizing: integers throughout, the same bytes every time, and no model that would be wrong."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert.interpreter import Interpreter

from pipeline.data import arrays
from pipeline.data.arrays import DataSet
from pipeline.lowering import guide
from pipeline.network import files
from pipeline.quantization import checks
from pipeline.quantization.errors import QuantizationError
from pipeline.quantization.quantize import MODEL, MOST_SATURATED, ROLES
from pipeline.quantization.ranges import RangeError
from pipeline.runtime import litert
from pipeline.stage import Found, Work
from pipeline.tflite import roles
from pipeline.tflite.quantization import Quantization
from tests.pipeline import networks
from tests.pipeline.making import make_stage

Chain = Callable[..., tuple[Mapping[str, Path], Mapping[str, Found]]]
MakeWork = Callable[..., Work[Any]]
StartAlone = Callable[..., Callable[[], tuple[int, dict[str, Any], Path]]]

Quantize = Callable[..., tuple[Path, Found]]
Settings = Callable[..., Mapping[str, Any]]

GRAPHS = pytest.mark.parametrize("graph", ["tied", "keras"])
ROOT = Path(__file__).parents[3]


def part(sections: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the stage reads of an experiment."""
    return {section: sections[section] for section in ("deployment", "quantization")}


@pytest.fixture
def quantize(work: MakeWork, settings: Settings) -> Quantize:
    """Run the stage on folders of the test's own; return its folder and what it found."""

    def run(inputs: Mapping[str, Path], report: Callable[..., None] = lambda **_: None, **chosen: Any) -> Any:
        job = work(part(settings(**chosen)), inputs, report=report)
        return job.into, make_stage("quantized", job)

    return run


@pytest.fixture
def changed_data(data: DataSet, tmp_path: Path) -> Callable[..., Path]:
    """Save the data set with other training samples."""

    def save(x: npt.NDArray[np.float32] | None = None, y: npt.NDArray[np.int64] | None = None) -> Path:
        folder = tmp_path / "changed data"
        folder.mkdir()
        x_train, y_train = data.x_train if x is None else x, data.y_train if y is None else y
        DataSet(x_train=x_train, y_train=y_train, x_test=data.x_test, y_test=data.y_test).save(folder)
        return folder

    return save


def tensor(name: str = "dense/MatMul", dtype: type = np.int8, scales: list[float] | None = None) -> dict[str, Any]:
    """Return a tensor as LiteRT describes it."""
    return {
        "name": name,
        "index": 7,
        "dtype": dtype,
        "quantization_parameters": {"scales": np.array([0.5] if scales is None else scales, np.float32)},
    }


def refusal(*tensors: dict[str, Any]) -> str:
    with pytest.raises(QuantizationError) as caught:
        checks.check([tensor("good"), *tensors])
    said = str(caught.value)
    assert len(said.splitlines()) == 1, said
    return said


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.float64])
def test_a_float_tensor_is_refused_by_name(dtype: type) -> None:
    said = refusal(tensor("gru/add_3", dtype, scales=[]))

    assert said.startswith(f"tensor gru/add_3 is still {np.dtype(dtype).name} in the quantized model")


@pytest.mark.parametrize(
    ("scale", "shown"), [(0.0, "0.0"), (float("inf"), "inf"), (float("nan"), "nan"), (-0.5, "-0.5")]
)
def test_a_scale_that_is_of_no_use_is_refused_by_the_tensors_name(scale: float, shown: str) -> None:
    said = refusal(tensor("gru/mul_1", scales=[scale]))

    assert said.startswith(f"tensor gru/mul_1 has the quantization scale {shown};")
    assert "raise quantization.representative_samples" in said


def test_one_bad_scale_of_many_channels_is_enough() -> None:
    assert refusal(tensor("kernel", scales=[0.1, 0.2, 0.0, 0.4])).startswith(
        "tensor kernel has the quantization scale 0"
    )


def test_the_first_bad_tensor_is_named() -> None:
    assert refusal(tensor("first", scales=[0.0]), tensor("second", np.float32)).startswith("tensor first ")


def test_a_bad_tensor_without_a_name_is_named_by_its_number() -> None:
    assert refusal(tensor("", np.float32)).startswith("tensor number 7 is still float32")


def test_the_scale_that_the_converter_gives_a_tensor_without_range_is_refused() -> None:
    floor = 1e-6 * 2 / 255  # a tensor that was always 0 gets the range [-1e-6, 1e-6]; reference kernels abort on it

    assert refusal(tensor("gru/MatMul", scales=[floor])).startswith("tensor gru/MatMul has the quantization scale 7.8")


def test_integers_without_a_scale_are_good() -> None:
    checks.check([tensor("shape", np.int32, scales=[]), tensor("bias", np.int32, scales=[1e-5])])


@GRAPHS
def test_a_float_model_is_refused_by_the_name_of_one_of_its_tensors(chain: Chain, graph: str) -> None:
    folder = chain("gru", graph=graph, until="unrolled")[0]["unrolled"]
    tensors = Interpreter(model_path=str(folder / "unrolled.tflite")).get_tensor_details()

    with pytest.raises(QuantizationError) as caught:
        checks.check(tensors)

    first = next(tensor["name"] for tensor in tensors if tensor["dtype"] == np.float32)
    assert str(caught.value).startswith(f"tensor {first} is still float32 ")


@GRAPHS
@pytest.mark.parametrize("cell", ["gru", "lstm", "simple_rnn"])
def test_the_model_is_int8_within_and_without(chain: Chain, cell: str, graph: str) -> None:
    made, found = chain(cell, graph=graph, until="quantized")
    path = made["quantized"] / MODEL
    model = litert.Model(path, litert.REFERENCE)
    tensors = model.interpreter.get_tensor_details()

    assert model.inputs["input"].dtype == model.outputs["output"].dtype == np.int8
    assert {np.dtype(tensor["dtype"]).name for tensor in tensors} <= {"int8", "int32"}
    metrics = found["quantized"].metrics
    assert metrics["model_bytes"] == path.stat().st_size
    assert (metrics["representative_samples"], metrics["activations"]) == (20, "int8")
    assert metrics["tensors"] == len(tensors)
    assert metrics["output"] == {"scale": 1 / 256, "zero_point": -128, "dtype": "int8"}
    assert metrics["states"] == {}
    assert list(found["quantized"].warnings) == []
    names = {MODEL, roles.FILE} | ({ROLES} if graph == "tied" else set())
    assert {path.name for path in made["quantized"].iterdir()} == names
    json.dumps(metrics, allow_nan=False)


@pytest.mark.parametrize("cell", ["gru", "lstm", "simple_rnn"])
def test_the_model_is_int16_but_for_its_weights_and_biases(chain: Chain, cell: str) -> None:
    made, found = chain(cell, activations="int16", until="quantized")
    model = litert.Model(made["quantized"] / MODEL, litert.REFERENCE)
    tensors = model.interpreter.get_tensor_details()

    types = {tensor["name"]: np.dtype(tensor["dtype"]).name for tensor in tensors}
    assert {types[name] for name in types if name.endswith("/kernel")} == {"int8"}
    assert {types[name] for name in types if name.endswith("/bias")} == {"int64"}
    assert {types[name] for name in types if "/kernel" not in name and "/bias" not in name} <= {"int16", "int32"}
    assert {port.zero_point for port in ports(model) if port} == {0}
    assert found["quantized"].metrics["output"] == {"scale": 2.0**-15, "zero_point": 0, "dtype": "int16"}


def ports(model: litert.Model) -> list[Quantization | None]:
    return [port.quantization for port in (*model.inputs.values(), *model.outputs.values())]


@pytest.mark.parametrize("activations", ["int8", "int16"])
@pytest.mark.parametrize(
    ("cell", "states"), [("gru", ("hidden",)), ("lstm", ("hidden", "cell")), ("simple_rnn", ("hidden",))]
)
def test_states_of_a_tied_graph_come_out_as_they_go_in(
    chain: Chain, cell: str, states: tuple[str, ...], activations: str
) -> None:
    _, found = chain(cell, layers=2, state=True, steps_per_inference=2, activations=activations, until="quantized")
    reported = found["quantized"].metrics["states"]

    assert set(reported) == {f"{cell}_{number}_{state}" for number in (1, 2) for state in states}
    assert all(state["in"] == state["out"] for state in reported.values())
    hidden = {"scale": 2.0 ** -(7 if activations == "int8" else 15), "zero_point": 0, "dtype": activations}
    assert {tuple(state["in"].items()) for name, state in reported.items() if "hidden" in name} == {
        tuple(hidden.items())
    }
    assert list(found["quantized"].warnings) == []


def test_forms_of_a_tied_graph_have_the_scales_of_the_whole_sequence(chain: Chain) -> None:
    pieces, single = (
        chain("gru", state=True, steps_per_inference=steps, until="quantized")[1]["quantized"].metrics
        for steps in (2, 1)
    )

    assert (pieces["input"], pieces["states"]) == (single["input"], single["states"])


def test_a_line_of_the_table_says_where_a_range_comes_from_and_what_it_costs(chain: Chain) -> None:
    made, found = chain("gru", until="quantized")
    table = json.loads((made["quantized"] / ROLES).read_text(encoding="utf-8"))
    lines = {line["tie"]: line for line in table}

    metrics = found["quantized"].metrics
    assert len(lines) == len(table) == metrics["roles"]
    assert metrics["weakest_role_noise"] == max(line["noise"] for line in table)
    assert lines[metrics["weakest_role"]]["noise"] == metrics["weakest_role_noise"]
    assert lines["input"] == lines["input"] | {**pick(metrics["input"]), "basis": "min_max"}
    assert lines["gru_1/hidden"]["basis"] == "declared by the layer"
    assert (lines["output"]["scale"], lines["output"]["zero_point"]) == (1 / 256, -128)
    for line in table:
        assert line["seen_low"] <= line["seen_high"]
        assert 0 <= line["saturated"] < MOST_SATURATED or "bounded" in line["basis"]
        assert 0 < line["rounding_error"] < 1, line


def pick(port: Mapping[str, Any]) -> dict[str, Any]:
    return {name: port[name] for name in ("scale", "zero_point")}


@GRAPHS
def test_the_range_of_the_input_is_that_of_the_representative_samples(chain: Chain, data: DataSet, graph: str) -> None:
    into = chain("gru", graph=graph, until="quantized")[1]["quantized"].metrics["input"]

    largest = (127 - into["zero_point"]) * into["scale"]

    assert largest == pytest.approx(data.x_train[arrays.spread(data.y_train, 20)].max(), rel=0.01)


def test_a_state_of_the_guides_graph_differs_in_scale_which_is_a_warning(chain: Chain) -> None:
    made, found = chain("lstm", graph="keras", state=True, steps_per_inference=2, until="quantized")
    model = litert.Model(made["quantized"] / MODEL, litert.REFERENCE)

    states = found["quantized"].metrics["states"]
    differing = [name for name, state in states.items() if state["in"] != state["out"]]
    warnings = found["quantized"].warnings
    assert set(states) == {"lstm_1_hidden", "lstm_1_cell"}
    assert differing
    for name, warning in zip(differing, warnings, strict=True):
        into, out = model.inputs[name].quantization, model.outputs[name].quantization
        assert into is not None
        assert out is not None
        assert warning.startswith(f"state {name} goes in with scale {into.scale:.6g}, zero point {into.zero_point}, ")
        assert f"({100 * (out.scale / into.scale - 1):+.1f} %)" in warning
        assert warning.endswith('deployment.graph = "tied" lets it copy bytes')


def test_the_guides_graph_sees_the_states_that_the_samples_lead_to(chain: Chain, data: DataSet) -> None:
    made, found = chain("gru", graph="keras", state=True, steps_per_inference=2, until="quantized")
    into = found["quantized"].metrics["states"]["gru_1_hidden"]["in"]
    in_float = litert.Model(made["unrolled"] / "unrolled.tflite", litert.BUILTIN)

    seen = [np.zeros(4, np.float32)]
    for sample in data.x_train[arrays.spread(data.y_train, 20)]:
        in_float.reset()
        for first in (0, 2, 4):
            in_float.infer(sample[first : first + 2])
            seen.append(in_float.read("gru_1_hidden")[0])
            in_float.feed_back()

    held = [(limit - into["zero_point"]) * into["scale"] for limit in (-128, 127)]
    assert held == pytest.approx([np.min(seen), np.max(seen)], abs=1.5 * into["scale"])


@GRAPHS
def test_more_representative_samples_than_there_are_is_an_error(quantize: Quantize, chain: Chain, graph: str) -> None:
    made, _ = chain("gru", graph=graph, until="unrolled")

    with pytest.raises(QuantizationError) as caught:
        quantize(made, graph=graph, representative_samples=97)

    said = str(caught.value)
    assert said == "quantization.representative_samples = 97, but there are only 96 training samples"


@GRAPHS
def test_all_training_samples_may_be_representative(quantize: Quantize, chain: Chain, graph: str) -> None:
    made, _ = chain("simple_rnn", graph=graph, until="unrolled")
    reports: list[dict[str, Any]] = []

    _, found = quantize(
        made, lambda **facts: reports.append(facts), cell="simple_rnn", graph=graph, representative_samples=96
    )

    assert found.metrics["representative_samples"] == 96
    assert {"done": 96, "total": 96, "what": "showing samples"} in reports


@GRAPHS
def test_representative_samples_of_a_sorted_set_show_every_class(
    quantize: Quantize, chain: Chain, data: DataSet, changed_data: Callable[..., Path], graph: str
) -> None:
    order = np.argsort(data.y_train, kind="stable")
    x, y = data.x_train[order].copy(), data.y_train[order]
    x[y == 2] *= 3  # the last ones are the loudest
    inputs = {**chain("gru", graph=graph, until="unrolled")[0], "dataset": changed_data(x, y)}

    _, found = quantize(inputs, graph=graph, representative_samples=6)

    into = found.metrics["input"]
    assert list(found.warnings) == []
    assert (127 - into["zero_point"]) * into["scale"] > 2


@GRAPHS
def test_representative_samples_without_some_of_the_classes_are_a_warning_with_the_remedy(
    quantize: Quantize, chain: Chain, graph: str
) -> None:
    _, found = quantize(chain("gru", graph=graph, until="unrolled")[0], graph=graph, representative_samples=2)

    (warning,) = found.warnings
    assert warning == (
        "the 2 representative samples show 2 of 3 classes, so the ranges of the others (2) were not seen:"
        " raise quantization.representative_samples"
    )


def test_a_data_set_of_one_class_is_no_reason_to_warn(
    quantize: Quantize, chain: Chain, data: DataSet, changed_data: Callable[..., Path]
) -> None:
    inputs = {**chain("gru", until="unrolled")[0], "dataset": changed_data(y=np.zeros_like(data.y_train))}

    assert list(quantize(inputs)[1].warnings) == []


@GRAPHS
def test_representative_samples_of_nothing_but_zeros_are_an_error_with_the_remedy(
    quantize: Quantize, chain: Chain, data: DataSet, changed_data: Callable[..., Path], graph: str
) -> None:
    x = data.x_train.copy()
    x[arrays.spread(data.y_train, 20)] = 0
    inputs = {**chain("gru", graph=graph, until="unrolled")[0], "dataset": changed_data(x)}

    with pytest.raises(QuantizationError) as caught:
        quantize(inputs, graph=graph)

    assert str(caught.value) == (
        "the 20 representative samples, spread over the training set, are all 0:"
        " raise quantization.representative_samples, or check the data"
    )


def test_a_role_that_is_always_zero_is_an_error_that_names_it(
    quantize: Quantize, chain: Chain, settings: Settings, work: MakeWork
) -> None:
    made, _ = chain("gru", until="network")
    trained = files.load(made["network"])
    (logits,) = (layer for layer in trained.layers if layer.name == "logits_1")
    nothing = {"kernel": np.zeros((4, 3), np.float32), "bias": np.zeros(3, np.float32)}
    job = work({"deployment": settings("gru")["deployment"]}, made, "unrolled")
    zero = job.into.parent / "zero"
    zero.mkdir()
    files.save(trained.with_layers({"logits_1": logits.with_arrays(nothing)}), zero)
    make_stage("unrolled", Work(config=job.config, inputs={**made, "network": zero}, into=job.into, report=job.report))

    with pytest.raises(RangeError) as caught:
        quantize({**made, "unrolled": job.into})

    assert str(caught.value).startswith("logits was 0 in every representative sample, so it has no range: check the")


def test_much_saturation_is_a_warning_that_names_the_role_and_the_remedy(quantize: Quantize, chain: Chain) -> None:
    made, _ = chain("lstm", until="unrolled")

    folder, found = quantize(made, cell="lstm", ranges="percentile", percentile=60.0)

    table = json.loads((folder / ROLES).read_text(encoding="utf-8"))
    saturated = {line["tie"]: line for line in table if line["saturated"] > 0.01 and line["basis"] == "percentile"}
    assert {"lstm_1/input_product", "lstm_1/cell", "logits"} <= set(saturated)
    assert len(found.warnings) == len(saturated)
    for (tie, line), warning in zip(saturated.items(), found.warnings, strict=True):
        assert warning.startswith(f"{100 * line['saturated']:.1f} % of the values of {tie} lie beyond its range (")
        assert 'try quantization.ranges = "min_max"' in warning


@pytest.mark.slow
@pytest.mark.parametrize(("cell", "graph"), [("gru", "keras"), ("lstm", "keras"), ("lstm", "tied")])
def test_two_fresh_processes_convert_to_the_same_bytes(
    start_alone: StartAlone, chain: Chain, settings: Settings, cell: str, graph: str
) -> None:
    made, _ = chain(cell, graph=graph, until="unrolled")
    inputs = {stage: made[stage] for stage in ("dataset", "network", "unrolled")}
    config = part(settings(cell, graph=graph))

    waiting = [start_alone(name, "quantized", config, inputs) for name in ("first", "second")]
    (code, report, first), (other_code, other_report, second) = (wait() for wait in waiting)

    assert (code, other_code) == (0, 0), (report, other_report)
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes()
    assert report["metrics"] == other_report["metrics"]


def test_a_tied_graph_is_quantized_to_the_same_bytes_again(quantize: Quantize, chain: Chain) -> None:
    made, found = chain("lstm", until="quantized")

    folder, again = quantize(made, cell="lstm")

    assert again == found["quantized"]
    for name in (MODEL, ROLES):
        assert (folder / name).read_bytes() == (made["quantized"] / name).read_bytes()


@pytest.mark.slow
def test_samples_and_weights_without_any_range_end_in_a_sentence_that_names_a_tensor(
    start_alone: StartAlone, changed_data: Callable[..., Path], data: DataSet, settings: Settings, tmp_path: Path
) -> None:
    x = np.zeros_like(data.x_train)
    x[0, 0, 0] = 1e-9  # blank in effect, which the stage can't see beforehand
    untrained = tmp_path / "untrained"
    untrained.mkdir()
    sections = settings("gru", graph="keras")
    graphs = guide.WAY.write(networks.Network("gru").network, {"unrolled.tflite": 8}, untrained, state=False)
    roles.save(graphs, untrained)

    inputs = {"dataset": changed_data(x), "unrolled": untrained}
    code, report, _ = start_alone("blank", "quantized", part(sections), inputs)()

    assert code == 1, "the process must not be ended by a library's abort()"
    assert report["error"].startswith("tensor ")
    assert "quantization" in report["error"]
