"""Accuracies as bars from a floor that is named: those of every rung, and those of every class."""

import textwrap
from collections.abc import Mapping, Sequence

from textual.content import Content

from pipeline.views.accuracies import Rung
from tui.data import formats
from tui.widgets import styling


def ladder_lines(rungs: Sequence[Rung], columns: int) -> list[Content]:
    """Return one line a rung, with a bar from a floor that is named."""
    if not rungs:
        return []
    known = {rung.name: rung.score for rung in rungs if rung.score is not None}
    floor = _floor(list(known.values()))
    width = min(max(columns - max(map(len, known)) - 27, 8), 40)
    rows: list[styling.Cells] = [
        [
            styling.text(rung.name),
            styling.text(rung.shown, styling.HEADING),
            styling.bar((known[rung.name] - floor) / (1 - floor), width),
            styling.text(_beside(rung, rungs[0])),
        ]
        for rung in rungs
        if rung.name in known
    ]
    missing = [
        styling.text(part, styling.MUTED)
        for rung in rungs
        if rung.name not in known
        for part in textwrap.wrap(f"{rung.name}: {rung.reason}", columns)
    ]
    return [*styling.table(rows, gap=1), _scale(floor), *missing]


def _beside(rung: Rung, first: Rung) -> str:
    if rung is first:
        return ""
    return rung.beside(first) or f"of {rung.samples:,}"


def class_lines(recalls: Mapping[str, Sequence[float | None]], columns: int) -> list[Content]:
    """Return one line a class with the recall of the last rung, and how far it is from the first one's."""
    if not recalls:
        return []
    name, last = list(recalls.items())[-1]
    first = next(iter(recalls.values()))
    known = [recall for recall in last if recall is not None]
    floor = _floor(known) if known else 0.0
    width = min(max(columns - 22, 8), 40)
    rows: list[styling.Cells] = [
        [
            styling.text(f"{label:>2}"),
            styling.text(formats.percent(recall).rjust(8)),
            styling.bar(0.0 if recall is None else (recall - floor) / (1 - floor), width),
            styling.text(_change(recall, before), styling.MUTED),
        ]
        for label, (recall, before) in enumerate(zip(last, first, strict=False))
    ]
    title = styling.text(f"recall by class, {name} (points above float)", styling.HEADING)
    return [title, *styling.table(rows, gap=1), _scale(floor)]


def _change(recall: float | None, before: float | None) -> str:
    if recall is None or before is None or recall == before:
        return ""
    return f"{100 * (recall - before):+.2f}"


def _floor(values: Sequence[float]) -> float:
    """Return where bars begin, so that differences near 100 % are seen."""
    return max(int(10 * min(values)) - (min(values) < 0.95), 0) / 10 if min(values) < 1 else 0.9  # noqa: PLR2004


def _scale(floor: float) -> Content:
    return styling.text(f"bars go from {100 * floor:.0f} % to 100 %", styling.MUTED)
