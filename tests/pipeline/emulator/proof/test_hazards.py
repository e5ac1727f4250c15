"""Kernels and transfers that touch the same bytes must be ordered by a wait."""

from types import MappingProxyType

import pytest

from pipeline.emulator.machine.memory import SCRATCH, Access
from pipeline.emulator.machine.planning import Planned
from pipeline.emulator.proof import hazards
from pipeline.emulator.stream.commands import Command, Kind

A, B, PART_OF_A = (Access(SCRATCH, 0, 16), Access(SCRATCH, 16, 32), Access(SCRATCH, 15, 16))


def command(kind: Kind, parameter: int = 0, reads: tuple[Access, ...] = (), writes: tuple[Access, ...] = ()) -> Planned:
    return Planned(
        command=Command(offset=0, kind=kind, parameter=parameter, registers=MappingProxyType({})),
        reads=reads,
        writes=writes,
    )


def transfer(target: Access, source: Access = Access(0, 0, 16)) -> Planned:  # noqa: B008 - it is frozen
    return command(Kind.DMA_START, reads=(source,), writes=(target,))


def kernel(reads: Access, writes: Access = Access(SCRATCH, 100, 101)) -> Planned:  # noqa: B008 - it is frozen
    return command(Kind.POOL, reads=(reads,), writes=(writes,))


WAIT, KERNEL_WAIT = command(Kind.DMA_WAIT), command(Kind.KERNEL_WAIT)


@pytest.mark.parametrize(
    ("stream", "failed"),
    [
        ([transfer(A), kernel(A)], 1),
        ([transfer(A), kernel(PART_OF_A)], 1),
        ([transfer(A), kernel(B, writes=A)], 1),
        ([transfer(A), kernel(B)], 0),
        ([transfer(A), WAIT, kernel(A)], 0),
        ([transfer(A), transfer(B), command(Kind.DMA_WAIT, 1), kernel(A)], 0),
        ([transfer(A), transfer(B), command(Kind.DMA_WAIT, 1), kernel(B)], 1),
        ([kernel(A), transfer(A)], 1),
        ([kernel(A), transfer(B, source=A)], 0),
        ([kernel(B, writes=A), transfer(B, source=A)], 1),
        ([kernel(A), KERNEL_WAIT, transfer(A)], 0),
        ([kernel(A), kernel(B), command(Kind.KERNEL_WAIT, 1), transfer(A)], 0),
        ([kernel(A), kernel(B), command(Kind.KERNEL_WAIT, 1), transfer(B)], 1),
        ([kernel(A), kernel(B), kernel(B), transfer(A)], 0),
    ],
)
def test_what_may_run_beside_each_other(stream: list[Planned], failed: int) -> None:
    found = hazards.order(stream)

    assert found.failed == failed
    assert (found.first is None) == (failed == 0)


def test_the_bytes_and_both_commands_are_named() -> None:
    assert hazards.order([transfer(A), kernel(PART_OF_A)]).first == (
        "POOL at byte 0x0 of the command stream: bytes 0xf to 0x10 of scratch are also touched by DMA_START at byte"
        " 0x0 of the command stream, which was not waited for"
    )
