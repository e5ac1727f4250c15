"""Models run as a naive loop would run them, only faster; real numbers are stored as TFLite stores them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from pipeline.data.arrays import DataSet
from pipeline.stages import inference
from pipeline.stages.contract import Found
from pipeline.stages.inference import Quantization

Chain = Callable[[str], tuple[Mapping[str, Path], Mapping[str, Found]]]

CELLS = pytest.mark.parametrize("cell", ["gru", "lstm", "simple_rnn"])


def naive(model: Path, x: npt.NDArray[np.float32], kernels: OpResolverType) -> npt.NDArray[Any]:
    """Run a model on one sample after the other, with nothing of ours."""
    loaded = Interpreter(model_path=str(model), num_threads=1, experimental_op_resolver_type=kernels)
    loaded.allocate_tensors()
    (into,), (out,) = loaded.get_input_details(), loaded.get_output_details()
    scale, zero_point = into["quantization"]
    found = []
    for sample in x:
        stored = np.clip(np.rint(sample / scale) + zero_point, -128, 127).astype(np.int8) if scale else sample
        loaded.set_tensor(into["index"], stored[np.newaxis])
        loaded.invoke()
        found.append(loaded.get_tensor(out["index"])[0].copy())
    return np.array(found)


@CELLS
def test_int8_outputs_equal_those_of_a_naive_loop_on_one_thread(chain: Chain, data: DataSet, cell: str) -> None:
    model = chain(cell)[0]["quantized"] / "quantized.tflite"

    outputs = inference.outputs(model, data.x_test, inference.REFERENCE)

    assert (outputs.shape, outputs.dtype.name) == ((300, 3), "int8")
    np.testing.assert_array_equal(outputs, naive(model, data.x_test, OpResolverType.BUILTIN_REF))


@CELLS
def test_float_outputs_equal_those_of_a_naive_loop_on_one_thread(chain: Chain, data: DataSet, cell: str) -> None:
    model = chain(cell)[0]["unrolled"] / "unrolled.tflite"

    outputs = inference.outputs(model, data.x_test, inference.BUILTIN)

    assert (outputs.shape, outputs.dtype.name) == ((300, 3), "float32")
    kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    np.testing.assert_array_equal(outputs, naive(model, data.x_test, kernels))


@pytest.mark.parametrize("samples", [1, 2, inference.CHUNK - 1, inference.CHUNK, inference.CHUNK + 1])
def test_any_number_of_samples_comes_back_in_order(chain: Chain, data: DataSet, samples: int) -> None:
    model = chain("simple_rnn")[0]["quantized"] / "quantized.tflite"
    every = inference.outputs(model, data.x_test, inference.REFERENCE)

    outputs = inference.outputs(model, data.x_test[:samples], inference.REFERENCE)

    np.testing.assert_array_equal(outputs, every[:samples])


def test_progress_counts_samples_up_to_all_of_them(chain: Chain, data: DataSet) -> None:
    model = chain("simple_rnn")[0]["quantized"] / "quantized.tflite"
    done: list[int] = []

    inference.outputs(model, data.x_test, inference.REFERENCE, done.append)

    assert len(done) == 2
    assert max(done) == 300


def test_the_same_outputs_come_back_every_time(chain: Chain, data: DataSet) -> None:
    model = chain("lstm")[0]["quantized"] / "quantized.tflite"

    first, second = (inference.outputs(model, data.x_test, inference.REFERENCE) for _ in range(2))

    np.testing.assert_array_equal(first, second)


def test_the_kernels_for_int8_are_the_reference_ones() -> None:
    assert inference.REFERENCE == OpResolverType.BUILTIN_REF
    assert inference.BUILTIN == OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES


def test_scale_and_zero_point_are_the_models_own(chain: Chain) -> None:
    made, found = chain("gru")
    loaded = inference.interpreter(made["quantized"] / "quantized.tflite", inference.REFERENCE)

    into = inference.quantization(loaded.get_input_details()[0])
    out = inference.quantization(loaded.get_output_details()[0])

    assert into is not None
    assert vars(into) == found["quantized"].metrics["input"]
    assert out == Quantization(scale=1 / 256, zero_point=-128)


def test_a_float_input_is_not_quantized(chain: Chain) -> None:
    loaded = inference.interpreter(chain("gru")[0]["unrolled"] / "unrolled.tflite", inference.BUILTIN)

    assert inference.quantization(loaded.get_input_details()[0]) is None


def test_real_numbers_are_stored_by_scale_and_zero_point() -> None:
    quantization = Quantization(scale=0.5, zero_point=-3)

    stored = quantization.stored(np.array([0.0, 1.0, -1.0, 0.6, -0.6], np.float32))

    assert stored.dtype == np.int8
    assert stored.tolist() == [-3, -1, -5, -2, -4]


def test_numbers_out_of_range_are_saturated() -> None:
    stored = Quantization(scale=0.01, zero_point=0).stored(np.array([1.27, 1.28, 99, -1.28, -1.29, -99], np.float32))

    assert stored.tolist() == [127, 127, 127, -128, -128, -128]


def test_halves_are_rounded_away_from_zero_as_tflites_quantize_does() -> None:
    stored = Quantization(scale=0.5, zero_point=0).stored(np.array([0.25, 0.75, 1.25, -0.25, -0.75], np.float32))

    assert stored.tolist() == [1, 2, 3, -1, -2]


def test_every_stored_number_comes_back_as_itself() -> None:
    quantization = Quantization(scale=0.0123, zero_point=17)
    every = np.arange(-128, 128).astype(np.int8)

    real = quantization.real(every)

    assert real.dtype == np.float32
    np.testing.assert_allclose(real, 0.0123 * (np.arange(-128, 128) - 17), rtol=1e-5)
    np.testing.assert_array_equal(quantization.stored(real), every)
