"""TensorFlow Lite Micro gives what a naive loop over it gives; where it can't run a model, it says why."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert.interpreter import Interpreter

from pipeline.data.arrays import DataSet
from pipeline.runtime import litert, micro
from pipeline.runtime.micro import MicroError
from pipeline.stage import Found

runtime = pytest.importorskip("tflite_micro", reason="there is no package of it for this machine").runtime

Chain = Callable[..., tuple[Mapping[str, Path], Mapping[str, Found]]]


def ignore(done: int) -> None:
    """Take progress that nobody looks at."""


def naive(model: Path, x: npt.NDArray[np.float32]) -> dict[str, npt.NDArray[Any]]:
    """Feed samples to a tied model in pieces, each from a state of 0, with nothing of ours; the bytes are copied."""
    described = Interpreter(model_path=str(model))
    signature = described.get_signature_runner()
    into, out = signature.get_input_details(), signature.get_output_details()
    place_in = {port["index"]: place for place, port in enumerate(described.get_input_details())}
    place_out = {port["index"]: place for place, port in enumerate(described.get_output_details())}
    scale, zero_point = into["input"]["quantization"]
    steps, dtype = into["input"]["shape"][1], into["input"]["dtype"]
    loaded = runtime.Interpreter.from_file(str(model), arena_size=1 << 20)
    found: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in out}
    for sample in x:
        steps_of = sample / scale
        rounded = np.trunc(steps_of + np.copysign(0.5, steps_of))  # halves away from zero, as TFLite's QUANTIZE
        stored = np.clip(rounded + zero_point, np.iinfo(dtype).min, np.iinfo(dtype).max).astype(dtype)
        states = {
            name: np.full(port["shape"], port["quantization"][1], dtype)
            for name, port in into.items()
            if name != "input"
        }
        for first in range(0, len(stored), steps):
            loaded.set_input(stored[np.newaxis, first : first + steps], place_in[into["input"]["index"]])
            for name, state in states.items():
                loaded.set_input(state, place_in[into[name]["index"]])
            loaded.invoke()
            now = {name: loaded.get_output(place_out[port["index"]]).copy() for name, port in out.items()}
            states = {name: now[name] for name in states}
        for name, values in now.items():
            found[name].append(values)
    return {name: np.concatenate(rows) for name, rows in found.items()}


@pytest.mark.parametrize(
    ("cell", "activations"), [("gru", "int8"), ("lstm", "int8"), ("simple_rnn", "int8"), ("gru", "int16")]
)
def test_every_sample_comes_back_in_order_as_a_naive_loop_has_it(
    chain: Chain, data: DataSet, cell: str, activations: str
) -> None:
    model = chain(cell, activations=activations, until="quantized")[0]["quantized"] / "quantized.tflite"

    found = micro.outputs(model, data.x_test, ignore)

    (expected,) = naive(model, data.x_test).values()
    assert list(found) == [litert.OUTPUT]
    assert (found[litert.OUTPUT].dtype.name, found[litert.OUTPUT].shape) == (activations, (300, 3))
    np.testing.assert_array_equal(found[litert.OUTPUT], expected)


@pytest.mark.parametrize(("cell", "activations"), [("lstm", "int8"), ("gru", "int16")])
def test_a_model_with_state_is_fed_in_pieces(chain: Chain, data: DataSet, cell: str, activations: str) -> None:
    made, _ = chain(cell, state=True, steps_per_inference=2, activations=activations, until="quantized")
    model, x = made["quantized"] / "quantized.tflite", data.x_test[:40]

    found = micro.outputs(model, x, ignore)

    expected = naive(model, x)
    assert found.keys() == expected.keys()
    assert len(found) == (3 if cell == "lstm" else 2)
    for name, values in found.items():
        assert values.dtype.name == activations
        np.testing.assert_array_equal(values, expected[name])


def test_the_guides_graph_runs_too_and_comes_close_to_litert(chain: Chain, data: DataSet) -> None:
    made, _ = chain("gru", graph="keras", state=True, steps_per_inference=4, until="quantized")
    model, x = made["quantized"] / "quantized.tflite", data.x_test[:40]

    found = micro.outputs(model, x, ignore)

    for name, values in litert.outputs(model, x, litert.REFERENCE).items():
        assert np.abs(found[name].astype(np.int64) - values).max() <= 4


def test_progress_counts_samples_up_to_all_of_them(chain: Chain, data: DataSet) -> None:
    model = chain("simple_rnn", until="quantized")[0]["quantized"] / "quantized.tflite"
    done: list[int] = []

    micro.outputs(model, data.x_test, done.append)

    assert len(done) == 2
    assert done[-1] == 300


def test_an_operator_that_it_lacks_is_named(
    chain: Chain, data: DataSet, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema  # noqa: PLC0415

    model = chain("simple_rnn", until="quantized")[0]["quantized"] / "quantized.tflite"
    document = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(model.read_bytes(), 0))
    for code in document.operatorCodes:
        if code.builtinCode == schema.BuiltinOperator.TANH:
            code.builtinCode, code.deprecatedBuiltinCode = schema.BuiltinOperator.GELU, 127
    builder = flatbuffers.Builder()
    builder.Finish(document.Pack(builder), b"TFL3")
    changed = tmp_path / "gelu.tflite"
    changed.write_bytes(builder.Output())

    with pytest.raises(MicroError, match=r"can't run this model: .*GELU"):
        micro.outputs(changed, data.x_test[:3], ignore)

    assert "GELU" in capfd.readouterr().err


def test_a_machine_without_a_package_of_it_is_told_so(monkeypatch: pytest.MonkeyPatch, data: DataSet) -> None:
    monkeypatch.setattr(micro, "find_spec", lambda _: None)
    monkeypatch.setattr("platform.machine", lambda: "aarch64")

    with pytest.raises(MicroError, match=r"there is no package of TensorFlow Lite Micro for .* on aarch64"):
        micro.outputs(Path("model.tflite"), data.x_test, ignore)


def die(model: Path, x: object) -> None:
    """End the process as a crash in C++ does."""
    del model, x
    os.abort()


def test_its_crash_is_not_the_end_of_the_stage(monkeypatch: pytest.MonkeyPatch, data: DataSet) -> None:
    monkeypatch.setattr(micro, "_run", die)

    with pytest.raises(MicroError, match="TensorFlow Lite Micro crashed on this model"):
        micro.outputs(Path("model.tflite"), data.x_test[:3], ignore)


def test_any_model_is_run_on_given_inputs_by_their_places(chain: Chain) -> None:
    made, _ = chain("lstm", state=True, steps_per_inference=2, until="quantized")
    content = (made["quantized"] / "quantized.tflite").read_bytes()
    described = Interpreter(model_content=content)
    random = np.random.default_rng(0)
    inputs = [random.integers(-128, 128, (5, *port["shape"])).astype(np.int8) for port in described.get_input_details()]

    found = micro.computed(content, inputs)

    alone = runtime.Interpreter.from_bytes(content, arena_size=1 << 20)
    for number in range(5):
        for place, values in enumerate(inputs):
            alone.set_input(values[number], place)
        alone.invoke()
        for place, rows in enumerate(found):
            np.testing.assert_array_equal(rows[number], alone.get_output(place).ravel())


def test_a_machine_without_it_says_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert micro.missing() is None
    monkeypatch.setattr(micro, "find_spec", lambda _: None)

    assert "as there is for Linux on x86_64" in str(micro.missing())
    with pytest.raises(MicroError, match="there is no package of TensorFlow Lite Micro for"):
        micro.computed(b"", [])
