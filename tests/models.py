"""Models written operator by operator, in no time: what TFLiteConverter would not make, or would take long for."""

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

IDENTIFIER = b"TFL3"
WIDTH = 16
INT8, INT32, FLOAT32 = schema.TensorType.INT8, schema.TensorType.INT32, schema.TensorType.FLOAT32


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


class Drawn:
    """A model of any graphs, drawn operator by operator; ``model`` is what ``packed`` takes."""

    def __init__(self) -> None:
        """Begin with no graph."""
        self.model: Any = schema.ModelT()
        self.model.version, self.model.subgraphs, self.model.operatorCodes = 3, [], []
        self.model.buffers = [schema.BufferT()]

    def graph(self, name: str) -> "DrawnGraph":
        """Add an empty graph."""
        graph: Any = schema.SubGraphT()
        graph.name, graph.tensors, graph.operators, graph.inputs, graph.outputs = name, [], [], [], []
        self.model.subgraphs.append(graph)
        return DrawnGraph(self.model, graph)


class DrawnGraph:
    """One graph of it; tensors go by their numbers."""

    def __init__(self, model: Any, graph: Any) -> None:
        """Draw on this graph."""
        self._model, self._graph = model, graph

    def tensor(self, name: str, shape: list[int], kind: int = INT8, constant: Any = None) -> int:
        """Add a tensor; what is int8 has a scale."""
        tensor: Any = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name, shape, kind, 0
        if kind == INT8:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale, tensor.quantization.zeroPoint = np.array([0.02], np.float32), np.array([0])
        if constant is not None:
            buffer: Any = schema.BufferT()
            buffer.data = np.frombuffer(constant.tobytes(), np.uint8)
            tensor.buffer = len(self._model.buffers)
            self._model.buffers.append(buffer)
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def input(self, name: str, width: int) -> int:
        """Add an input."""
        self._graph.inputs.append(self.tensor(name, [1, width]))
        return int(self._graph.inputs[-1])

    def operator(self, kind: str, inputs: list[int], output: int | None, options: Any = None) -> int:
        """Add an operator; return its output."""
        numbers = vars(schema.BuiltinOperator)
        code: Any = schema.OperatorCodeT()
        code.builtinCode, code.version = numbers[kind], 1
        code.deprecatedBuiltinCode = min(numbers[kind], numbers["PLACEHOLDER_FOR_GREATER_OP_CODES"])
        operator: Any = schema.OperatorT()
        operator.opcodeIndex, operator.inputs = len(self._model.operatorCodes), inputs
        operator.outputs = [] if output is None else [output]
        if options is not None:
            operator.builtinOptionsType = vars(schema.BuiltinOptions)[type(options).__name__.removesuffix("T")]
            operator.builtinOptions = options
        self._model.operatorCodes.append(code)
        self._graph.operators.append(operator)
        return -1 if output is None else output

    def dense(self, name: str, x: int, width: int) -> int:
        """Add a dense layer."""
        inputs = int(self._graph.tensors[x].shape[1])
        kernel = np.random.default_rng(width).integers(-127, 128, (width, inputs)).astype(np.int8)
        weights = self.tensor(f"{name}_kernel", [width, inputs], constant=kernel)
        options = schema.FullyConnectedOptionsT()
        return self.operator("FULLY_CONNECTED", [x, weights, -1], self.tensor(name, [1, width]), options)

    def sum_in_float(self, x: int, width: int) -> int:
        """Add a running sum in float, which no Ethos-U has: three operators for the CPU."""
        real = self.operator("DEQUANTIZE", [x], self.tensor("real", [1, width], FLOAT32))
        axis = self.tensor("axis", [], INT32, np.int32(1))
        summed = self.operator(
            "CUMSUM", [real, axis], self.tensor("summed", [1, width], FLOAT32), schema.CumsumOptionsT()
        )
        return self.operator("QUANTIZE", [summed], self.tensor("stored", [1, width]), schema.QuantizeOptionsT())

    def output(self, *tensors: int) -> None:
        """Make these the outputs."""
        self._graph.outputs += tensors


def two_signatures() -> Any:
    """Return ``collect``, whose running sum stays on the CPU, and ``decode``, which is all on the NPU."""
    drawn = Drawn()
    collect = drawn.graph("collect")
    collect.output(collect.sum_in_float(collect.dense("gathered", collect.input("samples", 16), 8), 8))
    decode = drawn.graph("decode")
    decode.output(decode.dense("decoded", decode.input("codes", 8), 4))
    return drawn.model


def with_a_variable() -> Any:
    """Return a model that adds its input to a variable, which a second graph sets once; then comes a running sum."""
    drawn = Drawn()
    main, once = drawn.graph("main"), drawn.graph("set_once")
    call: Any = schema.CallOnceOptionsT()
    call.initSubgraphIndex = 1
    main.operator("CALL_ONCE", [], None, call)
    before = main.operator(
        "READ_VARIABLE", [_variable(main)], main.tensor("before", [1, 8]), schema.ReadVariableOptionsT()
    )
    after = main.operator("ADD", [before, main.input("x", 8)], main.tensor("after", [1, 8]), schema.AddOptionsT())
    main.operator("ASSIGN_VARIABLE", [_variable(main), after], None, schema.AssignVariableOptionsT())
    main.output(main.sum_in_float(after, 8))
    zeros = once.tensor("zeros", [1, 8], constant=np.zeros((1, 8), np.int8))
    once.operator("ASSIGN_VARIABLE", [_variable(once), zeros], None, schema.AssignVariableOptionsT())
    return drawn.model


def _variable(graph: DrawnGraph) -> int:
    options: Any = schema.VarHandleOptionsT()
    options.sharedName = "kept"
    return graph.operator("VAR_HANDLE", [], graph.tensor("kept", [], schema.TensorType.RESOURCE), options)


def several_graphs(*sizes: tuple[int, int]) -> Any:
    """Return a model with a graph for every size, each a dense layer from so many to so many values."""
    drawn = Drawn()
    for number, (inputs, outputs) in enumerate(sizes):
        graph = drawn.graph(f"graph_{number}")
        graph.output(graph.dense(f"dense_{inputs}_{outputs}", graph.input("x", inputs), outputs))
    return drawn.model
