"""Every number of a quantized model has a code: whichever byte of the NPU holds it, one can tell which it is."""

import numpy as np
import numpy.typing as npt

from pipeline.emulator.proof.source import Tensor

Codes = npt.NDArray[np.int64]
"""Tensor number plus 1, above 32 bits of element number; 0 is no code."""

INSIDE = 0xFFFFFFFF
"""Element number of what is computed within an operator that is compiled into many commands."""
ELEMENT_BITS = 32


def own(tensor: Tensor) -> Codes:
    """Return the codes of a tensor's own elements, in its shape."""
    size = int(np.prod(tensor.shape))
    return (np.arange(size, dtype=np.int64) + _first(tensor)).reshape(tensor.shape)


def inside(tensor: Tensor) -> int:
    """Return the code of all that is computed on the way to a tensor."""
    return _first(tensor) + INSIDE


def split(codes: Codes) -> tuple[Codes, Codes]:
    """Return the tensor's number and the element's of each code."""
    return (codes >> ELEMENT_BITS) - 1, codes & INSIDE


def _first(tensor: Tensor) -> int:
    return tensor.number + 1 << ELEMENT_BITS
