"""Models written operator by operator, in no time: what TFLiteConverter would not make, or would take long for."""

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

IDENTIFIER = b"TFL3"
WIDTH = 16


def chain(operators: int = 1, *, scale: float = 1 / 256) -> Any:
    """Return an int8 model of so many sigmoids, one after the other; ``packed`` makes it a file's content."""
    graph: Any = schema.SubGraphT()
    graph.tensors = [_tensor(f"value_{number}", scale) for number in range(operators + 1)]
    graph.operators = [_sigmoid(number) for number in range(operators)]
    graph.inputs, graph.outputs = [0], [operators]
    code: Any = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.LOGISTIC
    code.version = 1
    model: Any = schema.ModelT()
    model.version = 3
    model.subgraphs, model.operatorCodes, model.buffers = [graph], [code], [schema.BufferT()]
    return model


def _tensor(name: str, scale: float) -> Any:
    tensor: Any = schema.TensorT()
    tensor.name, tensor.shape, tensor.type, tensor.buffer = name, [1, WIDTH], schema.TensorType.INT8, 0
    tensor.quantization = schema.QuantizationParametersT()
    tensor.quantization.scale = np.array([scale], np.float32)
    tensor.quantization.zeroPoint = np.array([-128], np.int64)
    return tensor


def _sigmoid(number: int) -> Any:
    operator: Any = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, [number], [number + 1]
    return operator


def packed(model: Any) -> bytes:
    """Return the content of a model's file."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())
