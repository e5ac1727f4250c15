"""What is written runs, and keeps the names it was given."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from pipeline.tflite import reader
from pipeline.tflite.quantization import Quantization
from pipeline.tflite.write import Writer, packed


def product(*, bias: bool) -> bytes:
    """Return a float model of one matrix product of (2, 3), the input twice as large again and again."""
    writer = Writer()
    x = writer.tensor("given", (2, 3))
    kernel = writer.constant("kernel", np.arange(12, dtype=np.float32).reshape(4, 3))
    offset = writer.constant("bias", np.array([1, 2, 3, 4], np.float32)) if bias else None
    y = writer.tensor("product", (2, 4))
    writer.operator("FULLY_CONNECTED", [x, kernel, offset], [y], schema.FullyConnectedOptionsT())
    return writer.finished({"x": x}, {"y": y}, "a product")


def test_litert_runs_what_was_written() -> None:
    runner = Interpreter(model_content=product(bias=True)).get_signature_runner("serving_default")
    x = np.array([[1, 0, 2], [0, 1, 0]], np.float32)
    expected = x @ np.arange(12, dtype=np.float32).reshape(4, 3).T + [1, 2, 3, 4]
    np.testing.assert_array_equal(runner(x=x)["y"], expected)


def test_an_operator_may_go_without_an_optional_input() -> None:
    (operator,) = reader.parse(product(bias=False)).main.operators
    assert operator.inputs[2] is None
    x = np.ones((2, 3), np.float32)
    y = Interpreter(model_content=product(bias=False)).get_signature_runner()(x=x)["y"]
    assert y[0].tolist() == [3, 12, 21, 30]


def test_a_constant_of_the_same_name_and_numbers_is_stored_once() -> None:
    writer = Writer()
    ones, twos = np.ones(3, np.float32), np.full(3, 2, np.float32)
    assert writer.constant("ones", ones) == writer.constant("ones", ones.copy())
    assert len({writer.constant("ones", ones), writer.constant("others", ones), writer.constant("ones", twos)}) == 3
    assert len({writer.constant("ones", ones), writer.constant("ones", ones.reshape(3, 1))}) == 2
    assert len({writer.constant("none", ones * 0), writer.constant("none", np.zeros(3, np.int32))}) == 2


def test_the_largest_number_of_an_operator_fits_both_fields() -> None:
    """The older field holds numbers up to 127; what is beyond stands in the newer one alone."""
    writer = Writer()
    x, y = writer.tensor("x", (1,)), writer.tensor("y", (1,))
    writer.operator("GELU", [x], [y], schema.GeluOptionsT())
    content = writer.finished({"x": x}, {"y": y}, "")
    assert reader.parse(content).main.operators[0].kind == "GELU"
    (code,) = schema.ModelT.InitFromPackedBuf(content, 0).operatorCodes
    assert (code.builtinCode, code.deprecatedBuiltinCode) == (schema.BuiltinOperator.GELU, 127)


def test_quantization_and_types_are_written() -> None:
    writer = Writer()
    by_channel = Quantization((0.5, 0.25), (0, 0), axis=1)
    x = writer.tensor("x", (1, 2), np.int16, Quantization.single(0.125, 0))
    kernel = writer.constant("kernel", np.array([[1, -2]], np.int8), by_channel)
    y = writer.tensor("y", (1, 2), np.uint8, Quantization.single(0.125, 128))
    writer.operator("MUL", [x, kernel], [y], schema.MulOptionsT())
    tensors = reader.parse(writer.finished({"x": x}, {"y": y}, "")).main.tensors
    assert [tensor.type for tensor in tensors] == ["int16", "int8", "uint8"]
    assert tensors[1].quantization == by_channel
    assert tensors[2].quantization == Quantization.single(0.125, 128)


def test_a_model_of_the_schemas_own_classes_comes_back_as_it_was() -> None:
    content = product(bias=True)
    assert packed(schema.ModelT.InitFromPackedBuf(content, 0)) == content
