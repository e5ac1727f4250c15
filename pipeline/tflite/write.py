"""Write a ``.tflite`` file: tensor by tensor, or a whole model of the schema's own classes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from pipeline.tflite.model import OPTIONAL
from pipeline.tflite.names import TYPES
from pipeline.tflite.quantization import Quantization

SCHEMA_VERSION = 3
SIGNATURE = "serving_default"
_TYPE_NUMBERS = {name: number for number, name in TYPES.items()}


def packed(model: schema.ModelT) -> bytes:
    """Return the content of a model's file."""
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


class Writer:
    """A file of one subgraph under construction. Tensors are known by their numbers."""

    def __init__(self) -> None:
        """Begin with nothing; buffer 0 is empty, as the format wants it."""
        self._tensors: list[schema.TensorT] = []
        self._buffers = [schema.BufferT()]
        self._operators: list[schema.OperatorT] = []
        self._kinds: dict[str, int] = {}
        self._constants: dict[tuple[str, str, tuple[int, ...], bytes], int] = {}

    def tensor(
        self,
        name: str,
        shape: Sequence[int],
        dtype: npt.DTypeLike = np.float32,
        quantization: Quantization | None = None,
    ) -> int:
        """Add a tensor that is given from outside or computed; return its number."""
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = name, list(shape), 0
        tensor.type = _TYPE_NUMBERS[np.dtype(dtype).name]
        if quantization is not None:
            tensor.quantization = _quantization(quantization)
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def constant(self, name: str, value: npt.NDArray[Any], quantization: Quantization | None = None) -> int:
        """Add a constant, or find the one of this name, type, shape and content; return its number."""
        content = value.tobytes()
        key = (name, value.dtype.str, value.shape, content)
        if key not in self._constants:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(content, np.uint8)
            self._buffers.append(buffer)
            self._constants[key] = self.tensor(name, value.shape, value.dtype, quantization)
            self._tensors[-1].buffer = len(self._buffers) - 1
        return self._constants[key]

    def operator(
        self, kind: str, inputs: Sequence[int | None], outputs: Sequence[int], options: object | None = None
    ) -> None:
        """Add an operator.

        Args:
            kind: the format's name for it: ``FULLY_CONNECTED``, ``ADD``, ...
            inputs: numbers of tensors; None for an optional one that it goes without.
            outputs: numbers of tensors.
            options: the schema's options for it: ``FullyConnectedOptionsT()``, ...; None if it has none.

        """
        operator = schema.OperatorT()
        operator.opcodeIndex = self._kinds.setdefault(kind, len(self._kinds))
        operator.inputs = [OPTIONAL if number is None else number for number in inputs]
        operator.outputs = list(outputs)
        operator.builtinOptions, operator.builtinOptionsType = options, _options_kind(options)
        self._operators.append(operator)

    def finished(self, inputs: Mapping[str, int], outputs: Mapping[str, int], description: str) -> bytes:
        """Return the file's content; inputs and outputs are known outside by these names (one signature)."""
        graph = schema.SubGraphT()
        graph.name = "main"
        graph.tensors, graph.operators = self._tensors, self._operators
        graph.inputs, graph.outputs = list(inputs.values()), list(outputs.values())
        signature = schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = SIGNATURE, 0
        signature.inputs, signature.outputs = named(inputs), named(outputs)
        model = schema.ModelT()
        model.version, model.description = SCHEMA_VERSION, description
        model.subgraphs, model.buffers, model.signatureDefs = [graph], self._buffers, [signature]
        model.operatorCodes = [_code(kind) for kind in self._kinds]
        return packed(model)


def _quantization(quantization: Quantization) -> schema.QuantizationParametersT:
    parameters = schema.QuantizationParametersT()
    parameters.scale = np.array(quantization.scales, np.float32)
    parameters.zeroPoint = np.array(quantization.zero_points, np.int64)
    parameters.quantizedDimension = quantization.axis
    return parameters


def _options_kind(options: object | None) -> int:
    """Return the number of a kind of options; their class is called by its name and a T."""
    if options is None:
        return int(schema.BuiltinOptions.NONE)
    return int(getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T")))


def named(tensors: Mapping[str, int]) -> list[schema.TensorMapT]:
    """Return a signature's entries: by which name each tensor is known outside."""
    entries = []
    for name, number in tensors.items():
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = name, number
        entries.append(entry)
    return entries


def _code(kind: str) -> schema.OperatorCodeT:
    number = getattr(schema.BuiltinOperator, kind)
    code = schema.OperatorCodeT()
    code.builtinCode = number
    code.deprecatedBuiltinCode = min(number, schema.BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES)
    code.version = 1
    return code
