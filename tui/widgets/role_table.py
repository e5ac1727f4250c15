"""The table of roles in the accuracy tab: which tensor of the network quantizing hurts most."""

from collections.abc import Mapping, Sequence

from textual.content import Content

from pipeline.quantization.role_loss import RoleLoss
from tui.facts import words
from tui.widgets import paint

DROPPED = ("seen", "zero point", "rounding", "range", "scale")
"""Columns that go when there is no room, the first first."""


def role_lines(roles: Sequence[RoleLoss], columns: int) -> list[Content]:
    """Return the roles, the weakest first, with as many of their numbers as have room."""
    if not roles:
        return []
    cells = [_cells(role) for role in roles]
    widths = {name: max(len(name), *(len(row[name]) for row in cells)) for name in cells[0]}
    shown = paint.fitting(widths, DROPPED, columns)
    head: paint.Cells = [paint.text(name, paint.MUTED) for name in shown]
    rows: list[paint.Cells] = [[paint.text(row[name]) for name in shown] for row in cells]
    return [
        paint.text("what quantizing costs each role, the weakest first", paint.HEADING),
        *paint.table([head, *rows]),
        *(paint.text(line, paint.MUTED) for line in _explained(shown)),
    ]


def _cells(role: RoleLoss) -> Mapping[str, str]:
    return {
        "role": role.tie,
        "noise": words.percent(role.noise),
        "saturated": words.percent(role.saturated),
        "rounding": f"{role.rounding_error:.2f}",
        "scale": f"{role.scale:.3g}",
        "zero point": str(role.zero_point),
        "range": f"{role.low:.3g} to {role.high:.3g}",
        "seen": f"{role.seen_low:.3g} to {role.seen_high:.3g}",
    }


def _explained(shown: Sequence[str]) -> list[str]:
    lines = ["noise: error by the spread of the values"]
    return [*lines, "rounding: error in steps; 0.29 is rounding alone"] if "rounding" in shown else lines
