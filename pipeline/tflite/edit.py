"""Change a ``.tflite`` file: content in, content out, as LiteRT's own classes write it."""

from collections.abc import Callable
from typing import Any

import numpy as np
from ai_edge_litert.tools import flatbuffer_utils

from pipeline.tflite import reader
from pipeline.tflite.errors import TfliteError
from pipeline.tflite.model import Operator
from pipeline.tflite.write import named, packed


def with_every_tensor_put_out(content: bytes) -> tuple[bytes, list[int]]:
    """Return a model with all that its first graph computes among its outputs: else no interpreter shows all of it.

    Signatures stay as they are.

    Returns:
        The changed content, and the numbers of the tensors in the order in which they are put out.

    Raises:
        TfliteError: it is no whole model.

    """
    graph = reader.parse(content).main
    outputs = [tensor.number for tensor in graph.outputs]
    hidden = [tensor.number for tensor in graph.computed() if tensor.number not in set(outputs)]

    def change(model: Any) -> None:
        model.subgraphs[0].outputs = outputs + hidden

    return _changed(content, change), outputs + hidden


def with_an_output_more(content: bytes, tensor: int, name: str) -> bytes:
    """Return a model that also puts out a tensor of its first graph, under a name in every signature of that graph.

    Raises:
        TfliteError: it is no whole model, or has no such tensor.

    """
    tensors = len(reader.parse(content).main.tensors)
    if not 0 <= tensor < tensors:
        message = f"the model has {tensors} tensors, no number {tensor}"
        raise TfliteError(message)

    def change(model: Any) -> None:
        model.subgraphs[0].outputs = [*model.subgraphs[0].outputs, tensor]
        for signature in model.signatureDefs or []:
            if signature.subgraphIndex == 0:
                signature.outputs = [*signature.outputs, *named({name: tensor})]

    return _changed(content, change)


def without_idle_quantizing(content: bytes) -> bytes:
    """Return a model without any QUANTIZE between two tensors that are stored alike.

    litert-quantizer puts one between a tanh and a concatenation. Of a graph's output, the signature
    then names what was an output before, and LiteRT has overwritten it when it is read.

    Constants that lie behind the tables are taken in: litert-quantizer puts some of a larger model there. TensorFlow
    Lite Micro does not look there, takes them for empty, and computes with zeros, without a word.

    Raises:
        TfliteError: it is no whole model.

    """
    same: dict[int, int] = {}
    kept = []
    for operator in reader.parse(content).main.operators:
        if _is_idle(operator) and operator.inputs[0] is not None:
            into = operator.inputs[0].number
            same[operator.outputs[0].number] = same.get(into, into)
        else:
            kept.append(operator.index)

    def change(model: Any) -> None:
        graph = model.subgraphs[0]
        graph.operators = [graph.operators[index] for index in kept]
        for operator in graph.operators:
            operator.inputs = [same.get(number, number) for number in operator.inputs]
        graph.outputs = [same.get(number, number) for number in graph.outputs]
        for signature in model.signatureDefs or []:
            for entry in signature.outputs if signature.subgraphIndex == 0 else []:
                entry.tensorIndex = same.get(entry.tensorIndex, entry.tensorIndex)

    return _changed(content, change)


def _is_idle(operator: Operator) -> bool:
    if operator.kind != "QUANTIZE" or not operator.outputs or not operator.inputs or operator.inputs[0] is None:
        return False
    return operator.inputs[0].is_stored_as(operator.outputs[0])


def _changed(content: bytes, change: Callable[[Any], None]) -> bytes:
    """Change a model as the schema's own objects, with every constant inside."""
    try:
        model = flatbuffer_utils.read_model_from_bytearray(np.frombuffer(content, np.uint8))
        change(model)
        return packed(model)
    except Exception as error:  # noqa: BLE001 - the library checks nothing, and stumbles over anything
        message = f"the model can't be written anew: something in it is missing or damaged ({type(error).__name__})"
        raise TfliteError(message) from None
