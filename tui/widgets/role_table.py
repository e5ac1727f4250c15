"""The table of roles in the accuracy tab: which tensor of the network quantizing hurts most."""

from collections.abc import Mapping, Sequence

from textual.content import Content

from pipeline.deployment.rung import Rung
from tui.data import formats
from tui.widgets import styling

DROPPED = ("seen", "zero point", "rounding", "range", "scale")
"""Columns that go when there is no room, the first first."""


def role_lines(roles: Sequence[Rung], columns: int) -> list[Content]:
    """Return the roles, the weakest first, with as many of their numbers as have room."""
    if not roles:
        return []
    cells = [_cells(role) for role in roles]
    widths = {name: max(len(name), *(len(row[name]) for row in cells)) for name in cells[0]}
    shown = styling.fitting(widths, DROPPED, columns)
    head: styling.Cells = [styling.text(name, styling.MUTED) for name in shown]
    rows: list[styling.Cells] = [[styling.text(row[name]) for name in shown] for row in cells]
    return [
        styling.text("what quantizing costs each role, the weakest first", styling.HEADING),
        *styling.table([head, *rows]),
        *(styling.text(line, styling.MUTED) for line in _explained(shown)),
    ]


def _cells(role: Rung) -> Mapping[str, str]:
    return {
        "role": role.tie,
        "noise": formats.percent(role.noise),
        "saturated": formats.percent(role.saturated),
        "rounding": f"{role.rounding_error:.2f}",
        "scale": f"{role.scale:.3g}",
        "zero point": str(role.zero_point),
        "range": f"{role.low:.3g} to {role.high:.3g}",
        "seen": f"{role.seen_low:.3g} to {role.seen_high:.3g}",
    }


def _explained(shown: Sequence[str]) -> list[str]:
    lines = ["noise: error by the spread of the values"]
    return [*lines, "rounding: error in steps; 0.29 is rounding alone"] if "rounding" in shown else lines
