"""Scaling by a multiplier and a shift, against the steps of TensorFlow Lite Micro."""

import numpy as np
import pytest

from pipeline.emulator.proof import gemmlowp
from pipeline.emulator.proof.gemmlowp import Multiplier
from pipeline.emulator.stream.arithmetic import IDENTITY, Rounding, Scale, rescale

VALUES = np.concatenate([np.arange(-3000, 3000), np.random.default_rng(0).integers(-(1 << 23), 1 << 23, 20_000)])


@pytest.mark.parametrize("shift", [-20, -12, -7, -1, 0, 3])
@pytest.mark.parametrize("significand", [1 << 30, (1 << 31) - 1, 1_778_879_058, 1_262_485_504])
def test_double_rounding_is_what_the_kernels_do_in_two_steps(significand: int, shift: int) -> None:
    expected = gemmlowp.multiply(VALUES, Multiplier(significand, shift))

    assert np.array_equal(rescale(VALUES, significand, 31 - shift), expected)


@pytest.mark.parametrize("shift", [0, 1, 3, 6])
def test_an_operand_that_counts_as_shifted_left_is_rounded_as_if_it_were(shift: int) -> None:
    few, significand, left = np.arange(-255, 256), 1_778_879_058, 20

    found = Scale(multiplier=significand, shift=31 + shift - left, pre_shift=left).apply(few)

    assert np.array_equal(found, gemmlowp.multiply(few << left, Multiplier(significand, -shift)))


def test_natural_rounding_takes_halves_up_and_truncation_takes_them_down() -> None:
    halves = np.array([-3, -2, -1, 0, 1, 2, 3])

    assert rescale(halves, 1, 1, Rounding.NATURAL).tolist() == [-1, -1, 0, 0, 1, 1, 2]
    assert rescale(halves, 1, 1, Rounding.TRUNCATE).tolist() == [-2, -1, -1, 0, 0, 1, 1]


def test_each_channel_has_a_multiplier_and_a_shift_of_its_own() -> None:
    found = rescale(np.array([[8, 8, 8]]), np.array([1, 2, 1 << 30]), np.array([0, 1, 31]))

    assert found.tolist() == [[8, 8, 4]]


def test_nothing_is_scaled_by_one() -> None:
    assert IDENTITY.apply(VALUES) is VALUES
