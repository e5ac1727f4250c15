"""ADD and SUB equal the kernels over every pair of inputs."""

from pathlib import Path

import pytest

from pipeline.emulator.errors import NotVerifiedError
from tests.pipeline.emulator import single
from tests.pipeline.emulator.proof import against_kernels
from tests.pipeline.emulator.proof.described import read
from tests.pipeline.emulator.single import Stored

KINDS = ("ADD", "SUB")


@pytest.mark.parametrize("activation", against_kernels.ACTIVATIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_pair_and_every_activation(kind: str, activation: str, tmp_path: Path) -> None:
    against_kernels.of_two_inputs(kind, activation, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_scales_far_apart(kind: str, tmp_path: Path) -> None:
    against_kernels.of_scales_far_apart(kind, tmp_path)


def test_an_activation_that_is_not_known_is_named(tmp_path: Path) -> None:
    operator = read(single.binary("ADD", Stored(0.05), Stored(0.02), Stored(0.06), "TANH"), tmp_path)
    with pytest.raises(NotVerifiedError, match="ADD output, with activation TANH"):
        against_kernels.table(operator)
