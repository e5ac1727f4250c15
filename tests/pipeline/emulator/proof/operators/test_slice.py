"""Parts of a tensor, as NumPy cuts them."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.emulator.errors import NotVerifiedError
from tests.pipeline.emulator.proof.described import GIVEN, shown

PLAIN = {"beginMask": 0, "endMask": 0, "shrinkAxisMask": 0, "ellipsisMask": 0, "newAxisMask": 0}


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (shown("STRIDED_SLICE", [(2, 2)], [1, 0], [3, 4], [1, 2], **PLAIN), GIVEN[1:3, 0:4:2]),
        (
            shown("STRIDED_SLICE", [(6,)], [1, 0], [2, 0], [1, 1], **PLAIN | {"shrinkAxisMask": 1, "endMask": 2}),
            GIVEN[1],
        ),
        (shown("STRIDED_SLICE", [(2, 6)], [2, 0], [4, 6], [1, 1], **PLAIN | {"beginMask": 2}), GIVEN[2:]),
        (shown("SLICE", [(2, 6)], [2, 0], [2, -1]), GIVEN[2:]),
    ],
)
def test_a_slice_shows_what_numpy_shows(found: list[Any], wanted: npt.NDArray[Any]) -> None:
    (only,) = found
    assert np.array_equal(only, wanted)


def test_what_is_not_covered_is_named() -> None:
    for mask in ("ellipsisMask", "newAxisMask"):
        with pytest.raises(NotVerifiedError, match="STRIDED_SLICE tensor 10, with an ellipsis or a new axis"):
            shown("STRIDED_SLICE", [(4, 6)], [0], [1], [1], **PLAIN | {mask: 1})
