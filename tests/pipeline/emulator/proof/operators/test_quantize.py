"""QUANTIZE equals the kernel over every input, and shows its input where nothing changes."""

from pathlib import Path

import numpy as np

from pipeline.emulator.proof.elements import is_view
from pipeline.emulator.proof.source import Operator
from tests.pipeline.emulator.proof import against_kernels
from tests.pipeline.emulator.proof.described import GIVEN, shown, tensor


def test_every_input_of_every_scale(tmp_path: Path) -> None:
    against_kernels.of_one_input("QUANTIZE", against_kernels.rescaled(), tmp_path)


def test_what_is_stored_alike_is_shown() -> None:
    (found,) = shown("QUANTIZE", [(4, 6)])
    assert np.array_equal(found, GIVEN)


def test_a_change_of_scale_is_no_view() -> None:
    quantize = Operator(
        index=0, kind="QUANTIZE", inputs=(tensor(0, (4,)),), outputs=(tensor(1, (4,), scale=0.25),), options=None
    )
    assert not is_view(quantize)
