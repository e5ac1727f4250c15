"""Writes a ``.tflite`` file operation by operation, so that every tensor keeps the name it was given.

TFLiteConverter would do, were it not for its freedom: it renames tensors when it fuses and folds,
and a tensor that is not recognized by its role has no range. The format's classes are LiteRT's.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

Array = npt.NDArray[np.float32] | npt.NDArray[np.int32]

SCHEMA_VERSION = 3
IDENTIFIER = b"TFL3"
SIGNATURE = "serving_default"
_TYPES: dict[np.dtype[Any], int] = {
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.int32): schema.TensorType.INT32,
}


class Tensor:
    """A tensor of the graph that is being written: its number and its shape."""

    def __init__(self, number: int, name: str, shape: tuple[int, ...]) -> None:
        """Remember what later operations ask for."""
        self.number = number
        self.name = name
        self.shape = shape


class Writer:
    """A graph under construction; every method adds one operation and returns its output.

    All activations are float32 of shape (rows, columns).
    """

    def __init__(self) -> None:
        """Begin with nothing; buffer 0 is empty, as the format wants it."""
        self._tensors: list[schema.TensorT] = []
        self._buffers = [schema.BufferT()]
        self._operators: list[schema.OperatorT] = []
        self._codes: dict[int, int] = {}
        self._constants: dict[tuple[str, bytes], Tensor] = {}

    def input(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """Add a tensor that is given from outside."""
        return self._tensor(name, shape)

    def constant(self, name: str, value: Array) -> Tensor:
        """Add a constant, or return the one that has this name and content already."""
        key = (name, value.tobytes())
        if key not in self._constants:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(value.tobytes(), np.uint8)
            self._buffers.append(buffer)
            self._constants[key] = self._tensor(name, value.shape, value.dtype, len(self._buffers) - 1)
        return self._constants[key]

    def fully_connected(
        self, name: str, x: Tensor, kernel: npt.NDArray[np.float32], bias: npt.NDArray[np.float32] | None, source: str
    ) -> Tensor:
        """Add ``x @ kernel + bias``; x (rows, k), kernel (k, n), bias (n,); ``source`` names the constants."""
        weights = self.constant(f"{source}/kernel", np.ascontiguousarray(kernel.T, np.float32))
        inputs = [x.number, weights.number]
        if bias is not None:
            inputs.append(self.constant(f"{source}/bias", np.ascontiguousarray(bias, np.float32)).number)
        else:
            inputs.append(-1)
        out = self._tensor(name, (x.shape[0], kernel.shape[1]))
        self._operator(
            schema.BuiltinOperator.FULLY_CONNECTED,
            inputs,
            out,
            schema.BuiltinOptions.FullyConnectedOptions,
            schema.FullyConnectedOptionsT(),
        )
        return out

    def slice(self, name: str, x: Tensor, rows: tuple[int, int], columns: tuple[int, int]) -> Tensor:
        """Add ``x[rows[0]:rows[1], columns[0]:columns[1]]``; of everything, nothing is added."""
        shape = (rows[1] - rows[0], columns[1] - columns[0])
        if shape == x.shape:
            return x
        begin, end, strides = (
            self.constant(f"slice/{what}_{value[0]}_{value[1]}", np.array(value, np.int32)).number
            for what, value in (
                ("begin", (rows[0], columns[0])),
                ("end", (rows[1], columns[1])),
                ("strides", (1, 1)),
            )
        )
        out = self._tensor(name, shape)
        self._operator(
            schema.BuiltinOperator.STRIDED_SLICE,
            [x.number, begin, end, strides],
            out,
            schema.BuiltinOptions.StridedSliceOptions,
            schema.StridedSliceOptionsT(),
        )
        return out

    def reshape(self, name: str, x: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Add the same numbers in another shape."""
        out = self._tensor(name, shape)
        options = schema.ReshapeOptionsT()
        options.newShape = list(shape)
        wanted = self.constant(f"{name}/shape", np.array(shape, np.int32))
        self._operator(
            schema.BuiltinOperator.RESHAPE,
            [x.number, wanted.number],
            out,
            schema.BuiltinOptions.ReshapeOptions,
            options,
        )
        return out

    def concatenation(self, name: str, rows: Sequence[Tensor]) -> Tensor:
        """Add the tensors one below the other."""
        out = self._tensor(name, (sum(x.shape[0] for x in rows), rows[0].shape[1]))
        self._operator(
            schema.BuiltinOperator.CONCATENATION,
            [x.number for x in rows],
            out,
            schema.BuiltinOptions.ConcatenationOptions,
            schema.ConcatenationOptionsT(),
        )
        return out

    def pack(self, name: str, parts: Sequence[Tensor]) -> Tensor:
        """Add tensors of one shape as the slices of a tensor with one axis more, which is the first."""
        out = self._tensor(name, (len(parts), *parts[0].shape))
        options = schema.PackOptionsT()
        options.valuesCount = len(parts)
        self._operator(
            schema.BuiltinOperator.PACK,
            [x.number for x in parts],
            out,
            schema.BuiltinOptions.PackOptions,
            options,
        )
        return out

    def add(self, name: str, a: Tensor, b: Tensor) -> Tensor:
        """Add ``a + b``."""
        return self._elementwise(
            name, (a, b), schema.BuiltinOperator.ADD, schema.BuiltinOptions.AddOptions, schema.AddOptionsT()
        )

    def subtract(self, name: str, a: Tensor, b: Tensor) -> Tensor:
        """Add ``a - b``."""
        return self._elementwise(
            name, (a, b), schema.BuiltinOperator.SUB, schema.BuiltinOptions.SubOptions, schema.SubOptionsT()
        )

    def multiply(self, name: str, a: Tensor, b: Tensor) -> Tensor:
        """Add ``a * b``, element by element."""
        return self._elementwise(
            name, (a, b), schema.BuiltinOperator.MUL, schema.BuiltinOptions.MulOptions, schema.MulOptionsT()
        )

    def sigmoid(self, name: str, x: Tensor) -> Tensor:
        """Add ``1 / (1 + exp(-x))``."""
        return self._elementwise(name, (x,), schema.BuiltinOperator.LOGISTIC)

    def tanh(self, name: str, x: Tensor) -> Tensor:
        """Add ``tanh(x)``."""
        return self._elementwise(name, (x,), schema.BuiltinOperator.TANH)

    def relu(self, name: str, x: Tensor) -> Tensor:
        """Add ``max(x, 0)``."""
        return self._elementwise(name, (x,), schema.BuiltinOperator.RELU)

    def softmax(self, name: str, x: Tensor) -> Tensor:
        """Add the softmax over each row."""
        options = schema.SoftmaxOptionsT()
        options.beta = 1.0
        return self._elementwise(
            name, (x,), schema.BuiltinOperator.SOFTMAX, schema.BuiltinOptions.SoftmaxOptions, options
        )

    def finished(self, inputs: Mapping[str, Tensor], outputs: Mapping[str, Tensor]) -> bytes:
        """Return the file; inputs and outputs are known outside by these names (one signature)."""
        graph = schema.SubGraphT()
        graph.name = "main"
        graph.tensors, graph.operators = self._tensors, self._operators
        graph.inputs = [tensor.number for tensor in inputs.values()]
        graph.outputs = [tensor.number for tensor in outputs.values()]
        signature = schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = SIGNATURE, 0
        signature.inputs, signature.outputs = _map(inputs), _map(outputs)
        model = schema.ModelT()
        model.version, model.description = SCHEMA_VERSION, "Unroll's deployment graph"
        model.subgraphs, model.buffers, model.signatureDefs = [graph], self._buffers, [signature]
        model.operatorCodes = [_code(builtin) for builtin in self._codes]
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(model.Pack(builder), IDENTIFIER)
        return bytes(builder.Output())

    def _elementwise(
        self,
        name: str,
        inputs: Sequence[Tensor],
        builtin: int,
        kind: int = schema.BuiltinOptions.NONE,
        options: object = None,
    ) -> Tensor:
        out = self._tensor(name, inputs[0].shape)
        self._operator(builtin, [x.number for x in inputs], out, kind, options)
        return out

    def _tensor(self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike = np.float32, buffer: int = 0) -> Tensor:
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = name, list(shape), buffer
        tensor.type = _TYPES[np.dtype(dtype)]
        self._tensors.append(tensor)
        return Tensor(len(self._tensors) - 1, name, shape)

    def _operator(self, builtin: int, inputs: list[int], out: Tensor, kind: int, options: object) -> None:
        operator = schema.OperatorT()
        operator.opcodeIndex = self._codes.setdefault(builtin, len(self._codes))
        operator.inputs, operator.outputs = inputs, [out.number]
        operator.builtinOptionsType, operator.builtinOptions = kind, options
        self._operators.append(operator)


def _map(tensors: Mapping[str, Tensor]) -> list[schema.TensorMapT]:
    found = []
    for name, tensor in tensors.items():
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = name, tensor.number
        found.append(entry)
    return found


def _code(builtin: int) -> schema.OperatorCodeT:
    code = schema.OperatorCodeT()
    code.builtinCode = builtin
    code.deprecatedBuiltinCode = min(builtin, schema.BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES)
    code.version = 1
    return code
