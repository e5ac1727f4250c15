"""Where codes are found again, and how a match is named."""

from types import MappingProxyType

import numpy as np
import pytest

from pipeline.emulator.machine.planning import Planned
from pipeline.emulator.proof.matches import Match, Mismatch, positions
from pipeline.emulator.proof.source import Operator
from pipeline.emulator.stream.commands import Command, Kind
from tests.pipeline.emulator.proof.described import tensor


def test_each_code_is_found_at_its_first_place() -> None:
    where = np.array([7, 3, 9, 3, 7, 5])
    what = np.array([[3, 7], [5, 3]])

    assert positions(where, what).tolist() == [[1, 0], [5, 1]]


@pytest.mark.parametrize("strange", [1, 4, 8, 10])
def test_a_code_that_is_not_there_is_a_mismatch(strange: int) -> None:
    with pytest.raises(Mismatch, match="does not read what its operator reads"):
        positions(np.array([7, 3, 9]), np.array([3, strange]))


def test_a_match_names_its_operators_and_its_command() -> None:
    add, tanh = (
        Operator(index=place, kind=kind, inputs=(), outputs=(tensor(place, (4,)),), options=None)
        for place, kind in enumerate(["ADD", "TANH"])
    )
    command = Command(offset=0x1F0, kind=Kind.ELEMENTWISE, parameter=1, registers=MappingProxyType({}))

    match = Match(planned=Planned(command=command), operators=(add, tanh))

    assert str(match) == "ADD tensor 0 and TANH tensor 1 (ELEMENTWISE at byte 0x1f0 of the command stream)"
