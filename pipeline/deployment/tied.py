"""Tied quantization: one scale and zero point for each layer's role, at every time step.

litert-quantizer does the quantizing; what it is told are the ranges. That every tensor got the
parameters of its role, and that nothing is left in float, is read back from the file.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from litert_quantizer import quantizer, recipe

from pipeline.deployment.names import parse
from pipeline.deployment.ranges import Range, RangeError
from pipeline.deployment.writer import IDENTIFIER

VIEWS = {
    schema.BuiltinOperator.RESHAPE,
    schema.BuiltinOperator.STRIDED_SLICE,
    schema.BuiltinOperator.CONCATENATION,
    schema.BuiltinOperator.PACK,
}
"""Operations whose output shows their input's numbers as they are."""


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """How a tie stores real numbers: real = scale * (stored - zero_point)."""

    scale: float
    zero_point: int


def ties(model: bytes) -> dict[str, str]:
    """Return the tie of every float activation of a deployment graph, by the tensor's name.

    Raises:
        RangeError: names a tensor without a role, or one that joins two ties.

    """
    loaded = schema.ModelT.InitFromPackedBuf(model, 0)
    graph = loaded.subgraphs[0]
    names = [tensor.name.decode() for tensor in graph.tensors]
    found = {int(number): _role(names[number]) for number in graph.inputs}
    for operator in graph.operators:
        out = int(operator.outputs[0])
        if loaded.operatorCodes[operator.opcodeIndex].builtinCode in VIEWS:
            shown = {found[number] for number in operator.inputs if number in found}
            if len(shown) != 1:
                message = f"tensor {names[out]} shows tensors of several roles: {', '.join(sorted(shown))}"
                raise RangeError(message)
            found[out] = shown.pop()
        else:
            found[out] = _role(names[out])
    return {names[number]: tie for number, tie in found.items()}


def _role(tensor: str) -> str:
    name = parse(tensor)
    if name is None:
        message = (
            f"tensor {tensor} has no role, so no range is known for it: this is a defect of the graph, please report it"
        )
        raise RangeError(message)
    return name.tie


def quantize(model: bytes, tie_of: Mapping[str, str], ranges: Mapping[str, Range], bits: int) -> bytes:
    """Quantize a float deployment graph: int8 weights by channel, int8 or int16 activations by tie.

    Raises:
        RangeError: names a tensor whose tie has no range.

    """
    statistics = {}
    for tensor, tie in tie_of.items():
        if tie not in ranges:
            message = f"tensor {tensor}: nothing is known of the range of {tie}"
            raise RangeError(message)
        statistics[tensor] = {
            "min": np.array([ranges[tie].low], np.float32),
            "max": np.array([ranges[tie].high], np.float32),
        }
    engine = quantizer.Quantizer(model)
    engine.load_quantization_recipe(recipe.static_wi8_ai8() if bits == 8 else recipe.static_wi8_ai16())  # noqa: PLR2004
    quantized = engine.quantize(statistics, enable_progress_bar=False, enable_progress_report=False).quantized_model
    return _packed(bytes(quantized))


def _packed(model: bytes) -> bytes:
    """Write a quantized model anew: without idle quantizing, and with every constant inside the flatbuffer."""
    loaded = schema.ModelT.InitFromPackedBuf(model, 0)
    _drop_idle_quantizing(loaded)
    _take_constants_in(loaded, model)
    builder = flatbuffers.Builder(len(model))
    builder.Finish(loaded.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def _drop_idle_quantizing(loaded: schema.ModelT) -> None:
    """Drop every QUANTIZE between two tensors that are stored alike.

    litert-quantizer puts one between a tanh and a concatenation. Of a graph's output, the signature
    then names what was an output before, and LiteRT has overwritten it when it is read.
    """
    graph = loaded.subgraphs[0]
    same: dict[int, int] = {}
    kept = []
    for operator in graph.operators:
        operator.inputs = [same.get(int(number), int(number)) for number in operator.inputs]
        into, out = operator.inputs[0], int(operator.outputs[0])
        idle = loaded.operatorCodes[operator.opcodeIndex].builtinCode == schema.BuiltinOperator.QUANTIZE
        if idle and _stored(graph.tensors[into]) == _stored(graph.tensors[out]):
            same[out] = into
        else:
            kept.append(operator)
    graph.operators = kept
    graph.outputs = [same.get(int(number), int(number)) for number in graph.outputs]


def _take_constants_in(loaded: schema.ModelT, model: bytes) -> None:
    """Move constants that lie behind the flatbuffer into it.

    litert-quantizer puts some of a larger model there. TensorFlow Lite Micro does not look there, takes them for
    empty, and computes with zeros, without a word.
    """
    for buffer in loaded.buffers:
        if buffer.offset > 1:  # 0 and 1 mean that there is none
            buffer.data = np.frombuffer(model, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0


def _stored(tensor: schema.TensorT) -> tuple[int, list[float], list[int]]:
    quantization = tensor.quantization
    return tensor.type, list(quantization.scale), list(quantization.zeroPoint)


def parameters(quantized: bytes, tie_of: Mapping[str, str], known: Mapping[str, Parameters]) -> dict[str, Parameters]:
    """Read back which scale and zero point each tie has.

    Args:
        quantized: the file.
        tie_of: tensor -> tie, of the float graph.
        known: what other forms of the same graph have, which must be the same.

    Raises:
        RangeError: names a tensor that is not stored as the others of its tie, or that is gone.

    """
    found = dict(known)
    tensors = {
        tensor.name.decode(): tensor for tensor in schema.ModelT.InitFromPackedBuf(quantized, 0).subgraphs[0].tensors
    }
    for name, tie in tie_of.items():
        quantization = tensors[name].quantization if name in tensors else None
        if quantization is None or quantization.scale is None or len(quantization.scale) != 1:
            message = (
                f"tensor {name} has no scale of its own in the quantized model: this is a defect, please report it"
            )
            raise RangeError(message)
        has = Parameters(scale=float(quantization.scale[0]), zero_point=int(quantization.zeroPoint[0]))
        if found.setdefault(tie, has) != has:
            message = f"tensor {name} has scale {has.scale}, zero point {has.zero_point}; others of {tie}: {found[tie]}"
            raise RangeError(message)
    return found
