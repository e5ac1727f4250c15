"""Few int8 codes for a whole matrix: how they are found, and what a quantizer makes of them.

A matrix is (k, n): column c holds the weights of output channel c. Quantized symmetrically by channel, its
weights are ``scale[c] * code``, with ``scale[c] = max |column c| / 127``: hence a channel keeps its codes if and
only if one of them is 127 or -127. Every channel here has one.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int8]

LARGEST = 127
"""The largest code of a symmetric int8 channel; the smallest is its negative, and 0 is exactly 0."""
FILE = "codes.npz"
"""The codes of every compressed matrix, int8 (k, n), under its name: ``gru_1/recurrent``."""
ITERATIONS = 50
SHARE_ITERATIONS = 10
TINY = 1e-12


@dataclass(frozen=True, kw_only=True)
class Shared:
    """A matrix (k, n) of few values: ``scales[c] * values[places[r, c]]``."""

    scales: Floats
    """(n,): the largest magnitude of each channel."""
    values: Floats
    """(number of values,), rising from -1 to 1 in units of the scale; multiples of 1/127 after training."""
    places: npt.NDArray[np.int32]
    """(k, n): which value each weight has."""


def on_grid(weights: Floats) -> Floats:
    """Return the weights that a quantizer's codes stand for: to quantize them gives the same codes."""
    product: Floats = (np.abs(weights).max(axis=0) / LARGEST * quantized(weights)).astype(np.float32)
    return product


def quantized(weights: Floats) -> Codes:
    """Return the codes of a matrix as a quantizer finds them, symmetric by channel."""
    largest = np.abs(weights).max(axis=0)
    scales = np.where(largest > 0, largest, 1.0) / LARGEST
    return np.rint(weights / scales).astype(np.int8)


def centres(numbers: npt.NDArray[Any], count: int) -> npt.NDArray[Any]:
    """Return the sorted centres of at most so many clusters, by Lloyd's algorithm (k-means) in one dimension.

    It starts from equally many numbers in each cluster.
    """
    distinct, counts = np.unique(numbers, return_counts=True)
    if distinct.size <= count:
        return distinct
    found = np.unique(np.quantile(numbers, (np.arange(count) + 0.5) / count))
    for _ in range(ITERATIONS):
        mine = nearest(distinct, found)
        total = np.bincount(mine, counts, found.size)
        moved = np.bincount(mine, counts * distinct, found.size)[total > 0] / total[total > 0]
        if np.array_equal(moved, found):
            break
        found = moved
    return found


def nearest(numbers: npt.NDArray[Any], rising: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """Return for each number the place of the nearest of some rising values."""
    between = (rising[1:] + rising[:-1]) / 2
    return np.searchsorted(between, numbers).astype(np.int32)


def share(weights: Floats, count: int, kept: npt.NDArray[np.bool_]) -> Shared:
    """Give the weights that are kept few values, and each channel a scale, near the least squared error.

    Args:
        weights: (k, n); every channel keeps a weight that is not 0.
        count: how many values; 0 is one of them when not all weights are kept.
        kept: (k, n), which weights are not pruned.

    """
    pruned = not kept.all()
    scales = np.abs(weights).max(axis=0)
    values = centres((weights / scales)[kept], count - pruned)
    values = np.concatenate([[-1.0], values[1:-1], [1.0]])
    for _ in range(SHARE_ITERATIONS):
        places = _places(weights / scales, values)
        assigned = np.where(kept, values[places], 0)
        scales = (weights * assigned).sum(axis=0) / (assigned**2).sum(axis=0)
        of_value = np.bincount(places[kept], np.broadcast_to(scales**2, places.shape)[kept], values.size)
        moved = np.bincount(places[kept], (weights * scales)[kept], values.size) / np.maximum(of_value, TINY)
        values[1:-1] = np.where(of_value > 0, moved, values)[1:-1]
    values = np.sort(values)
    places = _places(weights / scales, values)
    if pruned:
        zero = int(np.searchsorted(values, 0))
        values = np.insert(values, zero, 0)
        places = np.where(kept, places + (places >= zero), zero)
    return Shared(scales=scales.astype(np.float32), values=values.astype(np.float32), places=places.astype(np.int32))


def _places(weights: npt.NDArray[Any], values: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """Return the place of the nearest value of each weight; the largest of a channel has an end, as its scale needs."""
    places = nearest(weights, values)
    largest = np.abs(weights).argmax(axis=0)
    channels = np.arange(weights.shape[1])
    places[largest, channels] = np.where(weights[largest, channels] < 0, 0, values.size - 1)
    return places


def described(matrix: Codes) -> dict[str, float]:
    """Return how many values a matrix of codes has, and the share of them that is 0."""
    return {"values": len(np.unique(matrix)), "zeros": float((matrix == 0).mean())}
