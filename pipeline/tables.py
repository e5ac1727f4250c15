"""Tables and numbers as plain text, for a terminal, a log or a pull request."""

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
