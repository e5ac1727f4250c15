"""Which columns of a table have room beside each other: the one place where columns are dropped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

GAP = 2
"""Columns of the screen between the cells of a table."""
LEAST_STRETCHED = 10
"""A column that stretches is never narrower."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, and what becomes of it where there is little room."""

    name: str
    width: int
    """For one that stretches: what it has at least while others can still go."""
    goes: int | None = None
    """Its turn among the columns that go, 1 the first; None for one that stays."""
    stretches: bool = False
    """Whether it takes what the others leave; one of a table at most."""


def fitting(columns: Sequence[Column], room: int, gap: int = GAP) -> Mapping[str, int]:
    """Return the columns that have room beside each other, with their widths, in the order of ``columns``."""
    left = list(columns)
    for column in sorted((column for column in columns if column.goes is not None), key=_turn):
        if _width(left, gap) <= room:
            break
        left.remove(column)
    spare = room - _width(left, gap)
    return {
        column.name: max(column.width + spare, LEAST_STRETCHED) if column.stretches else column.width for column in left
    }


def _turn(column: Column) -> int:
    return column.goes or 0


def _width(columns: Sequence[Column], gap: int) -> int:
    return sum(column.width for column in columns) + gap * max(len(columns) - 1, 0)
