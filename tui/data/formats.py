"""Numbers, times and foreign text as words that fit on a screen."""

import re
from collections.abc import Sequence

from pipeline.text import tables
from pipeline.text.tables import duration as duration  # noqa: PLC0414 - said to be offered here, too
from pipeline.text.tables import milliseconds as milliseconds  # noqa: PLC0414 - as above
from pipeline.text.tables import or_dash as or_dash  # noqa: PLC0414 - as above
from pipeline.text.tables import short as short  # noqa: PLC0414 - as above
from pipeline.text.tables import size as size  # noqa: PLC0414 - as above

GLYPHS = {
    "fresh": "●",
    "restored": "◉",
    "stale": "○",
    "waiting": "◌",
    "running": "▶",
    "failed": "✗",
    "invalid": "!",
}
"""A sign for each state; the word always stands beside it."""

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # colours, cursor
    r"|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles, links and other strings
    r"|[ -/]*[0-~])"  # the rest, such as the choice of characters by tput sgr0
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_EIGHTHS = " ▏▎▍▌▋▊▉"


def age(seconds: float) -> str:
    """Return how long ago something was, in one unit."""
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit} ago"
    return f"{int(seconds)} s ago" if seconds >= 1 else "now"


def percent(share: float | None) -> str:
    """Return a share of 1 as a percentage."""
    return "-" if share is None else tables.percent(share)


def points(difference: float) -> str:
    """Return a difference of two shares of 1 in percentage points."""
    return tables.points(100 * difference)


def bar(share: float, width: int) -> str:
    """Return a bar of ``width`` columns, filled to a share between 0 and 1."""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    if share > 0:
        eighths = max(eighths, 1)  # what is there is seen
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


def plain(text: str) -> str:
    """Return text without escape sequences and control characters; tabs become spaces."""
    return _CONTROLS.sub("", _ESCAPES.sub("", text).expandtabs(4))


def clipped(text: str, width: int) -> str:
    """Return text cut to ``width`` characters, the last one saying so."""
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def count(number: int, noun: str) -> str:
    """Return ``1 stage``, ``2 stages``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def from_previous_build(reasons: Sequence[str]) -> str:
    """Say of a result that is shown though it is stale why it is."""
    return f"from the previous build: {'; '.join(reasons)}"
