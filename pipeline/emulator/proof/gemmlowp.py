"""The fixed-point arithmetic of TensorFlow Lite Micro's reference kernels, step by step as they do it.

Written apart from ``arithmetic``, which says what the NPU does: the two must agree, and a test of one with
the other's formulas would prove nothing. All numbers are int64 that hold what the kernels keep in int32; a
raw number with i integer bits stands for ``raw / 2**(31 - i)``. Source: gemmlowp, fixedpoint/fixedpoint.h,
and tflite-micro, kernels/internal/quantization_util.cc and reference/integer_ops/{logistic,tanh}.h.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

ONE = 2**31 - 1
"""The largest raw number, which stands for 1 where there are no integer bits."""
FRACTION_BITS = 31
LEAST_SHIFT = -31
"""A multiplier that needs less is 0: all bits would be shifted out."""


class Multiplier(NamedTuple):
    """A real number as ``significand / 2**31 * 2**shift``, significand in [2**30, 2**31)."""

    significand: int
    shift: int

    @property
    def real(self) -> float:
        """Return the number itself."""
        return math.ldexp(self.significand, self.shift - FRACTION_BITS)


def quantize_multiplier(real: float) -> Multiplier:
    """Return a real number, not negative, as kernels keep it: QuantizeMultiplier."""
    fraction, shift = math.frexp(real)
    significand = math.floor(fraction * 2**FRACTION_BITS + 0.5)
    if significand == 2**FRACTION_BITS:
        significand, shift = significand // 2, shift + 1
    if significand == 0 or shift < LEAST_SHIFT:
        return Multiplier(0, 0)
    return Multiplier(significand, shift)


def multiply(x: Integers, multiplier: Multiplier) -> Integers:
    """Return ``x * multiplier``, rounded twice: MultiplyByQuantizedMultiplier.

    Raises:
        OverflowError: a number does not fit 32 bits once it is shifted; C++ does not say what becomes of it.

    """
    shift = multiplier.shift
    shifted = x << max(shift, 0)
    if shifted.size and not -ONE - 1 <= shifted.min() <= shifted.max() <= ONE:
        message = f"a product with {multiplier.real:g} goes beyond 32 bits"
        raise OverflowError(message)
    return divide_by_power_of_two(high_multiply(shifted, multiplier.significand), max(-shift, 0))


def reduced(multiplier: Multiplier) -> tuple[int, int]:
    """Return a multiplier of 16 bits, and the shift to the right after it, rounded halves up.

    So sums of 64 bits are scaled, which 16-bit numbers need: MultiplyByQuantizedMultiplier of int64.
    """
    largest = 0x7FFF
    significand = multiplier.significand
    return min(significand + (1 << 15) >> 16, largest), 15 - multiplier.shift


def high_multiply(a: Integers, b: Integers | int) -> Integers:
    """Return ``a * b / 2**31``, to the nearest, halves up: SaturatingRoundingDoublingHighMul."""
    product: Integers = np.asarray(a * b)
    return np.asarray(np.minimum((product + 2**30) >> FRACTION_BITS, ONE))


def divide_by_power_of_two(x: Integers, exponent: int) -> Integers:
    """Return ``x / 2**exponent``, to the nearest, halves away from 0: RoundingDivideByPOT."""
    remainder = x & ((1 << exponent) - 1)
    threshold = ((1 << exponent) - 1 >> 1) + (x < 0)
    return np.asarray((x >> exponent) + (remainder > threshold))


def _shift_left(x: Integers, bits: int) -> Integers:
    return np.asarray(np.clip(x << bits, -ONE - 1, ONE))


def _exp_of_small(a: Integers) -> Integers:
    """Return exp(a) for a in [-1/4, 0), no integer bits: Taylor's series around -1/8, to the fourth power."""
    at, third = 1895147668, 715827883
    x = a + (1 << 28)
    square = high_multiply(x, x)
    cube, fourth = high_multiply(square, x), high_multiply(square, square)
    tail = high_multiply(divide_by_power_of_two(fourth, 2) + cube, third) + square
    return at + high_multiply(x + divide_by_power_of_two(tail, 1), at)


EXP_OF_POWERS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
"""exp(-1/4), exp(-1/2), exp(-1), ... exp(-16), without integer bits."""


def _exp_of_negative(a: Integers, integer_bits: int) -> Integers:
    """Return exp(a), a <= 0, without integer bits: the quarters by a product for each bit, the rest by a series."""
    quarter = 1 << (FRACTION_BITS - integer_bits - 2)
    small = (a & (quarter - 1)) - quarter
    result = _exp_of_small(_shift_left(small, integer_bits))
    quarters = (small - a) // quarter
    for bit, factor in enumerate(EXP_OF_POWERS[: integer_bits + 2]):
        result = np.where(quarters >> bit & 1, high_multiply(result, factor), result)
    return np.where(a == 0, ONE, result)


def _reciprocal_of_half(one_plus: Integers) -> Integers:
    """Return 1/(x/2) with 2 integer bits for x = 1 + ``one_plus``, in [1, 2]: Newton's method, three steps."""
    half = (one_plus + ONE + 1) // 2
    x = 1515870810 + high_multiply(half, -1010580540)
    for _ in range(3):
        error = (1 << 29) - high_multiply(half, x)
        x = x + _shift_left(high_multiply(x, error), 2)
    return x


def logistic(a: Integers) -> Integers:
    """Return 1/(1 + exp(-a)) without integer bits, for a with 4."""
    positive = _shift_left(_reciprocal_of_half(_exp_of_negative(-np.abs(a), 4)), 1)
    return np.where(a == 0, 1 << 30, np.where(a > 0, positive, ONE - positive))


def tanh(a: Integers) -> Integers:
    """Return the hyperbolic tangent of a without integer bits, for a with 4."""
    positive = _shift_left(_reciprocal_of_half(_exp_of_negative(-np.abs(a), 5)) - (1 << 29), 2)
    return np.where(a == 0, 0, np.where(a > 0, positive, -positive))
