"""The int8 weight matrices of a ``.tflite`` file, and whether a matrix is among them."""

from collections.abc import Iterable, Iterator

import numpy as np

from pipeline.compression.codes import Codes
from pipeline.tflite.model import Model

WEIGHTS_INPUT = 1
"""The place of the weights among an operator's inputs."""


def matrices(model: Model) -> Iterator[Codes]:
    """Yield the weights of every operator once, (channels, ...), as they lie in the file.

    An elementwise operator's constant in the same place counts, too; it has one channel. Of a model that was read from
    a ``bytearray``, what is changed in an array is changed there.
    """
    seen = set()
    for operator in model.operators():
        tensor = operator.inputs[WEIGHTS_INPUT] if len(operator.inputs) > WEIGHTS_INPUT else None
        if tensor is None or tensor.type != "int8" or len(tensor.shape) <= 1 or tensor.buffer in seen:
            continue
        seen.add(tensor.buffer)
        if tensor.data is not None:
            yield tensor.data


def changed_channels(codes: Codes, found: Iterable[Codes]) -> int:
    """Count the channels of a matrix (k, n) that none of these matrices (channels, k) holds code for code.

    Channels may stand in another order, and in several matrices: gates are permuted and split.
    """
    there = {channel.tobytes() for matrix in found for channel in matrix}
    return sum(channel.tobytes() not in there for channel in np.ascontiguousarray(codes.T))
