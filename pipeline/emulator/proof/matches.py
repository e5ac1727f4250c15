"""What a followed command computes of the quantized model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.emulator.machine.planning import Planned
from pipeline.emulator.proof.checks import Check
from pipeline.emulator.proof.codes import Codes
from pipeline.emulator.proof.int8 import MIDDLE
from pipeline.emulator.proof.source import Operator


@dataclass(frozen=True, kw_only=True)
class Match:
    """A command, and what it computes of the quantized model."""

    planned: Planned
    operators: tuple[Operator, ...]
    """The first with the command's inputs, each of the others with the result of the one before."""
    swapped: bool = False
    """Whether the command's operand a is the operator's second input."""
    scalar: int | None = None
    """What one of the operator's inputs is throughout, in stored numbers, where the command has a number for it."""
    scalar_first: bool = False
    """Whether that is the operator's first input."""
    channels: slice = field(default_factory=lambda: slice(None))
    """Which outputs it computes, along the last axis, of an operator that several commands share."""

    def by_operands(self, table: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return an operator's table, by its inputs, by the operands that the command has, in their order."""
        if self.scalar is not None:
            place = self.scalar + MIDDLE
            return np.asarray(table[place] if self.scalar_first else table[:, place])
        return table.T if self.swapped else table

    def __str__(self) -> str:
        """Name the operators and the command."""
        return f"{' and '.join(map(str, self.operators))} ({self.planned.command})"


@dataclass(frozen=True, kw_only=True)
class Flow:
    """What was followed."""

    matches: tuple[Match, ...]
    """Commands that compute operators of which a formula is known."""
    by_samples: tuple[Operator, ...]
    """Operators compiled into several commands of 32 bits, whose inside only samples show."""
    computes: Mapping[int, Codes]
    """What each kernel writes: the codes of its result's elements, by the command's offset."""
    check: Check


class Mismatch(Exception):  # noqa: N818 - it is no error of ours, and dataflow catches it
    """A command does not read what its operator reads."""


def positions(where: Codes, what: Codes) -> Codes:
    """Return the first place of each code.

    Raises:
        Mismatch: one is not there.

    """
    order = np.argsort(where, kind="stable")
    found = np.searchsorted(where, what, sorter=order)
    places: Codes = order[np.minimum(found, len(order) - 1)]
    if not np.array_equal(where[places], what):
        message = "it does not read what its operator reads"
        raise Mismatch(message)
    return places
