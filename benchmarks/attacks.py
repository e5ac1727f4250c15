"""Attacks on the build, many times over: no wrong result may be called right, and nothing may end in a traceback."""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from tests.attacks import changes, kills
from tests.attacks.results import Tally

Campaign = Callable[[Path, int, Callable[[Tally], None]], Tally]
"""Is given an empty folder, how many attacks to make, and what to tell after each of them."""


def _kills(subject: str, folder: Path, attacks: int, watch: Callable[[Tally], None]) -> Tally:
    return kills.campaign(folder, subject, attacks, watch)


def _changes(victim: str, folder: Path, attacks: int, watch: Callable[[Tally], None]) -> Tally:
    return changes.campaign(folder, victim, attacks, watch)


CAMPAIGNS: Mapping[str, tuple[Campaign, int]] = {
    **{f"kills: {subject}": (partial(_kills, subject), 1000) for subject in kills.SUBJECTS},
    **{f"changes: {victim}": (partial(_changes, victim), 50) for victim in changes.VICTIMS},
}
"""Every campaign by name, and how many attacks it takes to believe it."""

COLUMNS = ("attacks", "compared", "refused", "wrong", "tracebacks", "seconds")
NAME_WIDTH, WIDTH = 40, 12


def main() -> int:
    """Run the campaigns; return 0 when nothing was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("campaigns", nargs="*", metavar="CAMPAIGN", help=f"by default all: {', '.join(CAMPAIGNS)}")
    parser.add_argument("--attacks", type=int, help="how many of each, in place of the usual number")
    options = parser.parse_args()
    unknown = [name for name in options.campaigns if name not in CAMPAIGNS]
    if unknown:
        parser.error(f"no campaign {unknown[0]!r}; there are: {', '.join(CAMPAIGNS)}")
    print(_row("campaign", COLUMNS))
    tallies = [_run(name, options.attacks) for name in options.campaigns or CAMPAIGNS]
    for sentence in [each for tally in tallies for each in (*tally.wrong, *tally.tracebacks)]:
        print(f"\n{sentence}")
    return 1 if any(tally.wrong or tally.tracebacks for tally in tallies) else 0


def _run(name: str, attacks: int | None) -> Tally:
    campaign, usual = CAMPAIGNS[name]
    folder = Path(tempfile.mkdtemp(prefix="unroll-attacks-"))
    started = time.monotonic()

    def row(tally: Tally) -> str:
        seen = (tally.attacks, tally.compared, tally.refused, len(tally.wrong), len(tally.tracebacks))
        return _row(name, (*seen, round(time.monotonic() - started)))

    def watch(tally: Tally) -> None:
        print(row(tally), end="\r", file=sys.stderr, flush=True)

    try:
        tally = campaign(folder, attacks if attacks is not None else usual, watch)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(row(tally), flush=True)
    return tally


def _row(name: str, cells: Iterable[object]) -> str:
    return f"{name:<{NAME_WIDTH}}" + "".join(f"{cell!s:>{WIDTH}}" for cell in cells)


if __name__ == "__main__":
    sys.exit(main())
