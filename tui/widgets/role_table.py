"""The table of roles in the accuracy tab: which tensor of the network quantizing hurts most."""

from collections.abc import Iterable, Mapping, Sequence

from textual.content import Content

from pipeline.quantization.role_loss import RoleLoss
from tui.data import formats
from tui.widgets import styling
from tui.widgets.columns import Column, fitting

GOES = {"seen": 1, "zero point": 2, "rounding": 3, "range": 4, "scale": 5}
"""Columns that go when there is no room, and their turn."""


def role_lines(roles: Sequence[RoleLoss], columns: int) -> list[Content]:
    """Return the roles, the weakest first, with as many of their numbers as have room."""
    if not roles:
        return []
    cells = [_cells(role) for role in roles]
    names = fitting(
        [Column(name, max(len(name), *(len(row[name]) for row in cells)), goes=GOES.get(name)) for name in cells[0]],
        columns,
    )
    head: styling.Cells = [styling.text(name, styling.MUTED) for name in names]
    rows: list[styling.Cells] = [[styling.text(row[name]) for name in names] for row in cells]
    return [
        styling.text("what quantizing costs each role, the weakest first", styling.HEADING),
        *styling.table([head, *rows]),
        *(styling.text(line, styling.MUTED) for line in _explained(names)),
    ]


def _cells(role: RoleLoss) -> Mapping[str, str]:
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


def _explained(names: Iterable[str]) -> list[str]:
    lines = ["noise: error by the spread of the values"]
    return [*lines, "rounding: error in steps; 0.29 is rounding alone"] if "rounding" in names else lines
