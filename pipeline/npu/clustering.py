"""What sharing few values among the weights does to the compiled model, tried on a copy of it.

It tells Vela's cycles and flash with clustered weights. It tells nothing of the accuracy, which
depends on how the values are found and trained: that is what the stage ``compressed`` does.
"""

import numpy as np

from pipeline.compression.codes import centres, nearest
from pipeline.compression.matrices import matrices
from pipeline.tflite import reader


def clustered(content: bytes, values: int) -> bytes:
    """Return a model whose int8 weights hold at most so many different values, each tensor its own.

    The values are those of Lloyd's algorithm (k-means) on the int8 numbers themselves.

    Raises:
        TfliteError: it is no whole model.

    """
    changed = bytearray(content)
    for weights in matrices(reader.parse(changed)):
        shared = np.unique(np.rint(centres(weights, values)).astype(np.int8))
        weights[:] = shared[nearest(weights, shared.astype(int))]
    return bytes(changed)
