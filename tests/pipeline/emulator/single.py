"""Models of one quantized operator, and what TensorFlow Lite Micro's kernels make of every input."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema
from tflite_micro import runtime

EVERY = np.arange(-128, 128).astype(np.int8)
TYPES = {np.dtype(np.int8): schema.TensorType.INT8, np.dtype(np.int32): schema.TensorType.INT32}


@dataclass(frozen=True)
class Stored:
    """How a tensor is stored, and its content if it is constant."""

    scale: float
    zero_point: int = 0
    data: npt.NDArray[Any] | None = None
    scales: Sequence[float] = ()
    """By channel, instead of the one."""


def model(  # noqa: PLR0913 - what makes a model another one
    kind: str,
    inputs: Sequence[Stored],
    output: Stored,
    shapes: Sequence[tuple[int, ...]],
    options: Any = None,
    *,
    channel_axis: int = 0,
) -> bytes:
    """Write a model of one operator; the last of ``shapes`` is the output's, ``channel_axis`` that of ``scales``."""
    tensors, buffers = [], [schema.BufferT()]
    for number, (stored, shape) in enumerate(zip([*inputs, output], shapes, strict=True)):
        tensor = schema.TensorT()
        tensor.name = "output" if number == len(inputs) else f"input_{number}"
        tensor.shape = list(shape)
        tensor.type = TYPES[stored.data.dtype] if stored.data is not None else schema.TensorType.INT8
        tensor.quantization = schema.QuantizationParametersT()
        scales = np.asarray(stored.scales or [stored.scale], np.float32)
        tensor.quantization.scale = scales
        tensor.quantization.zeroPoint = np.full(scales.size, stored.zero_point, np.int64)
        tensor.quantization.quantizedDimension = channel_axis if len(shape) > channel_axis else 0
        if stored.data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(stored.data.tobytes(), np.uint8)
            buffers.append(buffer)
            tensor.buffer = len(buffers) - 1
        tensors.append(tensor)
    operator = schema.OperatorT()
    operator.inputs, operator.outputs = list(range(len(inputs))), [len(inputs)]
    if options is not None:
        operator.builtinOptions = options
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, kind)
    code.deprecatedBuiltinCode, code.version = code.builtinCode, 1
    graph = schema.SubGraphT()
    graph.tensors, graph.operators = tensors, [operator]
    graph.inputs = [number for number, stored in enumerate(inputs) if stored.data is None]
    graph.outputs = [len(inputs)]
    written = schema.ModelT()
    written.version, written.subgraphs, written.buffers, written.operatorCodes = 3, [graph], buffers, [code]
    builder = flatbuffers.Builder()
    builder.Finish(written.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def run(content: bytes, *inputs: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Run a model with TensorFlow Lite Micro's reference kernels."""
    interpreter = runtime.Interpreter.from_bytes(content, arena_size=1 << 19)
    for place, value in enumerate(inputs):
        interpreter.set_input(value, place)
    interpreter.invoke()
    found: npt.NDArray[Any] = interpreter.get_output(0)
    return found


def binary(kind: str, a: Stored, b: Stored, output: Stored, activation: str = "NONE") -> bytes:
    """Write a model of an operator of two inputs that gets every pair of numbers."""
    options = {"ADD": schema.AddOptionsT, "SUB": schema.SubOptionsT, "MUL": schema.MulOptionsT}[kind]()
    options.fusedActivationFunction = getattr(schema.ActivationFunctionType, activation)
    return model(kind, (a, b), output, [(65536,)] * 3, options)


def pairs(content: bytes) -> npt.NDArray[np.int8]:
    """Return what a model of two inputs makes of every pair, (256, 256)."""
    a, b = np.meshgrid(EVERY, EVERY, indexing="ij")
    return run(content, a.ravel(), b.ravel()).reshape(256, 256)
