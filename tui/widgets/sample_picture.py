"""Test samples drawn in the terminal: half a character a pixel, a time step a row."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from tui.widgets import styling

if TYPE_CHECKING:
    from tui.data.changed_samples import ChangedSample, Pixels

MOST_COLUMNS = 64
"""Wider and longer samples are cut: only what looks like a picture is worth drawing whole."""
MOST_ROWS = 64
GAP = 2
HALF = 0.5
"""Without colours a pixel is on from this brightness."""


def gallery(samples: "Sequence[ChangedSample]", changed: int, columns: int, *, color: bool) -> Content:
    """Draw samples beside each other, as many as there is room for, with what the models took them for."""
    if not samples:
        return Content("")
    drawn = [(_caption(sample), picture(sample.pixels, color=color)) for sample in samples]
    width = max(max(len(line) for line in caption) for caption, _ in drawn)
    width = max(width, *(lines[0].cell_length for _, lines in drawn)) + GAP
    each_row = max((columns + GAP) // width, 1)
    lines: list[Content | str] = ["", styling.text(_title(len(samples), changed), styling.HEADING)]
    for start in range(0, len(drawn), each_row):
        lines += [*_beside(drawn[start : start + each_row], width), ""]
    return styling.lines(lines)


def _title(drawn: int, changed: int) -> str:
    first = f"the first {drawn} of " if drawn < changed else ""
    return f"{first}{changed:,} samples that quantizing puts into another class"


def _caption(sample: "ChangedSample") -> list[str]:
    verdict = "right" if sample.in_integers == sample.label else "wrong"
    return [
        f"sample {sample.index:,}: it is {sample.label}",
        f"float {sample.in_float}, {sample.rung} {sample.in_integers}: now {verdict}",
    ]


def _beside(drawn: Sequence[tuple[list[str], list[Content]]], width: int) -> list[Content]:
    height = max(len(lines) for _, lines in drawn)
    rows = [styling.row(*(styling.text(caption[line].ljust(width)) for caption, _ in drawn)) for line in range(2)]
    for line in range(height):
        cells = [lines[line] if line < len(lines) else Content("") for _, lines in drawn]
        rows.append(Content("").join([cell.pad_right(width - cell.cell_length) for cell in cells]))
    return rows


def picture(pixels: "Pixels", *, color: bool) -> list[Content]:
    """Return the lines of a picture, two rows of pixels each; brightness is in [0, 1]."""
    rows = [row[:MOST_COLUMNS] for row in pixels[:MOST_ROWS]]
    if len(rows) % 2:
        rows.append([0.0] * len(rows[0]))
    pairs = list(zip(rows[::2], rows[1::2], strict=True))
    if color:
        return [Content("").join([_shaded(*pixel) for pixel in zip(*pair, strict=True)]) for pair in pairs]
    return [Content("".join(_dots(*pixel) for pixel in zip(*pair, strict=True))) for pair in pairs]


def _shaded(upper: float, lower: float) -> Content:
    return Content.styled("▀", f"{_grey(upper)} on {_grey(lower)}")


def _grey(brightness: float) -> str:
    level = round(255 * min(max(brightness, 0.0), 1.0))
    return f"rgb({level},{level},{level})"


def _dots(upper: float, lower: float) -> str:
    return " ▄▀█"[2 * (upper >= HALF) + (lower >= HALF)]
