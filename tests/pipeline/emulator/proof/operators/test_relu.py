"""RELU equals the kernel over every input; of its multiplier in single precision see ``test_rescaling``."""

from pathlib import Path

import pytest

from pipeline.emulator.errors import NotVerifiedError
from tests.pipeline.emulator import single
from tests.pipeline.emulator.proof import against_kernels
from tests.pipeline.emulator.proof.described import read
from tests.pipeline.emulator.single import Stored


def test_every_input_of_every_scale(tmp_path: Path) -> None:
    against_kernels.of_one_input("RELU", against_kernels.rescaled(), tmp_path)


def test_what_would_overflow_in_the_kernel_is_not_guessed(tmp_path: Path) -> None:
    operator = read(single.model("RELU", [Stored(1e4)], Stored(1e-4), [(256,)] * 2), tmp_path)
    with pytest.raises(NotVerifiedError, match=r"RELU output: .* 32 bits, and .* depends on its C\+\+ compiler"):
        against_kernels.table(operator)
