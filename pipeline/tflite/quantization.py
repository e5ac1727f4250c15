"""How integers stand for real numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.tflite.errors import TfliteError

Stored = npt.NDArray[Any]
"""Numbers as a tensor stores them: int8, int16, ..."""
Real = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Quantization:
    """How a tensor stores real numbers: real = scale * (stored - zero_point)."""

    scales: tuple[float, ...]
    """One, or one for each channel; exactly the float32 numbers of the file."""
    zero_points: tuple[int, ...]
    """As many."""
    axis: int = 0
    """The dimension of the channels."""

    @classmethod
    def single(cls, scale: float, zero_point: int) -> "Quantization":
        """Return that of a tensor with one scale."""
        return cls((scale,), (zero_point,))

    @property
    def scale(self) -> float:
        """Return the one scale; a ``TfliteError`` where there are several."""
        return float(_one(self.scales))

    @property
    def zero_point(self) -> int:
        """Return the one zero point; a ``TfliteError`` where there are several."""
        return int(_one(self.zero_points))

    def stored(self, real: Real, dtype: npt.DTypeLike) -> Stored:
        """Quantize as TFLite's QUANTIZE does: round halves away from zero, then saturate at the limits of ``dtype``."""
        steps = real / self.scale
        stored = np.copysign(np.floor(np.abs(steps) + 0.5), steps) + self.zero_point
        limits = np.iinfo(np.dtype(dtype))
        saturated: Stored = np.clip(stored, limits.min, limits.max).astype(dtype)
        return saturated

    def real(self, stored: Stored) -> Real:
        """Return the real numbers that stored ones stand for."""
        return ((stored.astype(np.float32) - self.zero_point) * self.scale).astype(np.float32)


def _one(numbers: Sequence[Any]) -> Any:
    if len(numbers) != 1:
        message = f"{len(numbers)} quantization parameters where one is needed"
        raise TfliteError(message)
    return numbers[0]
