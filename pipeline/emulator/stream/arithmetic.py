"""The NPU's integer arithmetic: scaling by a multiplier and a shift, and its ways to round.

The formulas reproduce TensorFlow Lite Micro's reference kernels bit for bit: with ``Rounding.DOUBLE``,
``rescale`` is gemmlowp's SaturatingRoundingDoublingHighMul followed by RoundingDivideByPOT (gemmlowp,
fixedpoint.h; TOSA 1.0 calls it apply_scale_32 with double_round).
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


class Rounding(Enum):
    """What becomes of the half when bits are shifted out."""

    DOUBLE = 0
    """Twice: away from zero at bit 31, then to the nearest."""
    TRUNCATE = 1
    NATURAL = 2
    """Halves go up."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """``value * multiplier / 2**shift``, rounded."""

    multiplier: int
    shift: int
    rounding: Rounding = Rounding.DOUBLE
    pre_shift: int = 0
    """By how many bits the value counts as shifted left already, which moves the first rounding of ``DOUBLE``."""

    def apply(self, value: Integers) -> Integers:
        """Scale numbers."""
        if self.multiplier == 1 and self.shift == 0:
            return value
        return rescale(value, self.multiplier, self.shift, self.rounding, self.pre_shift)


IDENTITY = Scale(multiplier=1, shift=0)


def rescale(
    value: Integers,
    multiplier: Integers | int,
    shift: Integers | int,
    rounding: Rounding = Rounding.DOUBLE,
    pre_shift: int = 0,
) -> Integers:
    """Return ``value * multiplier / 2**shift``, rounded; multiplier and shift may be of each channel, the last axis.

    ``(v m + 2^(s-1) + sign(v) d) >> s`` with an arithmetic shift, sign(0) = 1, and d = 2^(30 - pre_shift) for
    ``DOUBLE`` where s > 31 - pre_shift, else 0. Every product must fit 63 bits.
    """
    shifts: Any = np.asarray(shift, np.int64)
    product = value * np.asarray(multiplier, np.int64)
    if rounding is not Rounding.TRUNCATE:
        half = np.where(shifts > 0, np.int64(1) << np.maximum(shifts - 1, 0), 0)
        twice = rounding is Rounding.DOUBLE and shifts > 31 - pre_shift
        double = np.where(twice, np.int64(1) << (30 - pre_shift), 0)
        product = product + (np.where(value < 0, half - double, half + double) if double.any() else half)
    scaled: Integers = product >> shifts
    return scaled
