"""Quantizing: int8 throughout, the same bytes every time, and no model that would be wrong."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from pipeline import experiment, graph
from pipeline.data.arrays import DataSet
from pipeline.process import run
from pipeline.stages import inference, network, quantized
from pipeline.stages.contract import Found, Work
from pipeline.stages.quantized import QuantizationError

Chain = Callable[[str], tuple[Mapping[str, Path], Mapping[str, Found]]]
MakeWork = Callable[..., Work]
StartAlone = Callable[..., Callable[[], tuple[int, dict[str, Any], Path]]]

CONFIG = {"quantization": {"representative_samples": 20}}
ROOT = Path(__file__).parents[3]


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
        quantized.check([tensor("good"), *tensors])
    said = str(caught.value)
    assert len(said.splitlines()) == 1, said
    return said


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.float64])
def test_a_float_tensor_is_refused_by_name(dtype: type) -> None:
    said = refusal(tensor("gru/add_3", dtype, scales=[]))

    assert said.startswith(f"tensor gru/add_3 is still {np.dtype(dtype).name} in the int8 model")


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
    quantized.check([tensor("shape", np.int32, scales=[]), tensor("bias", np.int32, scales=[1e-5])])


def test_a_float_model_is_refused_by_the_name_of_one_of_its_tensors(chain: Chain) -> None:
    tensors = Interpreter(model_path=str(chain("gru")[0]["unrolled"] / "unrolled.tflite")).get_tensor_details()

    with pytest.raises(QuantizationError) as caught:
        quantized.check(tensors)

    first = next(tensor["name"] for tensor in tensors if tensor["dtype"] == np.float32)
    assert str(caught.value).startswith(f"tensor {first} is still float32 ")


@pytest.mark.parametrize("cell", ["gru", "lstm", "simple_rnn"])
def test_the_model_is_int8_within_and_without(chain: Chain, cell: str) -> None:
    made, found = chain(cell)
    path = made["quantized"] / quantized.MODEL
    model = inference.interpreter(path, inference.REFERENCE)
    tensors = model.get_tensor_details()

    assert model.get_input_details()[0]["dtype"] == model.get_output_details()[0]["dtype"] == np.int8
    assert {np.dtype(tensor["dtype"]).name for tensor in tensors} <= {"int8", "int32"}
    metrics = found["quantized"].metrics
    assert metrics["model_bytes"] == path.stat().st_size
    assert metrics["representative_samples"] == 20
    assert metrics["tensors"] == len(tensors)
    assert metrics["output"] == {"scale": 1 / 256, "zero_point": -128}
    assert [path.name for path in made["quantized"].iterdir()] == [quantized.MODEL]


def test_the_range_of_the_input_is_that_of_the_representative_samples(chain: Chain, data: DataSet) -> None:
    into = chain("gru")[1]["quantized"].metrics["input"]

    largest = (127 - into["zero_point"]) * into["scale"]

    assert largest == pytest.approx(data.x_train[:20].max(), rel=0.01)


def test_more_representative_samples_than_there_are_is_an_error(work: MakeWork, chain: Chain) -> None:
    made, _ = chain("gru")
    config = {"quantization": {"representative_samples": 97}}

    with pytest.raises(QuantizationError) as caught:
        quantized.make(work(config, made))

    said = str(caught.value)
    assert said == "quantization.representative_samples = 97, but there are only 96 training samples"


def test_all_training_samples_may_be_representative(work: MakeWork, chain: Chain) -> None:
    made, _ = chain("simple_rnn")
    reports: list[dict[str, Any]] = []
    config = {"quantization": {"representative_samples": 96}}

    found = quantized.make(work(config, made, report=lambda **facts: reports.append(facts)))

    assert found.metrics["representative_samples"] == 96
    assert {"done": 96, "total": 96, "what": "showing samples"} in reports


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_two_fresh_processes_convert_to_the_same_bytes(start_alone: StartAlone, chain: Chain, cell: str) -> None:
    made, _ = chain(cell)
    inputs = {stage: made[stage] for stage in ("dataset", "unrolled")}

    waiting = [start_alone(name, "quantized", CONFIG, inputs) for name in ("first", "second")]
    (code, report, first), (other_code, other_report, second) = (wait() for wait in waiting)

    assert (code, other_code) == (0, 0), (report, other_report)
    assert (first / quantized.MODEL).read_bytes() == (second / quantized.MODEL).read_bytes()
    assert report["metrics"] == other_report["metrics"]


def test_samples_and_weights_without_any_range_end_in_a_sentence_that_names_a_tensor(
    start_alone: StartAlone, data: DataSet, tmp_path: Path
) -> None:
    blank = tmp_path / "blank"
    blank.mkdir()
    zeros = np.zeros_like(data.x_train)
    DataSet(x_train=zeros, y_train=data.y_train, x_test=data.x_test, y_test=data.y_test).save(blank)
    untrained = tmp_path / "untrained"
    untrained.mkdir()
    network.save(network.build({"cell": "gru", "units": 4}, 8, 6, 3, deployed=True), untrained)

    code, report, _ = start_alone("blank", "quantized", CONFIG, {"dataset": blank, "unrolled": untrained})()

    assert code == 1, "the process must not be ended by a library's abort()"
    assert report["error"].startswith("tensor ")
    assert "quantization" in report["error"]


def test_the_converters_crash_on_a_network_that_is_not_unrolled_is_a_sentence_with_the_remedy(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    rolled, into = tmp_path / "rolled", tmp_path / "into"
    rolled.mkdir()
    into.mkdir()
    layers = [keras.Input((8, 6), batch_size=1), keras.layers.GRU(4), keras.layers.Dense(3, activation="softmax")]
    network.save(keras.Sequential(layers), rolled)
    order = {
        "config": CONFIG,
        "inputs": {"dataset": str(dataset), "unrolled": str(rolled)},
        "into": str(into),
        "log": "log",
        "run": "test",
    }
    jobs = graph.jobs("tiny", experiment.load("tiny", ROOT / "experiments"))
    job = next(job for job in jobs if job.stage.name == "quantized")

    outcome = run(job, order, tmp_path, watch=lambda: None)

    assert outcome.failure is not None
    assert outcome.failure.startswith("quantized crashed (SIGSEGV). TFLiteConverter is known to crash")
    assert "unroll=True" in outcome.failure
    assert outcome.failure.endswith(f"Log: {job.log}")
    assert job.log.exists()
