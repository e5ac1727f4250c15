"""The matrix tab: what the model costs on every Ethos-U that it was compiled for, and the boards it fits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from pipeline.metrics import Metric
from pipeline.text import tables
from tui.data import formats
from tui.data.live import Latest
from tui.data.matrix import COSTS, TIME, BoardFit, CompiledMatrix, last_change, read_matrix
from tui.data.project import ExperimentStatus
from tui.data.view import View
from tui.widgets import styling
from tui.widgets.columns import Column, fitting
from tui.widgets.details_tab import TextTab

if TYPE_CHECKING:
    from pipeline.views.matrix.compiling import Row

MODE = "memory mode"
MAC_USE = "MAC use"


def columns_of(metrics: Sequence[Metric]) -> list[Column]:
    """Return the columns: a point, and what it costs. The use of the MACs goes first, then the last cost and so on."""
    last = len(metrics)
    columns = [
        Column(
            metric.column,
            max(metric.quantity.narrow, len(metric.column)),
            goes=last - place + 1 if place else None,
        )
        for place, metric in enumerate(metrics)
    ]
    columns.insert(sum(metric.per_inference for metric in metrics), Column(MAC_USE, len(MAC_USE), goes=1))
    return [Column("Ethos-U", 10), Column(MODE, 14), *columns]


LEFT = ("Ethos-U", MODE)
"""Text begins at the left; numbers end at the right."""
OWN = "*"


class MatrixTab(TextTab):
    """Reads what ``doit matrix`` left; the key m compiles it."""

    TITLE = "Matrix"
    ORDER = 6

    def compose(self) -> ComposeResult:
        """Make a place for the progress and one for the table."""
        yield Static(id="matrix-progress")
        yield Static(id="matrix-table")

    def key(self, view: View) -> object:
        """Return the model and when its compiles last changed."""
        quantized = view.experiment.stage("quantized")
        model = (quantized.record, quantized.reasons) if quantized else None
        return view.experiment.name, self.columns, model, last_change(view.snapshot.project, view.experiment.name)

    def draw(self, view: View) -> None:
        """Draw the table."""
        lines = matrix_lines(view.experiment, read_matrix(view.snapshot.project, view.experiment), self.columns)
        self.query_one("#matrix-table", Static).update(styling.lines(lines))

    def draw_live(self, view: View) -> None:
        """Draw how far the compiles are, while they run."""
        latest, line = view.experiment.matrix, self.query_one("#matrix-progress", Static)
        line.display = latest is not None and latest.kind == "running"
        if latest and line.display:
            line.update(styling.lines([*progress_lines(latest, view.now, self.columns), ""]))


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


def matrix_lines(experiment: ExperimentStatus, compiled: CompiledMatrix, columns: int) -> Iterator[Content | str]:
    """Return the table by system configuration, the boards, and what is not known."""
    yield styling.text("on every Ethos-U, as Vela estimates it", styling.HEADING)
    yield from _what_is_not_known(experiment, compiled)
    longest = max((len(_mode(row)) for row in compiled.rows), default=0)
    widths = fitting(
        [replace(each, width=max(each.width, longest)) if each.name == MODE else each for each in columns_of(COSTS)],
        columns,
    )
    head = [_aligned(name, name, widths, styling.MUTED) for name in widths]
    lines = styling.table([head, *(_cells(row, widths) for row in compiled.rows)])
    if compiled.rows:
        yield ""
        yield lines[0]
    pairs = zip(compiled.rows, lines[1:], strict=True)
    for system, members in groupby(pairs, key=lambda pair: pair[0].point.system_config):
        rows = list(members)
        yield styling.text(f"{system}{_clock(rows[0][0])}", styling.MUTED)
        yield from (line for _, line in rows)
    if any(row.target for row in compiled.rows):
        yield styling.text(f"{OWN} a target of the experiment itself", styling.MUTED)
    if compiled.boards or compiled.trouble:
        yield ""
        yield styling.text("boards", styling.HEADING)
        yield from _board_lines(compiled.boards, columns)
    if compiled.trouble:
        yield styling.text(compiled.trouble, "$text-error")


def _what_is_not_known(experiment: ExperimentStatus, compiled: CompiledMatrix) -> Iterator[Content | str]:
    quantized = experiment.stage("quantized")
    if quantized is None or quantized.record is None:
        yield f"no model yet: {quantized.note}" if quantized else "the experiment's file has a mistake"
        return
    if quantized.reasons:
        yield styling.text(formats.from_previous_build(quantized.reasons), "$text-warning")
    if quantized.record.stand_in:
        yield styling.text(f"on STAND-IN data: {quantized.record.stand_in}", "$text-warning bold")
    if compiled.outdated:
        left_out = formats.count(compiled.outdated, "compile")
        yield styling.text(f"{left_out} of another model or Vela left out", "$text-warning")
    if compiled.missing:
        yield f"{formats.count(compiled.missing, 'point')} not compiled yet: m compiles the matrix"


def _clock(row: "Row") -> str:
    return f", {tables.figure(row.record.metrics['core_clock_hz'] / 1e6, 0)} MHz" if row.record else ""


def _aligned(name: str, cell: str, widths: Mapping[str, int], style: str = "") -> Content:
    return styling.text(cell if name in LEFT else cell.rjust(widths[name]), style)


def _mode(row: "Row") -> str:
    return row.point.memory_mode + (f" {row.point.optimise}" if row.point.optimise != "Performance" else "")


def _cells(row: "Row", widths: Mapping[str, int]) -> list[Content]:
    metrics = row.record.metrics if row.record else {}
    use = row.mac_utilization
    cells = {
        "Ethos-U": f"{OWN if row.target else ' '} {row.point.accelerator.removeprefix('ethos-')}",
        MODE: _mode(row),
        MAC_USE: "-" if use is None else tables.percent(use, 1),
        **{metric.column: metric.brief(metric.of(metrics)) for metric in COSTS},
    }
    style = "bold" if row.target else ""
    unwanted = {metric.column for metric in COSTS if metric.worded and metric.of(metrics)}
    return [_aligned(name, cells[name], widths, "$text-error" if name in unwanted else style) for name in widths]


def _board_lines(boards: Sequence[BoardFit], columns: int) -> list[Content]:
    verdicts = {True: ("fits", "$text-success"), False: ("NO", "$text-error bold"), None: ("?", "$text-warning")}
    rows: list[styling.Cells] = [
        [
            styling.text(*verdicts[fit.fits]),
            styling.text(f"{TIME.cell(fit.time)} {TIME.column}".rjust(10), styling.MUTED),
            f"{fit.board}: {fit.remarks}" if fit.remarks else fit.board,
        ]
        for fit in boards
    ]
    return styling.table(rows, columns)
