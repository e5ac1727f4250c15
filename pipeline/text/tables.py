"""Tables, numbers and times as plain text, for a terminal, a log or a pull request."""

import math
from collections.abc import Callable, Sequence

Cells = Sequence[str]
KIB = 1024


WORTH_SAYING = 0.02
"""A gain below this share is called none."""


def letter(number: int) -> str:
    """Return what stands for a row of a table in a plot, the first being 0; those after Z share a sign."""
    return chr(ord("A") + number) if number < LETTERS else "+"


LETTERS = 26


def plain(header: Cells, rows: Sequence[Cells], right: Sequence[int] = ()) -> list[str]:
    """Return lines of columns as wide as their widest cell; the columns ``right`` are aligned to the right."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]

    def line(row: Cells) -> str:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    return [line(header), *(line(row) for row in rows)]


def markdown(header: Cells, rows: Sequence[Cells], right: Sequence[int] = ()) -> list[str]:
    """Return the same as GitHub's Markdown."""
    rule = ["---:" if column in right else "---" for column in range(len(header))]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in (header, rule, *rows)]


def figure(value: float, decimals: int, sign: str = "", significant: int = 2) -> str:
    """Show a number with so many decimals, and with more where too few significant digits would be left.

    So a number that is not zero is never shown as zero. ``sign`` is ``+`` to show that of positive numbers, too.
    """
    needed = significant - 1 - math.floor(math.log10(abs(value))) if value else 0
    return f"{value:{sign},.{max(decimals, needed)}f}"


_NOISE = 1e-7
"""A difference of shares that is less than one sample of ten million: what binary fractions leave of none."""


def percent(share: float, decimals: int = 2) -> str:
    """Show a share of 1 as a percentage; only all are 100 %, and only none are 0 %."""
    missing = 100 * (1 - share)
    if 100 * _NOISE < missing < 0.5 * 10**-decimals:
        decimals = math.ceil(-math.log10(missing))
    return f"{figure(100 * share, decimals)} %"


def points(difference: float) -> str:
    """Show a difference of two percentages, as ``+0.25 points``."""
    return f"{figure(0.0 if abs(difference) < 100 * _NOISE else difference, 2, '+', 1)} points"


def loss(points_lost: float) -> str:
    """Show a loss in percentage points, as ``0.25 points``."""
    return points(points_lost).lstrip("+")


def change(before: float, now: float) -> str:
    """Show by which part of it a number changed, as ``+2.5 %``."""
    return f"{figure(100 * (now / before - 1), 1, '+', 1)} %"


def milliseconds(time: float) -> str:
    """Show a time in milliseconds, without the unit."""
    return figure(time, 2)


def exact(value: float) -> str:
    """Show a number with six significant digits, and with fewer where the others are zeros."""
    text = figure(value, max(0, 5 - math.floor(math.log10(abs(value)))) if value else 0)
    return text.rstrip("0").rstrip(".") if "." in text else text


def times(factor: float) -> str:
    """Show a factor of 1 or more, as ``1.04x``, ``2.5x`` or ``12x``."""
    return f"{factor:,.{2 if factor < 1.195 else 1 if factor < 9.95 else 0}f}x"  # noqa: PLR2004 - never 1.0x


def kib(size: float) -> str:
    """Show bytes as KiB, as the reports of Vela do; less than one KiB as bytes."""
    if 0 < abs(size) < KIB:
        return f"{size:,.0f} byte{'s' * (size != 1)}"
    return f"{size / KIB:,.1f} KiB"


def size(count: float) -> str:
    """Show bytes as KiB, or as MiB where that would have five digits."""
    return kib(count) if count < 10_000 * KIB else f"{count / KIB**2:,.1f} MiB"


def memory(size: float) -> str:
    """Show what a memory holds or needs, as ``512 bytes``, ``4 KiB``, ``12.5 KiB`` or ``148 KiB``."""
    return kib(size) if abs(size) < KIB or (size % KIB and size < 100 * KIB) else f"{size / KIB:,.0f} KiB"


def or_dash(show: Callable[[float], str], value: float | None) -> str:
    """Show a number, or a dash for one that could not be had."""
    return "-" if value is None else show(value)


def printable(text: str) -> str:
    """Return text of a foreign file in one line, without what a terminal would obey."""
    return "".join(character if character.isprintable() else " " for character in text)


def seconds(time: float) -> str:
    """Show how long something took, in seconds alone."""
    return f"{figure(time, 1, significant=1)} s"


def short(count: float) -> str:
    """Return a count in at most five characters: ``384``, ``32.1k``, ``6.22M``."""
    for unit, factor in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= factor:
            digits = 2 if count < 9.995 * factor else 1 if count < 99.95 * factor else 0
            return f"{count / factor:.{digits}f}{unit}"
    return f"{count:.0f}"


def duration(time: float) -> str:
    """Return a span of time: ``0.4 s``, ``27 s``, ``3 min 12 s``, ``1 h 05 min``."""
    if time < 9.95:  # noqa: PLR2004 - what rounds to 10 needs no tenths
        return "<0.1 s" if 0 < time < 0.05 else f"{max(time, 0):.1f} s"  # noqa: PLR2004 - half of a tenth
    whole = round(time)
    if whole < 60:  # noqa: PLR2004 - seconds a minute
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:  # noqa: PLR2004 - minutes an hour
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"
