"""What is in a model: whether it is whole, what it computes in, what calls what."""

import math
from collections.abc import Iterator, Mapping

from pipeline.tflite.model import DYNAMIC, Model, Tensor

CALLERS = ("WHILE", "IF", "CALL_ONCE")
"""Kinds of operators that call other graphs."""


def check_options(model: Model) -> None:
    """Take the options of every operator apart, which reading leaves packed.

    Raises:
        TfliteError: names the first operator whose options are damaged.

    """
    for operator in model.operators():
        _ = operator.options


def computed(model: Model) -> Iterator[Tensor]:
    """Yield the tensors that operators compute, graph by graph."""
    for graph in model.subgraphs:
        yield from graph.computed()


def first_bad_scale(model: Model) -> tuple[Tensor, float] | None:
    """Return a tensor with a scale that is not above 0, infinite or not a number, and that scale; None without one."""
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            for scale in tensor.quantization.scales if tensor.quantization and not tensor.is_float else ():
                if not (math.isfinite(scale) and scale > 0):
                    return tensor, scale
    return None


def callers(model: Model) -> set[str]:
    """Return the kinds of operators in it that call other graphs."""
    return {operator.kind for operator in model.operators()} & set(CALLERS)


def dynamic_inputs(model: Model) -> list[Tensor]:
    """Return the inputs of which a dimension is only known at run time."""
    return [tensor for tensor in model.main.inputs if DYNAMIC in tensor.shape_signature]


def ports(model: Model) -> tuple[Mapping[str, Tensor], Mapping[str, Tensor]]:
    """Return inputs and outputs by the names of the first signature, of a model without one by the tensors' names."""
    if model.signatures:
        return model.signatures[0].inputs, model.signatures[0].outputs
    inputs, outputs = (
        {str(tensor): tensor for tensor in tensors} for tensors in (model.main.inputs, model.main.outputs)
    )
    return inputs, outputs
