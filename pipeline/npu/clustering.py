"""What sharing few values among the weights does to the compiled model, tried on a copy of it.

It tells Vela's cycles and flash with clustered weights. It tells nothing of the accuracy, which
depends on how the values are found and trained.
"""

from typing import Any

import numpy as np
from ethosu.vela.tflite.Model import Model
from ethosu.vela.tflite.TensorType import TensorType

WEIGHTS_INPUT = 1
"""The place of the weights among the inputs of fully connected and convolution operators."""
ITERATIONS = 50


def clustered(content: bytes, values: int) -> bytes:
    """Return a model whose int8 weights hold at most so many different values, each tensor its own.

    The values are those of Lloyd's algorithm (k-means) on the int8 numbers themselves.
    """
    changed = bytearray(content)
    model = Model.GetRootAsModel(changed, 0)
    done = set[int]()
    for number in range(model.SubgraphsLength()):
        graph = model.Subgraphs(number)
        for index in range(graph.OperatorsLength()):
            operator = graph.Operators(index)
            if operator.InputsLength() <= WEIGHTS_INPUT or operator.Inputs(WEIGHTS_INPUT) < 0:
                continue
            tensor = graph.Tensors(operator.Inputs(WEIGHTS_INPUT))
            is_matrix = tensor.Type() == TensorType.INT8 and tensor.ShapeLength() > 1
            if is_matrix and tensor.Buffer() not in done:
                done.add(tensor.Buffer())
                weights = _data(changed, model.Buffers(tensor.Buffer()))
                if weights.size:
                    weights[:] = _nearest(weights, _centres(weights, values))
    return bytes(changed)


def _data(content: bytearray, buffer: Any) -> Any:
    """Return the int8 numbers of a buffer, to be changed in place."""
    if buffer.DataLength():
        return buffer.DataAsNumpy().view(np.int8)
    return np.frombuffer(memoryview(content)[buffer.Offset() :][: buffer.Size()], np.int8)


def _centres(weights: Any, values: int) -> Any:
    """Return the sorted centres of the clusters, starting from equally many weights in each."""
    numbers, counts = np.unique(weights, return_counts=True)
    if numbers.size <= values:
        return numbers
    centres = np.unique(np.quantile(weights, (np.arange(values) + 0.5) / values))
    for _ in range(ITERATIONS):
        mine = np.abs(numbers[:, None] - centres[None, :]).argmin(axis=1)
        total = np.bincount(mine, counts, centres.size)
        moved = np.bincount(mine, counts * numbers, centres.size)[total > 0] / total[total > 0]
        if np.array_equal(moved, centres):
            break
        centres = moved
    return np.unique(np.rint(centres).astype(np.int8))


def _nearest(weights: Any, centres: Any) -> Any:
    table = np.arange(-128, 128)
    nearest = centres[np.abs(table[:, None] - centres[None, :].astype(int)).argmin(axis=1)]
    return nearest[weights.astype(int) + 128]
