"""Tables, numbers and times as plain text, for a terminal, a log or a pull request."""

from collections.abc import Sequence

Cells = Sequence[str]


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


def percent(share: float) -> str:
    """Show a share of 1 as a percentage."""
    return f"{100 * share:.2f} %"


def kib(size: float) -> str:
    """Show bytes as KiB, as the reports of Vela do."""
    return f"{size / 1024:,.1f} KiB"


def short(count: float) -> str:
    """Return a count in at most five characters: ``384``, ``32.1k``, ``6.22M``."""
    for unit, factor in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= factor:
            digits = 2 if count < 9.995 * factor else 1 if count < 99.95 * factor else 0
            return f"{count / factor:.{digits}f}{unit}"
    return f"{count:.0f}"


def duration(seconds: float) -> str:
    """Return a span of time: ``0.4 s``, ``27 s``, ``3 min 12 s``, ``1 h 05 min``."""
    if seconds < 9.95:  # noqa: PLR2004 - what rounds to 10 needs no tenths
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004 - seconds a minute
        return f"{whole} s"
    minutes, seconds = divmod(whole, 60)
    if minutes < 60:  # noqa: PLR2004 - minutes an hour
        return f"{minutes} min {seconds:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"
