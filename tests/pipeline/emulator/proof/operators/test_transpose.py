"""The axes in another order."""

import numpy as np

from tests.pipeline.emulator.proof.described import GIVEN, shown


def test_axes_change_their_places() -> None:
    (found,) = shown("TRANSPOSE", [(6, 4)], [1, 0])
    assert np.array_equal(found, GIVEN.T)
