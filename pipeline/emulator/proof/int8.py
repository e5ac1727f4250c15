"""All numbers of 8 bits, and what is known of each: a table's results, and whether a tensor can hold it."""

import numpy as np
import numpy.typing as npt

Table = npt.NDArray[np.int8]
"""A result for every input: (256,) by stored a, or (256, 256) by stored a and b, each from -128 up."""
Possible = npt.NDArray[np.bool_]
"""Of each number whether it may come up, (256,), or of each pair, (256, 256); -128 first."""

EVERY = np.arange(-128, 128, dtype=np.int64)
"""The numbers of int8."""
MIDDLE = 128
"""The place of 0 among them."""


def any_number() -> Possible:
    """Say that every number may come up."""
    return np.ones(len(EVERY), bool)


def held(numbers: npt.NDArray[np.int8]) -> Possible:
    """Say that these numbers come up, and no others."""
    possible = np.zeros(len(EVERY), bool)
    possible[np.asarray(numbers, np.int64).ravel() + MIDDLE] = True
    return possible
