"""Files are read as LiteRT's own classes read them; damaged and hostile ones end in a sentence."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from pipeline.tflite import reader
from pipeline.tflite.errors import ForeignError, TfliteError
from pipeline.tflite.model import Model
from pipeline.tflite.quantization import Quantization
from pipeline.tflite.write import Writer, packed
from tests.models import chain


def everything() -> bytes:
    """Return a model with something of each kind that is read, constants in two places among them."""
    writer = Writer()
    x = writer.tensor("x", (1, 4), np.int8, Quantization.single(0.5, 3))
    weights = np.arange(12, dtype=np.int8).reshape(3, 4)
    kernel = writer.constant("kernel", weights, Quantization((0.5, 0.25, 0.125), (0, 0, 0)))
    bias = writer.constant("bias", np.array([1, -2, 3], np.int32))
    y = writer.tensor("y", (1, 3), np.int8, Quantization.single(0.25, -7))
    options = schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = schema.ActivationFunctionType.RELU
    writer.operator("FULLY_CONNECTED", [x, kernel, bias], [y], options)
    z = writer.tensor("z", (1, 3), np.int8, Quantization.single(1 / 256, -128))
    writer.operator("LOGISTIC", [y], [z])
    model: Any = schema.ModelT.InitFromPackedBuf(writer.finished({"in": x}, {"out": z}, "of a test"), 0)
    entry: Any = schema.MetadataT()
    entry.name, entry.buffer = "note", 1
    model.metadata = [entry]
    model.subgraphs[0].tensors[0].shapeSignature = [-1, 4]
    behind: Any = schema.TensorT()
    behind.name, behind.shape, behind.type, behind.buffer = "behind", [16], schema.TensorType.UINT8, 3
    model.subgraphs[0].tensors.append(behind)
    buffer: Any = schema.BufferT()
    model.buffers.append(buffer)
    buffer.offset, buffer.size = 1 << 20, 16
    buffer.offset = len(packed(model))
    return packed(model) + bytes(range(16))


@pytest.fixture(scope="module")
def content() -> bytes:
    return everything()


@pytest.fixture(scope="module")
def model(content: bytes) -> Model:
    return reader.parse(content)


def test_tensors_are_read_with_their_numbers(model: Model) -> None:
    x, kernel, bias, y, z, behind = model.main.tensors
    assert [tensor.name for tensor in (x, kernel, bias, y, z, behind)] == ["x", "kernel", "bias", "y", "z", "behind"]
    assert (x.shape, x.shape_signature, x.type, x.dtype) == ((1, 4), (-1, 4), "int8", np.dtype(np.int8))
    assert y.quantization == Quantization.single(0.25, -7)
    assert kernel.quantization == Quantization((0.5, 0.25, 0.125), (0, 0, 0), axis=0)
    assert bias.quantization is None
    assert np.array_equal(kernel.data if kernel.data is not None else [], np.arange(12).reshape(3, 4))
    assert bias.data is not None
    assert (bias.data.dtype.name, bias.data.tolist()) == ("int32", [1, -2, 3])
    assert x.data is None


def test_a_constant_behind_the_tables_is_read(model: Model) -> None:
    behind = model.main.tensors[-1]
    assert behind.data is not None
    assert behind.data.tolist() == list(range(16))


def test_operators_are_read_with_their_options(model: Model) -> None:
    dense, sigmoid = model.main.operators
    assert (str(dense), dense.activation, dense.custom) == ("FULLY_CONNECTED y", "RELU", "")
    assert [tensor.name for tensor in dense.inputs if tensor] == ["x", "kernel", "bias"]
    assert (str(sigmoid), sigmoid.activation, sigmoid.options) == ("LOGISTIC z", "NONE", None)
    assert model.main.writer_of[sigmoid.outputs[0].number] is sigmoid
    assert [tensor.name for tensor in model.main.computed()] == ["y", "z"]


def test_names_from_outside_and_metadata_are_read(model: Model) -> None:
    (signature,) = model.signatures
    assert (signature.key, signature.subgraph) == ("serving_default", 0)
    assert {name: tensor.name for name, tensor in signature.inputs.items()} == {"in": "x"}
    assert {name: tensor.name for name, tensor in signature.outputs.items()} == {"out": "z"}
    assert (model.main.inputs[0].name, model.main.outputs[0].name, model.main.name) == ("x", "z", "main")
    assert (model.description, model.metadata["note"].tolist()) == ("of a test", list(range(12)))


@pytest.mark.parametrize("pattern", ["quantized/quantized.tflite", "vela/*/compiled.tflite"])
def test_real_files_are_read_as_litert_reads_them(template: Path, pattern: str) -> None:
    (path,) = (template / "build" / "tiny").glob(pattern)
    same_as_litert(path.read_bytes())


def test_what_is_written_for_the_test_is_read_as_litert_reads_it(content: bytes) -> None:
    same_as_litert(content)


def same_as_litert(content: bytes) -> None:
    """Compare all that is read with LiteRT's own classes."""
    ours, theirs = reader.parse(content), schema.ModelT.InitFromPackedBuf(content, 0)
    for graph, other in zip(ours.subgraphs, theirs.subgraphs, strict=True):
        for tensor, their in zip(graph.tensors, other.tensors, strict=True):
            assert (tensor.name, tensor.buffer) == (their.name.decode(), their.buffer)
            assert tensor.type == {number: name for name, number in vars(schema.TensorType).items()}[their.type].lower()
            assert tensor.shape == listed(their.shape)
            assert tensor.shape_signature == listed(their.shapeSignature)
            scales = listed(their.quantization and their.quantization.scale)
            assert (tensor.quantization.scales if tensor.quantization else ()) == scales
            zero_points = listed(their.quantization and their.quantization.zeroPoint)
            assert (tensor.quantization.zero_points if tensor.quantization else ()) == zero_points * bool(scales)
            buffer = theirs.buffers[their.buffer]
            inside = bytes(np.asarray([] if buffer.data is None else buffer.data, np.uint8))
            assert bytes(tensor.content) == (inside or content[buffer.offset : buffer.offset + buffer.size])
        for operator, their in zip(graph.operators, other.operators or [], strict=True):
            assert tuple(-1 if tensor is None else tensor.number for tensor in operator.inputs) == listed(their.inputs)
            assert tuple(tensor.number for tensor in operator.outputs) == listed(their.outputs)
            assert operator.kind == kind_of(theirs.operatorCodes[their.opcodeIndex])
            assert repr(vars(operator.options) if operator.options else None) == repr(
                vars(their.builtinOptions) if their.builtinOptions else None
            )
        assert tuple(tensor.number for tensor in graph.inputs) == listed(other.inputs)
        assert tuple(tensor.number for tensor in graph.outputs) == listed(other.outputs)


def listed(numbers: Any) -> tuple[Any, ...]:
    return () if numbers is None else tuple(np.asarray(numbers).tolist())


def kind_of(code: Any) -> str:
    kinds: dict[int, str] = {number: name for name, number in vars(schema.BuiltinOperator).items()}
    return kinds[max(code.builtinCode, code.deprecatedBuiltinCode)]


def test_a_kind_of_operator_from_before_2020_is_known_by_the_older_field() -> None:
    model = chain()
    model.operatorCodes[0].builtinCode = 0
    assert reader.parse(packed(model)).main.operators[0].kind == "LOGISTIC"


def test_kinds_and_types_that_came_later_are_named_by_number() -> None:
    model = chain()
    model.operatorCodes[0].builtinCode = 9999
    model.subgraphs[0].tensors[1].type = 99
    (operator,) = reader.parse(packed(model)).main.operators
    assert (operator.kind, operator.outputs[0].type) == ("operator 9999", "type 99")
    with pytest.raises(TfliteError, match="tensor value_1 is of type type 99, whose numbers can't be read"):
        _ = operator.outputs[0].dtype


def test_a_custom_operator_has_its_name() -> None:
    model = chain()
    model.operatorCodes[0].builtinCode = model.operatorCodes[0].deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    model.operatorCodes[0].customCode = "ethos-u"
    (operator,) = reader.parse(packed(model)).main.operators
    assert (operator.kind, operator.custom) == ("CUSTOM", "ethos-u")


def test_constants_can_be_changed_in_a_bytearray_and_in_nothing_else(content: bytes) -> None:
    memory = bytearray(content)
    data = reader.parse(memory).main.tensors[1].data
    assert data is not None
    data[:] = 7
    again = reader.parse(bytes(memory)).main.tensors[1].data
    assert again is not None
    assert (again == 7).all()
    assert not again.flags.writeable


def test_a_constant_that_does_not_fill_its_shape_is_refused(content: bytes) -> None:
    model: Any = schema.ModelT.InitFromPackedBuf(content, 0)
    model.subgraphs[0].tensors[1].shape = [5, 4]
    with pytest.raises(TfliteError, match=r"tensor kernel has 12 bytes, its shape \(5, 4\) needs 20"):
        _ = reader.parse(packed(model)[: len(content)] + bytes(64)).main.tensors[1].data


@pytest.mark.parametrize("foreign", [b"", b"TFL3", b"PK\3\4, a zip", b"\0" * 100])
def test_a_file_of_another_kind_is_refused_by_name(foreign: bytes, tmp_path: Path) -> None:
    path = tmp_path / "mine.tflite"
    path.write_bytes(foreign)
    with pytest.raises(ForeignError, match=r"mine\.tflite is no TensorFlow Lite model \(bytes 4 to 7 are b'"):
        reader.read(path)


def test_a_file_cut_off_anywhere_is_refused(content: bytes) -> None:
    for end in range(8, len(content)):
        with pytest.raises(TfliteError, match="the model is truncated or damaged: "):
            reader.parse(content[:end])


def _reads_nothing(model: Any) -> None:
    model.subgraphs[0].operators[1].inputs = [77]


def _writes_nothing(model: Any) -> None:
    model.subgraphs[0].operators[0].outputs = [-2]


def _has_no_kind(model: Any) -> None:
    model.subgraphs[0].operators[0].opcodeIndex = 5


def _has_no_buffer(model: Any) -> None:
    model.subgraphs[0].tensors[1].buffer = 99


def _has_no_graph(model: Any) -> None:
    model.subgraphs = []


def _is_given_nothing(model: Any) -> None:
    model.subgraphs[0].inputs = [-1]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_reads_nothing, "it names tensor 77, of 3"),
        (_writes_nothing, "it names tensor -2, of 3"),
        (_has_no_kind, "it names kind of operator 5, of 1"),
        (_has_no_buffer, "it names buffer 99, of 1"),
        (_has_no_graph, "it has no subgraph"),
        (_is_given_nothing, "it names tensor -1, of 3"),
    ],
)
def test_what_is_named_by_number_has_to_be_there(spoil: Callable[[Any], None], reason: str) -> None:
    model = chain(2)
    spoil(model)
    with pytest.raises(TfliteError, match=f"the model is truncated or damaged: {reason}"):
        reader.parse(packed(model))


def test_flipped_and_cut_files_are_models_or_end_in_a_sentence(content: bytes) -> None:
    random = np.random.default_rng(0)
    read = 0
    for number in range(2000):
        damaged = bytearray(content)
        for place in random.integers(8, len(damaged), random.integers(1, 4)):
            damaged[place] = random.integers(256) if number % 2 else damaged[place] ^ 1 << int(random.integers(8))
        if number % 5 == 0:
            damaged = damaged[: random.integers(8, len(damaged))]
        read += is_read(bytes(damaged))
    assert 200 < read < 2000


def test_noise_is_read_as_a_model_or_ends_in_a_sentence() -> None:
    random = np.random.default_rng(1)
    for size in (0, 1, 50, 400):
        for _ in range(100):
            is_read(struct.pack("<I4s", random.integers(size + 9), b"TFL3") + random.bytes(size))


def is_read(content: bytes) -> bool:
    """Tell whether a file is read, and look at all that is in it."""
    try:
        model = reader.parse(content)
        for operator in model.operators():
            assert operator.activation
            assert str(operator)
        for tensor in model.main.tensors:
            _ = tensor.data
    except TfliteError as error:
        assert str(error)  # noqa: PT017 - some damage is harmless
        return False
    return True


def test_a_small_file_that_unfolds_into_a_large_one_is_refused() -> None:
    """A thousand operators that all read the one list of ten thousand inputs: hostile, as no writer does that."""
    builder = flatbuffers.Builder()
    inputs = builder.CreateNumpyVector(np.zeros(10_000, np.int32))
    schema.OperatorStart(builder)
    schema.OperatorAddInputs(builder, inputs)
    operator = schema.OperatorEnd(builder)
    schema.TensorStart(builder)
    tensors = vector(builder, [schema.TensorEnd(builder)])
    operators = vector(builder, [operator] * 1000)
    schema.SubGraphStart(builder)
    schema.SubGraphAddTensors(builder, tensors)
    schema.SubGraphAddOperators(builder, operators)
    graphs = vector(builder, [schema.SubGraphEnd(builder)])
    schema.BufferStart(builder)
    buffers = vector(builder, [schema.BufferEnd(builder)])
    schema.OperatorCodeStart(builder)
    codes = vector(builder, [schema.OperatorCodeEnd(builder)])
    schema.ModelStart(builder)
    for add, offset in (
        (schema.ModelAddSubgraphs, graphs),
        (schema.ModelAddBuffers, buffers),
        (schema.ModelAddOperatorCodes, codes),
    ):
        add(builder, offset)
    builder.Finish(schema.ModelEnd(builder), b"TFL3")
    with pytest.raises(TfliteError, match="its lists have more than 8 times the bytes of the whole file"):
        reader.parse(bytes(builder.Output()))


def vector(builder: Any, offsets: list[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())
