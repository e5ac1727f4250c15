"""The matrix tab: what the model costs on every Ethos-U that it was compiled for, and the boards it fits."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from tui.data import explanations, formats, matrix
from tui.data.live import Latest
from tui.data.matrix import CompiledMatrix, Fit
from tui.data.project import ExperimentStatus
from tui.widgets import styling
from tui.widgets.tab import Panel, View

if TYPE_CHECKING:
    from pipeline.matrix import Row

COLUMNS = {
    "Ethos-U": 10,
    "memory mode": 14,
    "cycles": 6,
    "ms": 7,
    "SRAM": 10,
    "flash": 10,
    "DRAM": 10,
    "MAC use": 7,
    "on CPU": 6,
}
DROPPED = ("MAC use", "on CPU", "DRAM", "flash", "SRAM", "ms")
"""Columns that go when there is no room, the first first."""
LEFT = ("Ethos-U", "memory mode")
OWN = "*"


class MatrixTab(Panel):
    """Reads what ``doit matrix`` left; the key m compiles it."""

    def __init__(self) -> None:
        """Show nothing yet."""
        super().__init__()
        self._shown: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """Make a place for the progress and one for the table."""
        yield Static(id="matrix-progress")
        yield Static(id="matrix-table")

    def draw(self, view: View) -> None:
        """Draw the table anew only when a compile, the model or the width changed."""
        facts = view.experiment
        self._draw_progress(facts.matrix, view.now)
        quantized = facts.stage("quantized")
        shown = (
            facts.name,
            self.columns,
            quantized and (quantized.record, quantized.reasons),
            explanations.changed(facts.name),
        )
        if shown != self._shown:
            self._shown = shown
            self.query_one("#matrix-table", Static).update(
                styling.lines(matrix_lines(facts, matrix.look(facts), self.columns))
            )

    def _draw_progress(self, latest: Latest | None, now: float) -> None:
        line = self.query_one("#matrix-progress", Static)
        line.display = latest is not None and latest.kind == "running"
        if latest and line.display:
            line.update(styling.lines([*progress_lines(latest, now, self.columns), ""]))


def progress_lines(latest: Latest, now: float, columns: int) -> list[Content]:
    """Return how far the compiles are."""
    progress = latest.progress
    if progress is None:
        return [styling.text(f"compiling: {', '.join(latest.reasons)}", "$text-accent")]
    remaining = progress.remaining(now)
    to_go = f", {formats.duration(remaining)} to go" if remaining is not None else ""
    return [
        styling.row(styling.bar(progress.share, min(columns - 8, 60)), f" {100 * progress.share:3.0f} %"),
        styling.text(f"{progress.done} of {progress.total} points{to_go}"),
    ]


def matrix_lines(facts: ExperimentStatus, found: CompiledMatrix, columns: int) -> Iterator[Content | str]:
    """Return the table by system configuration, the boards, and what is not known."""
    yield styling.text("on every Ethos-U, as Vela estimates it", styling.HEADING)
    yield from _what_is_not_known(facts, found)
    widest = max([COLUMNS["memory mode"], *(len(_mode(row)) for row in found.rows)])
    chosen = styling.fitting({**COLUMNS, "memory mode": widest}, DROPPED, columns + styling.GAP)
    lines = styling.table(
        [[_aligned(name, name, styling.MUTED) for name in chosen], *(_cells(row, chosen) for row in found.rows)]
    )
    if found.rows:
        yield ""
        yield lines[0]
    pairs = zip(found.rows, lines[1:], strict=True)
    for system, members in groupby(pairs, key=lambda pair: pair[0].point.system_config):
        rows = list(members)
        yield styling.text(f"{system}{_clock(rows[0][0])}", styling.MUTED)
        yield from (line for _, line in rows)
    if any(row.target for row in found.rows):
        yield styling.text(f"{OWN} a target of the experiment itself", styling.MUTED)
    if found.boards or found.trouble:
        yield ""
        yield styling.text("boards", styling.HEADING)
        yield from _board_lines(found.boards, columns)
    if found.trouble:
        yield styling.text(found.trouble, "$text-error")


def _what_is_not_known(facts: ExperimentStatus, found: CompiledMatrix) -> Iterator[Content | str]:
    quantized = facts.stage("quantized")
    if quantized is None or quantized.record is None:
        yield f"no model yet: {quantized.note}" if quantized else "the experiment's file has a mistake"
        return
    if quantized.reasons:
        yield styling.text(f"of before: {'; '.join(quantized.reasons)}", "$text-warning")
    if quantized.record.stand_in:
        yield styling.text(f"on STAND-IN data: {quantized.record.stand_in}", "$text-warning bold")
    if found.outdated:
        yield styling.text(
            f"{formats.count(found.outdated, 'compile')} of another model or Vela left out", "$text-warning"
        )
    if found.missing:
        yield f"{formats.count(found.missing, 'point')} not compiled yet: m compiles the matrix"


def _clock(row: "Row") -> str:
    return f", {row.record.metrics['core_clock_hz'] / 1e6:,.0f} MHz" if row.record else ""


def _aligned(name: str, shown: str, style: str = "") -> Content:
    return styling.text(shown if name in LEFT else shown.rjust(COLUMNS[name]), style)


def _mode(row: "Row") -> str:
    return row.point.memory_mode + (f" {row.point.optimise}" if row.point.optimise != "Performance" else "")


def _cells(row: "Row", chosen: Sequence[str]) -> list[Content]:
    found = row.record.metrics if row.record else {}
    use, on_cpu = row.mac_utilization, found["cpu_operators"]
    shown = {
        "Ethos-U": f"{OWN if row.target else ' '} {row.point.accelerator.removeprefix('ethos-')}",
        "memory mode": _mode(row),
        "cycles": formats.short(found["cycles_total"]),
        "ms": f"{found['inference_ms']:,.2f}",
        "SRAM": formats.size(found["sram_bytes"]),
        "flash": formats.size(found["flash_bytes"]),
        "DRAM": formats.size(found["dram_bytes"]) if found["dram_bytes"] else "-",
        "MAC use": "-" if use is None else f"{100 * use:.1f} %",
        "on CPU": f"{on_cpu:,}",
    }
    style = "bold" if row.target else ""
    return [_aligned(name, shown[name], "$text-error" if name == "on CPU" and on_cpu else style) for name in chosen]


def _board_lines(boards: Sequence[Fit], columns: int) -> list[Content]:
    verdicts = {True: ("fits", "$text-success"), False: ("NO", "$text-error bold")}
    rows: list[styling.Cells] = [
        [
            styling.text(*verdicts[fit.fits]),
            styling.text(f"{fit.inference_ms:,.2f} ms".rjust(10), styling.MUTED),
            f"{fit.board}: {fit.said}" if fit.said else fit.board,
        ]
        for fit in boards
    ]
    return styling.table(rows, columns)
