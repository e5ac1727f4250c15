"""The int8 weight matrices of a ``.tflite`` file, and whether a matrix is among them."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from pipeline.compression.codes import Codes

INT8 = 9
"""Of the file format's ``TensorType``."""
WEIGHTS_INPUT = 1
"""The place of the weights among an operator's inputs."""


def matrices(model: Any, content: bytearray) -> Iterator[Codes]:
    """Yield the weights of every operator once, (channels, ...), as they lie in the file.

    An elementwise operator's constant in the same place counts, too; it has one channel.

    Args:
        model: the root table of the file, by whichever library's classes.
        content: the file; what is changed in an array is changed in it.

    """
    seen = set()
    for number in range(model.SubgraphsLength()):
        graph = model.Subgraphs(number)
        for index in range(graph.OperatorsLength()):
            operator = graph.Operators(index)
            if operator.InputsLength() <= WEIGHTS_INPUT or operator.Inputs(WEIGHTS_INPUT) < 0:
                continue
            tensor = graph.Tensors(operator.Inputs(WEIGHTS_INPUT))
            if tensor.Type() == INT8 and tensor.ShapeLength() > 1 and tensor.Buffer() not in seen:
                seen.add(tensor.Buffer())
                codes = _data(content, model.Buffers(tensor.Buffer()))
                if codes.size:
                    yield codes.reshape(tensor.ShapeAsNumpy())


def _data(content: bytearray, buffer: Any) -> Codes:
    """Return the numbers of a buffer, which may lie behind the tables."""
    if buffer.DataLength():
        inside: Codes = buffer.DataAsNumpy().view(np.int8)
        return inside
    return np.frombuffer(memoryview(content)[buffer.Offset() :][: buffer.Size()], np.int8)


def changed_channels(codes: Codes, found: Iterable[Codes]) -> int:
    """Count the channels of a matrix (k, n) that none of these matrices (channels, k) holds code for code.

    Channels may stand in another order, and in several matrices: gates are permuted and split.
    """
    there = {channel.tobytes() for matrix in found for channel in matrix}
    return sum(channel.tobytes() not in there for channel in np.ascontiguousarray(codes.T))
