"""How each kind of number is shown: in full, in a narrow column, to the last digit, and compared with another."""

from collections.abc import Callable
from typing import NamedTuple

from pipeline.text import tables


def _exact_count(value: float) -> str:
    return f"{value:,.0f}"


def _points(before: float, now: float) -> str:
    return tables.points(100 * (now - before))


class Quantity(NamedTuple):
    """A kind of number. What a view shows of it depends on the room that it has, never on the view itself."""

    unit: str
    """What stands behind an exact number; empty where the number says it."""
    show: Callable[[float], str]
    """For a person, with its unit where the title does not tell it: ``12.44 ms``, ``3.0 KiB``."""
    cell: Callable[[float], str]
    """Under a heading that tells the unit: ``12.44``."""
    brief: Callable[[float], str]
    """In a narrow column: ``6.22M``."""
    exact: Callable[[float], str]
    """To the last digit that matters, for budgets and comparisons, without the unit: ``12.436``."""
    stored: str = ""
    """What scripts find it in: ``bytes``, ``ms``, ``share of 1``; empty for a plain number."""
    difference: Callable[[float, float], str] = tables.change
    """How far the second number is from the first: ``+2.5 %``, ``+0.25 points``."""
    width: int = 8
    """Columns of the screen that ``cell`` needs."""
    narrow: int = 8
    """Columns that ``brief`` needs."""
    fewer: str = "less"
    """What less of it is called."""
    plotted_in: float = 1
    """What a plot counts it in."""
    tick: Callable[[float], str] = tables.short
    """How a round number of that is written at an axis."""


SHARE = Quantity("", tables.percent, tables.percent, tables.percent, tables.percent, "share of 1", _points)
"""A share of 1."""
POINTS = Quantity("", tables.loss, tables.loss, tables.loss, tables.loss, "percentage points")
"""A loss, in percentage points."""
COUNT = Quantity("", _exact_count, _exact_count, tables.short, _exact_count, width=11, narrow=6, fewer="fewer")
CYCLES = COUNT._replace(unit="cycles", stored="cycles")
MILLISECONDS = Quantity(
    "ms",
    lambda time: f"{tables.milliseconds(time)} ms",
    tables.milliseconds,
    tables.milliseconds,
    tables.exact,
    "ms",
    width=7,
    narrow=7,
    fewer="faster",
)
SIZE = Quantity(
    "B",
    tables.size,
    tables.size,
    tables.size,
    _exact_count,
    "bytes",
    width=11,
    narrow=10,
    fewer="smaller",
    plotted_in=tables.KIB,
    tick=lambda kib: f"{kib:g} KiB",
)
NUMBER = Quantity("", tables.exact, tables.exact, tables.exact, tables.exact)
"""Whatever has no unit, such as the value of a loss function."""
