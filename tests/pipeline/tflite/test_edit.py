"""What is changed in a file, and that nothing else is."""

from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from pipeline.tflite import edit, reader
from pipeline.tflite.errors import TfliteError
from pipeline.tflite.quantization import Quantization
from pipeline.tflite.write import Writer, packed
from tests.models import WIDTH, chain

ALIKE, OTHER = Quantization.single(1 / 128, 0), Quantization.single(1 / 64, 0)


def quantizing(*steps: Quantization) -> bytes:
    """Return a TANH, then a QUANTIZE to each of the quantizations, each from the one before, and a RELU."""
    writer = Writer()
    x = writer.tensor("x", (1, 4), np.int8, OTHER)
    last = writer.tensor("tanh", (1, 4), np.int8, ALIKE)
    writer.operator("TANH", [x], [last])
    for number, quantization in enumerate(steps):
        before, last = last, writer.tensor(f"again_{number}", (1, 4), np.int8, quantization)
        writer.operator("QUANTIZE", [before], [last], schema.QuantizeOptionsT())
    writer.operator("RELU", [last], [y := writer.tensor("y", (1, 4), np.int8, ALIKE)])
    return writer.finished({"x": x}, {"y": y, "tanh": last}, "")


def run(content: bytes) -> Any:
    return Interpreter(model_content=content).get_signature_runner()(x=np.array([[-90, -1, 3, 70]], np.int8))["y"]


def test_every_quantize_that_changes_nothing_goes() -> None:
    before = quantizing(ALIKE, ALIKE)
    after = edit.without_idle_quantizing(before)
    graph = reader.parse(after).main
    assert [operator.kind for operator in graph.operators] == ["TANH", "RELU"]
    assert [tensor.name for tensor in graph.operators[1].inputs if tensor] == ["tanh"]
    assert [tensor.name for tensor in graph.outputs] == ["y", "tanh"]
    np.testing.assert_array_equal(run(after), run(before))


def test_a_quantize_that_changes_something_stays() -> None:
    kinds = [
        operator.kind for operator in reader.parse(edit.without_idle_quantizing(quantizing(OTHER, ALIKE))).operators()
    ]
    assert kinds == ["TANH", "QUANTIZE", "QUANTIZE", "RELU"]


def test_constants_behind_the_tables_are_taken_in() -> None:
    writer = Writer()
    x = writer.tensor("x", (1, 3))
    kernel = writer.constant("kernel", np.zeros((2, 3), np.float32))
    writer.operator(
        "FULLY_CONNECTED", [x, kernel, None], [y := writer.tensor("y", (1, 2))], schema.FullyConnectedOptionsT()
    )
    model: Any = schema.ModelT.InitFromPackedBuf(writer.finished({"x": x}, {"y": y}, ""), 0)
    weights = np.arange(6, dtype=np.float32)
    model.buffers[1].data, model.buffers[1].offset, model.buffers[1].size = None, 1 << 20, weights.nbytes
    model.buffers[1].offset = len(packed(model))
    outside = packed(model) + weights.tobytes()

    inside = edit.without_idle_quantizing(outside)

    assert all(buffer.offset == 0 for buffer in schema.ModelT.InitFromPackedBuf(inside, 0).buffers)
    data = reader.parse(inside).main.tensors[1].data
    assert data is not None
    assert data.ravel().tolist() == weights.tolist()


def test_all_that_is_computed_can_be_put_out() -> None:
    content, numbers = edit.with_every_tensor_put_out(packed(chain(3)))
    graph = reader.parse(content).main
    assert [tensor.name for tensor in graph.outputs] == ["value_3", "value_1", "value_2"]
    assert numbers == [tensor.number for tensor in graph.outputs] == [3, 1, 2]
    assert graph.outputs[0].shape == (1, WIDTH)
    assert len(graph.operators) == 3


def test_a_tensor_can_be_put_out_by_a_name() -> None:
    whole = quantizing(OTHER)
    (tensor,) = (tensor.number for tensor in reader.parse(whole).main.tensors if tensor.name == "tanh")
    changed = edit.with_an_output_more(whole, tensor, "seen")
    x = np.array([[-90, -1, 3, 70]], np.int8)
    outputs = Interpreter(model_content=changed).get_signature_runner()(x=x)
    assert outputs.keys() == {"y", "tanh", "seen"}
    np.testing.assert_allclose(outputs["seen"] / 128, np.tanh(x / 64), atol=1 / 128)
    np.testing.assert_array_equal(outputs["y"], run(whole))
    with pytest.raises(TfliteError, match="the model has 4 tensors, no number 4"):
        edit.with_an_output_more(whole, 4, "seen")


@pytest.mark.parametrize("change", [edit.with_every_tensor_put_out, edit.without_idle_quantizing])
def test_what_is_no_whole_model_ends_in_a_sentence(change: Any) -> None:
    whole = packed(chain(2))
    for end in range(0, len(whole), 7):
        with pytest.raises(TfliteError):
            change(whole[:end])
    listless = chain(2)
    listless.subgraphs[0].operators = None
    with pytest.raises(TfliteError, match="something in it is missing or damaged"):
        change(packed(listless))
    random = np.random.default_rng(2)
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[random.integers(8, len(damaged))] = random.integers(256)
        try:
            change(bytes(damaged))
        except TfliteError as error:
            assert str(error)  # noqa: PT017 - some damage is harmless
