"""A tensor in parts, as NumPy splits it."""

from typing import Any

import numpy as np
import pytest

from tests.pipeline.emulator.proof.described import GIVEN, shown


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (shown("SPLIT", [(4, 3)] * 2, [1], place=1), np.split(GIVEN, 2, axis=1)),
        (shown("SPLIT_V", [(1, 6), (3, 6)], [1, 3], [0]), [GIVEN[:1], GIVEN[1:]]),
    ],
)
def test_each_output_shows_a_part(found: list[Any], wanted: list[Any]) -> None:
    assert all(np.array_equal(one, other) for one, other in zip(found, wanted, strict=True))
