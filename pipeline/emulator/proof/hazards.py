"""Look for commands that touch bytes which an earlier one, still at work, writes or has yet to read.

Kernels and transfers run beside each other; the stream orders them with waits. Transfers run one after the
other, and so do kernels: how far a kernel may begin before the last one has ended (BLOCKDEP) is not looked at.
"""

from collections.abc import Iterable, Iterator, Sequence

from pipeline.emulator.machine.memory import Access, name
from pipeline.emulator.machine.planning import Planned
from pipeline.emulator.proof.checks import Check, Tally
from pipeline.emulator.stream.commands import KERNELS, Kind

MOST_KERNELS = 2
"""How many kernels may be at work; Vela counts with so many, and no public document says it."""


def order(planned: Iterable[Planned]) -> Check:
    """Check each kernel against the transfers that may be at work, and each transfer against such kernels."""
    tally = Tally("kernels and transfers wait for each other where they touch the same bytes", "commands")
    kernels: list[Planned] = []
    transfers: list[Planned] = []
    for current in planned:
        kind, parameter = current.command.kind, current.command.parameter
        if kind is Kind.DMA_WAIT:
            transfers = _last(transfers, parameter)
        elif kind is Kind.KERNEL_WAIT:
            kernels = _last(kernels, parameter)
        elif kind in KERNELS:
            _look(tally, current, transfers)
            kernels = _last([*kernels, current], MOST_KERNELS)
        elif kind is Kind.DMA_START:
            _look(tally, current, kernels)
            transfers.append(current)
    return tally.check


def _last(commands: list[Planned], count: int) -> list[Planned]:
    return commands[len(commands) - min(count, len(commands)) :]


def _look(tally: Tally, current: Planned, at_work: Sequence[Planned]) -> None:
    for other in at_work:
        for conflict in _conflicts(current, other):
            shared = f"bytes 0x{conflict.start:x} to 0x{conflict.stop:x} of {name(conflict.region)}"
            tally.add(
                1, 1, f"{current.command}: {shared} are also touched by {other.command}, which was not waited for"
            )
            return
    tally.add(1)


def _conflicts(a: Planned, b: Planned) -> Iterator[Access]:
    """Return bytes that one of two commands writes and the other reads or writes."""
    for one, others in ((a.writes, (*b.reads, *b.writes)), (a.reads, b.writes)):
        for access in one:
            for other in others:
                start, stop = max(access.start, other.start), min(access.stop, other.stop)
                if access.region == other.region and start < stop:
                    yield Access(access.region, start, stop)
