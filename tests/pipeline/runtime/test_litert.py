"""Models run as a naive loop would run them, only faster; real numbers are stored as TFLite stores them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from pipeline.data.arrays import DataSet
from pipeline.runtime import litert
from pipeline.stage import Found
from pipeline.tflite.quantization import Quantization

Chain = Callable[..., tuple[Mapping[str, Path], Mapping[str, Found]]]

CELLS = pytest.mark.parametrize("cell", ["gru", "lstm", "simple_rnn"])
GRAPHS = pytest.mark.parametrize("graph", ["tied", "keras"])


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


def naive_stream(model: Path, x: npt.NDArray[np.float32], *, reset: bool) -> dict[str, npt.NDArray[Any]]:
    """Feed samples to an int8 or int16 model with state in pieces, with nothing of ours; the bytes are copied."""
    loaded = Interpreter(model_path=str(model), num_threads=1, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    run = loaded.get_signature_runner()
    into = run.get_input_details()
    scale, zero_point = into["input"]["quantization"]
    steps, dtype = into["input"]["shape"][1], into["input"]["dtype"]
    limits = np.iinfo(dtype)
    zeros = {
        name: np.full(port["shape"], port["quantization"][1], dtype) for name, port in into.items() if name != "input"
    }
    states, found = zeros, []
    for sample in x:
        steps_of = sample / scale
        rounded = np.trunc(steps_of + np.copysign(0.5, steps_of))  # halves away from zero, as TFLite's QUANTIZE
        stored = np.clip(rounded + zero_point, limits.min, limits.max).astype(dtype)
        if reset:
            states = zeros
        for first in range(0, len(stored), steps):
            out = run(input=stored[np.newaxis, first : first + steps], **states)
            states = {name: out[name] for name in zeros}
        found.append(out)
    return {name: np.concatenate([out[name] for out in found]) for name in found[0]}


@pytest.mark.parametrize("graph", ["tied", pytest.param("keras", marks=pytest.mark.slow)])
@CELLS
def test_int8_outputs_equal_those_of_a_naive_loop_on_one_thread(
    chain: Chain, data: DataSet, cell: str, graph: str
) -> None:
    model = chain(cell, graph=graph, until="quantized")[0]["quantized"] / "quantized.tflite"

    found = litert.outputs(model, data.x_test, litert.REFERENCE)

    assert list(found) == [litert.OUTPUT]
    outputs = found[litert.OUTPUT]
    assert (outputs.shape, outputs.dtype.name) == ((300, 3), "int8")
    np.testing.assert_array_equal(outputs, naive(model, data.x_test, OpResolverType.BUILTIN_REF))


@GRAPHS
@CELLS
def test_float_outputs_equal_those_of_a_naive_loop_on_one_thread(
    chain: Chain, data: DataSet, cell: str, graph: str
) -> None:
    model = chain(cell, graph=graph, until="unrolled")[0]["unrolled"] / "unrolled.tflite"

    outputs = litert.outputs(model, data.x_test, litert.BUILTIN)[litert.OUTPUT]

    assert (outputs.shape, outputs.dtype.name) == ((300, 3), "float32")
    kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    np.testing.assert_array_equal(outputs, naive(model, data.x_test, kernels))


@pytest.mark.parametrize("reset", [True, False], ids=["reset", "sequences in a row"])
@pytest.mark.parametrize("activations", ["int8", "int16"])
@CELLS
def test_a_model_with_state_is_fed_in_pieces_as_a_naive_loop_would_feed_it(
    chain: Chain,
    data: DataSet,
    cell: str,
    activations: str,
    reset: bool,  # noqa: FBT001
) -> None:
    made, _ = chain(cell, state=True, steps_per_inference=2, activations=activations, until="quantized")
    model, x = made["quantized"] / "quantized.tflite", data.x_test[:40]

    found = litert.outputs(model, x, litert.REFERENCE, reset=reset)

    expected = naive_stream(model, x, reset=reset)
    assert found.keys() == expected.keys()
    for name, values in found.items():
        assert (values.dtype.name, len(values)) == (activations, 40)
        np.testing.assert_array_equal(values, expected[name])


def test_a_state_that_is_not_reset_changes_what_follows(chain: Chain, data: DataSet) -> None:
    model = chain("gru", state=True, steps_per_inference=2, until="quantized")[0]["quantized"] / "quantized.tflite"

    kept, reset = (litert.outputs(model, data.x_test[:20], litert.REFERENCE, reset=reset) for reset in (False, True))

    np.testing.assert_array_equal(kept["gru_1_hidden"][0], reset["gru_1_hidden"][0])
    assert (kept["gru_1_hidden"] != reset["gru_1_hidden"]).any(axis=1).mean() > 0.8


def test_a_state_that_comes_out_with_another_scale_is_requantized(chain: Chain, data: DataSet) -> None:
    made, _ = chain("gru", graph="keras", state=True, steps_per_inference=4, until="quantized")
    model = litert.Model(made["quantized"] / "quantized.tflite", litert.REFERENCE)
    out, into = model.outputs["gru_1_hidden"], model.inputs["gru_1_hidden"]
    assert out.quantization != into.quantization

    model.reset()
    model.infer(model.inputs[litert.INPUT].stored(data.x_test[0, :4]))
    came_out = model.read("gru_1_hidden")
    model.feed_back()

    goes_in = model.interpreter.get_tensor(into.index)
    assert into.quantization is not None
    np.testing.assert_allclose(into.real(goes_in), out.real(came_out), atol=into.quantization.scale / 2 * 1.001)


@pytest.mark.parametrize("samples", [1, 2, litert.CHUNK - 1, litert.CHUNK, litert.CHUNK + 1])
def test_any_number_of_samples_comes_back_in_order(chain: Chain, data: DataSet, samples: int) -> None:
    model = chain("simple_rnn", until="quantized")[0]["quantized"] / "quantized.tflite"
    every = litert.outputs(model, data.x_test, litert.REFERENCE)[litert.OUTPUT]

    outputs = litert.outputs(model, data.x_test[:samples], litert.REFERENCE)[litert.OUTPUT]

    np.testing.assert_array_equal(outputs, every[:samples])


def test_progress_counts_samples_up_to_all_of_them(chain: Chain, data: DataSet) -> None:
    model = chain("simple_rnn", until="quantized")[0]["quantized"] / "quantized.tflite"
    done: list[int] = []

    litert.outputs(model, data.x_test, litert.REFERENCE, done.append)

    assert len(done) == 2
    assert max(done) == 300


def test_the_same_outputs_come_back_every_time(chain: Chain, data: DataSet) -> None:
    model = chain("lstm", until="quantized")[0]["quantized"] / "quantized.tflite"

    first, second = (litert.outputs(model, data.x_test, litert.REFERENCE)[litert.OUTPUT] for _ in range(2))

    np.testing.assert_array_equal(first, second)


def test_the_kernels_for_int8_are_the_reference_ones() -> None:
    assert litert.REFERENCE == OpResolverType.BUILTIN_REF
    assert litert.BUILTIN == OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES


def test_scale_and_zero_point_are_the_models_own(chain: Chain) -> None:
    made, found = chain("gru", until="quantized")

    model = litert.Model(made["quantized"] / "quantized.tflite", litert.REFERENCE)

    into, out = model.inputs[litert.INPUT], model.outputs[litert.OUTPUT]
    assert into.quantization is not None
    assert found["quantized"].metrics["input"] == {
        "scale": into.quantization.scale,
        "zero_point": into.quantization.zero_point,
        "dtype": "int8",
    }
    assert (out.quantization, out.dtype) == (Quantization.single(1 / 256, -128), np.int8)


@GRAPHS
def test_a_float_input_is_not_quantized(chain: Chain, graph: str) -> None:
    folder = chain("gru", graph=graph, until="unrolled")[0]["unrolled"]

    port = litert.Model(folder / "unrolled.tflite", litert.BUILTIN).inputs[litert.INPUT]

    assert (port.quantization, port.dtype) == (None, np.float32)
    assert port.stored(np.array([0.1])).dtype == np.float32


@pytest.mark.parametrize(("cell", "states"), [("gru", ["hidden"]), ("lstm", ["cell", "hidden"])])
@GRAPHS
def test_inputs_and_outputs_go_by_their_names_whatever_their_order(
    chain: Chain, graph: str, cell: str, states: list[str]
) -> None:
    folder = chain(cell, graph=graph, state=True, steps_per_inference=4, until="unrolled")[0]["unrolled"]

    model = litert.Model(folder / "unrolled.tflite", litert.BUILTIN)

    named = [f"{cell}_1_{state}" for state in states]
    assert model.states == named
    assert model.steps == 4
    assert {name: port.shape for name, port in model.inputs.items()} == {
        "input": (1, 4, 6),
        **dict.fromkeys(named, (1, 4)),
    }
    assert {name: port.shape for name, port in model.outputs.items()} == {
        "output": (1, 3),
        **dict.fromkeys(named, (1, 4)),
    }
