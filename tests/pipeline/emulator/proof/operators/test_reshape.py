"""The same elements in the same order."""

import numpy as np
import pytest

from pipeline.emulator.errors import StreamError
from tests.pipeline.emulator.proof.described import GIVEN, shown


def test_the_input_is_shown_in_the_shape_of_the_output() -> None:
    for kind, shape in (("RESHAPE", (2, 12)), ("SQUEEZE", (4, 6)), ("EXPAND_DIMS", (4, 1, 6))):
        (found,) = shown(kind, [shape], shape)
        assert np.array_equal(found, GIVEN.reshape(shape))


def test_a_shape_that_does_not_fit_is_an_error_that_names_the_operator() -> None:
    with pytest.raises(StreamError, match="RESHAPE tensor 10: its shapes do not fit"):
        shown("RESHAPE", [(5, 5)], [5, 5])
