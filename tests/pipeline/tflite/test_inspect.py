import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from pipeline.tflite import inspect, reader
from pipeline.tflite.errors import TfliteError
from pipeline.tflite.quantization import Quantization
from pipeline.tflite.write import Writer, packed
from tests.models import chain


def test_damaged_options_are_found_where_reading_leaves_them_packed() -> None:
    writer = Writer()
    x, y = writer.tensor("x", (2,)), writer.tensor("y", (1, 2))
    options = schema.ReshapeOptionsT()
    options.newShape = [77, 78]
    writer.operator("RESHAPE", [x], [y], options)
    content = writer.finished({"x": x}, {"y": y}, "")
    inspect.check_options(reader.parse(content))

    length, *sizes = (number.to_bytes(4, "little") for number in (2, 77, 78))
    listed = length + b"".join(sizes)
    assert content.count(listed) == 1
    model = reader.parse(content.replace(listed, b"\xff\xff\xff\x7f" + b"".join(sizes)))
    with pytest.raises(TfliteError, match=r"the options of operator RESHAPE y are damaged \(ValueError\)"):
        inspect.check_options(model)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_that_can_not_be_is_found(scale: float) -> None:
    model = chain(2)
    assert inspect.first_bad_scale(reader.parse(packed(model))) is None
    model.subgraphs[0].tensors[1].quantization.scale = np.array([scale], np.float32)
    found = inspect.first_bad_scale(reader.parse(packed(model)))
    assert found is not None
    assert found[0].name == "value_1"
    np.testing.assert_equal(found[1], scale)
    model.subgraphs[0].tensors[1].type = schema.TensorType.FLOAT32
    assert inspect.first_bad_scale(reader.parse(packed(model))) is None


def test_what_is_computed_is_told_over_all_graphs() -> None:
    model = chain(1)
    model.subgraphs.append(chain(2).subgraphs[0])
    names = [tensor.name for tensor in inspect.computed(reader.parse(packed(model)))]
    assert names == ["value_1", "value_1", "value_2"]


def test_what_calls_other_graphs_is_told() -> None:
    model = chain(2)
    assert not inspect.callers(reader.parse(packed(model)))
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.WHILE
    model.operatorCodes.append(code)
    model.subgraphs[0].operators[1].opcodeIndex = 1
    assert inspect.callers(reader.parse(packed(model))) == {"WHILE"}


def test_a_dimension_that_is_only_known_at_run_time_is_found() -> None:
    model = chain()
    assert not inspect.dynamic_inputs(reader.parse(packed(model)))
    model.subgraphs[0].tensors[0].shapeSignature = [-1, 16]
    assert [tensor.name for tensor in inspect.dynamic_inputs(reader.parse(packed(model)))] == ["value_0"]


def test_ports_go_by_the_signature_or_else_by_the_tensors() -> None:
    writer = Writer()
    x, y = (writer.tensor(name, (1, 4), np.int8, Quantization.single(0.5, 0)) for name in "xy")
    writer.operator("RELU", [x], [y])
    inputs, outputs = inspect.ports(reader.parse(writer.finished({"given": x}, {"computed": y}, "")))
    assert {name: tensor.name for name, tensor in (*inputs.items(), *outputs.items())} == {
        "given": "x",
        "computed": "y",
    }
    inputs, outputs = inspect.ports(reader.parse(packed(chain())))
    assert (list(inputs), list(outputs)) == (["value_0"], ["value_1"])
