"""Where the elements of a feature map lie in memory."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

BRICK = 16
"""Channels that lie side by side in the brick format, NHCWB16."""
CHAINED = 8
"""Of the U85, from this region on: what stays inside the NPU between two commands, behind all addresses."""

Addresses = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class FeatureMap:
    """A feature map of (height, width, depth) elements in one region of memory.

    Up to four tiles make it: left and right of column ``width0``, above and below row ``height0`` (of the
    left tiles) and ``height1`` (of the right ones), each with an address of its own.
    """

    region: int
    height: int
    width: int
    depth: int
    bits: int
    signed: bool
    zero_point: int
    brick: bool
    bases: tuple[int, int, int, int]
    width0: int
    height0: int
    height1: int
    stride_x: int
    stride_y: int
    stride_c: int
    """Bytes from element to element; of channels in the brick format, from brick to brick."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Return how an element is stored."""
        return np.dtype(f"{'i' if self.signed else 'u'}{self.bits // 8}")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return (height, width, depth)."""
        return self.height, self.width, self.depth

    @cached_property
    def addresses(self) -> Addresses:
        """Return the address of every element in bytes within the region, (height, width, depth)."""
        y = np.arange(self.height)[:, None, None]
        x = np.arange(self.width)[None, :, None]
        c = np.arange(self.depth)[None, None, :]
        right = x >= self.width0
        below = np.where(right, y >= self.height1, y >= self.height0)
        base = np.asarray(self.bases, np.int64)[right + 2 * below]
        y = np.where(below, y - np.where(right, self.height1, self.height0), y)
        x = np.where(right, x - self.width0, x)
        size = self.bits // 8
        if self.brick:
            channel = c // BRICK * self.stride_c + c % BRICK * size
            return np.asarray(base + y * self.stride_y + x * BRICK * size + channel, np.int64)
        return np.asarray(base + y * self.stride_y + x * self.stride_x + c * size, np.int64)
