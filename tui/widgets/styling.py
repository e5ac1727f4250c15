"""States, bars and tables as styled text. Colours are the theme's; nothing is said by colour alone."""

import textwrap
from collections.abc import Iterable, Sequence

from textual.content import Content

from tui.data import formats
from tui.widgets.columns import GAP

STYLES = {
    "fresh": "$text-success",
    "restored": "$text-success",
    "stale": "$text-warning",
    "waiting": "dim",
    "running": "$text-accent bold",
    "failed": "$text-error bold",
    "invalid": "$text-error bold",
}
HEADING = "bold"
MUTED = "dim"
BAR = "$primary"
LEAST_WRAP = 16
LEAST_VALUE = 26

Cells = Sequence[Content | str]
"""One line of a table."""


def text(string: str, style: str = "") -> Content:
    """Return text as it stands: brackets are not markup."""
    return Content.styled(formats.plain(string), style) if style else Content(formats.plain(string))


def state(name: str, beside: str = "") -> Content:
    """Return a state's sign and word."""
    return text(f"{formats.GLYPHS[name]} {name}{beside}", STYLES[name])


def bar(share: float, width: int, style: str = BAR) -> Content:
    """Return a bar of ``width`` columns."""
    return text(formats.bar(share, width), style)


def lines(parts: Iterable[Content | str]) -> Content:
    """Put one part on each line."""
    return Content("\n").join([part if isinstance(part, Content) else text(part) for part in parts])


def row(*parts: Content | str) -> Content:
    """Put parts beside each other."""
    return Content.assemble(*(part if isinstance(part, Content) else text(part) for part in parts))


def table(rows: Sequence[Cells], columns: int = 0, gap: int = GAP) -> list[Content]:
    """Return lines whose cells stand below each other.

    A last cell that is a string is wrapped under itself when ``columns`` says how much room there is.
    """
    whole = [[cell if isinstance(cell, Content) else text(cell) for cell in line] for line in rows]
    count = max((len(line) for line in whole), default=0)
    widths = [
        max((line[column].cell_length for line in whole if column < len(line)), default=0) for column in range(count)
    ]
    room = max(columns - sum(width + gap for width in widths[:-1]), LEAST_WRAP) if columns else 0
    cells = [wrapped for line, given in zip(whole, rows, strict=True) for wrapped in _wrapped(line, given, count, room)]
    return [
        Content("").join(
            [
                cell.pad_right(widths[column] + gap - cell.cell_length) if column < len(line) - 1 else cell
                for column, cell in enumerate(line)
            ]
        )
        for line in cells
    ]


def named(rows: Iterable[tuple[str, str]], columns: int) -> list[Content]:
    """Return names with their values beside them, or below them where there is no room."""
    rows = list(rows)
    widest = max((len(name) for name, _ in rows), default=0)
    if columns - widest - GAP >= LEAST_VALUE or all(len(value) <= columns - widest - GAP for _, value in rows):
        return table([[text(name, MUTED), value] for name, value in rows], columns)
    return [
        line
        for name, value in rows
        for line in (
            text(name, MUTED),
            *(text(f"  {part}") for part in textwrap.wrap(value, max(columns - 2, LEAST_WRAP))),
        )
    ]


def _wrapped(line: list[Content], given: Cells, count: int, room: int) -> list[list[Content]]:
    last = given[-1] if given else ""
    if not room or not isinstance(last, str) or len(line) < count or len(last) <= room:
        return [line]
    first, *more = textwrap.wrap(formats.plain(last), room)
    return [[*line[:-1], text(first)], *([*[Content("")] * (count - 1), text(rest)] for rest in more)]
