"""MUL equals the kernel over every pair of inputs; of its multiplier in single precision see ``test_rescaling``."""

from pathlib import Path

import pytest

from pipeline.emulator.errors import NotVerifiedError
from tests.pipeline.emulator import single
from tests.pipeline.emulator.proof import against_kernels
from tests.pipeline.emulator.proof.described import read
from tests.pipeline.emulator.single import Stored


@pytest.mark.parametrize("activation", against_kernels.ACTIVATIONS)
def test_every_pair_and_every_activation(activation: str, tmp_path: Path) -> None:
    against_kernels.of_two_inputs("MUL", activation, tmp_path)


def test_scales_far_apart(tmp_path: Path) -> None:
    against_kernels.of_scales_far_apart("MUL", tmp_path)


def test_what_would_overflow_in_the_kernel_is_not_guessed(tmp_path: Path) -> None:
    operator = read(single.binary("MUL", Stored(1.0), Stored(1.0), Stored(1e-5)), tmp_path)
    with pytest.raises(NotVerifiedError, match=r"MUL output: .* 32 bits, and .* depends on its C\+\+ compiler"):
        against_kernels.table(operator)
