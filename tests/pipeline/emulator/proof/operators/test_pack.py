"""Tensors packed and unpacked, as NumPy stacks them."""

import numpy as np

from tests.pipeline.emulator.proof.described import GIVEN, shown


def test_a_place_of_an_axis_is_one_output() -> None:
    found = shown("UNPACK", [(4,)] * 6, axis=1, num=6)
    assert all(np.array_equal(one, other) for one, other in zip(found, GIVEN.T, strict=True))


def test_an_input_is_one_place_of_an_axis() -> None:
    (found,) = shown("PACK", [(1, 4, 6)], axis=0)
    assert np.array_equal(found, GIVEN[None])
