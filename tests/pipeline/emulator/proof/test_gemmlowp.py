"""Fixed-point arithmetic, against gemmlowp's published definitions in exact numbers, and against the real functions."""

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from pipeline.emulator.proof import gemmlowp
from pipeline.emulator.proof.gemmlowp import ONE, Multiplier

LEAST = -(2**31)
RANDOM = np.random.default_rng(0)
EDGES = [LEAST, LEAST + 1, -(2**30) - 1, -(2**30), -3, -2, -1, 0, 1, 2, 3, 2**30 - 1, 2**30, 2**30 + 1, ONE]
NUMBERS = np.array([*EDGES, *RANDOM.integers(LEAST, ONE + 1, 200)])


@pytest.mark.parametrize(
    ("real", "significand", "shift"),
    [
        (0.25, 2**30, -1),
        (0.5, 2**30, 0),
        (0.5 - 5e-9, 2**31 - 21, -1),
        (0.5 - 1e-10, 2**30, 0),
        (1.0, 2**30, 1),
        (0.0, 0, 0),
        (2.0**-32, 2**30, -31),
        (2.0**-33, 0, 0),
    ],
)
def test_a_multiplier_is_a_significand_of_31_bits_and_a_shift(real: float, significand: int, shift: int) -> None:
    """Just below 0.5 the significand would round to 2**31, which it must not be."""
    assert gemmlowp.quantize_multiplier(real) == (significand, shift)


def test_a_multiplier_is_off_by_half_of_its_last_bit_at_most() -> None:
    for real in np.exp(RANDOM.uniform(-20, 5, 500)):
        found = gemmlowp.quantize_multiplier(float(real))
        exact = Fraction(found.significand) * Fraction(2) ** (found.shift - 31)
        assert 2**30 <= found.significand < 2**31
        assert abs(exact - Fraction(float(real))) <= Fraction(2) ** (found.shift - 32)
        assert found.real == exact


def doubling_high_multiply(a: int, b: int) -> int:
    """Do as fixedpoint.h does in C, where a division drops the fraction."""
    nudge = 1 << 30 if a * b >= 0 else 1 - (1 << 30)
    return ONE if a == b == LEAST else math.trunc(Fraction(a * b + nudge, 1 << 31))


def test_a_high_product_is_gemmlowps() -> None:
    for factor in (*EDGES, 1_778_879_058):
        found = gemmlowp.high_multiply(NUMBERS, factor)
        assert found.tolist() == [doubling_high_multiply(int(number), factor) for number in NUMBERS]


@pytest.mark.parametrize("exponent", [0, 1, 2, 7, 30, 31])
def test_a_power_of_two_divides_to_the_nearest_and_halves_away_from_zero(exponent: int) -> None:
    numbers = np.concatenate([NUMBERS, np.arange(-20, 21), (np.arange(-3, 4) << exponent) // 2])

    found = gemmlowp.divide_by_power_of_two(numbers, exponent)

    exact = [Fraction(int(number), 2**exponent) for number in numbers]
    assert found.tolist() == [math.floor(abs(of) + Fraction(1, 2)) * (1 if of > 0 else -1) for of in exact]


@pytest.mark.parametrize("shift", [-9, -1, 0, 4])
def test_a_product_is_off_by_less_than_one(shift: int) -> None:
    numbers, multiplier = RANDOM.integers(-(1 << 23), 1 << 23, 500), Multiplier(1_262_485_504, shift)

    found = gemmlowp.multiply(numbers, multiplier)

    exact = [int(number) * Fraction(multiplier.significand, 2**31) * Fraction(2) ** shift for number in numbers]
    assert max(abs(int(of) - real) for of, real in zip(found, exact, strict=True)) < 1


@pytest.mark.parametrize(
    ("significand", "of_16_bits"),
    [(2**30, 0x4000), (0x4000_7FFF, 0x4000), (0x4000_8000, 0x4001), (0x7FFE_FFFF, 0x7FFF), (ONE, 0x7FFF)],
)
def test_a_multiplier_of_16_bits_is_rounded_and_stays_within_them(significand: int, of_16_bits: int) -> None:
    assert gemmlowp.reduced(Multiplier(significand, -3)) == (of_16_bits, 18)


def test_powers_of_e_are_to_the_last_bit() -> None:
    exact = [round((-(Decimal(2) ** (place - 2))).exp() * 2**31) for place in range(7)]

    assert list(gemmlowp.EXP_OF_POWERS) == exact


@pytest.mark.parametrize(
    ("function", "real", "most"),
    [
        (gemmlowp.logistic, lambda x: 1 / (1 + np.exp(-x)), 155),
        (gemmlowp.tanh, np.tanh, 310),
    ],
)
def test_sigmoid_and_tanh_are_close_to_the_real_ones(
    function: Callable[[Any], Any], real: Callable[[Any], Any], most: int
) -> None:
    """In units of the last bit."""
    x = np.concatenate([NUMBERS[np.abs(NUMBERS) <= ONE], np.arange(-1000, 1000), np.linspace(-ONE, ONE, 20_001)])
    x = x.astype(np.int64)

    found = function(x)

    assert np.abs(found - real(x / 2**27) * 2**31).max() < most
    assert function(np.array([0])).item() == real(0.0) * 2**31
