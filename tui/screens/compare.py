"""Results side by side: those shown now and those remembered, with differences and the Pareto front."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Static
from textual_plotext import PlotextPlot

from pipeline.metrics import Metric, costs, told
from pipeline.stages.catalogue import STAGES
from pipeline.text import tables
from pipeline.views import accuracies
from pipeline.views.pareto.front import front as pareto_front
from tui.data import formats, results
from tui.data.results import ComparedRow, Result
from tui.widgets import styling
from tui.widgets.columns import Column, fitting
from tui.widgets.row_table import RowTable

MARKED_AT_FIRST = 3
COSTS = [metric for metric in costs(STAGES["vela"].metrics) if not metric.worded]


def columns_of(metrics: Sequence[Metric]) -> list[Column]:
    """Return the columns: what is known of each result, and what it costs; the last costs go first."""
    last = len(metrics)
    return [
        Column("", 4),
        Column("experiment", 16, stretches=True),
        Column("made", 10, goes=last + 1),
        Column("quantized", 9),
        Column("points", 7, goes=last),
        *(
            Column(metric.column, metric.quantity.width + 1, goes=last - place if place else last + 2)
            for place, metric in enumerate(metrics)
        ),
    ]


PADDING = 6
"""Of the whole width: the scrollbar, and the space before the first column and after the last."""


class ResultTable(RowTable):
    """Every result there is."""


class CompareScreen(Screen[None]):
    """Marked results are compared with the first of them; all of them are in the plot."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "Mark"),
        Binding("t", "target", "Next target"),
        Binding("p", "plot", "Plot"),
        Binding("c", "copy", "Copy"),
        Binding("P", "app.picture", "Picture", show=False),
        Binding("question_mark", "app.help", "Help", key_display="?"),
        Binding("escape,d,q", "app.pop_screen", "Back"),
    ]

    def __init__(self, compared: Sequence[Result], marked: set[str], now: Callable[[], float]) -> None:
        """Take all results, and the experiments that are marked already."""
        super().__init__()
        self._results = list(compared)
        wanted = [result for result in compared if result.current and result.experiment in marked]
        if len(wanted) < 2:  # noqa: PLR2004 - one alone is no comparison
            of_marked = [result for result in compared if result.experiment in marked]
            wanted = (of_marked or [result for result in compared if result.current])[:MARKED_AT_FIRST]
        self._marked = {id(result) for result in wanted}
        self._targets = results.target_names(compared)
        self._target = self._targets[0] if self._targets else ""
        self._now = now

    def compose(self) -> ComposeResult:
        """Results above, comparison and plot below."""
        yield Static(id="compare-head")
        yield ResultTable(cursor_type="row", id="results")
        with Horizontal(id="compared"):
            with VerticalScroll(id="side-by-side"):
                yield Static(id="differences")
            yield PlotextPlot(id="plot")
        yield Footer()

    def on_mount(self) -> None:
        """Begin in the table."""
        self.query_one(ResultTable).focus()

    def on_resize(self, event: events.Resize) -> None:
        """Drop columns that have no room any more."""
        del event
        self.call_after_refresh(self._draw)

    def action_mark(self) -> None:
        """Mark the result under the cursor, or take the mark away."""
        if self._results:
            self._marked ^= {id(self._results[self.query_one(ResultTable).cursor_row])}
            self._draw()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Mark what was clicked on or entered."""
        event.stop()
        self.action_mark()

    def action_target(self) -> None:
        """Show the next target's costs."""
        if self._targets:
            self._target = self._targets[(self._targets.index(self._target) + 1) % len(self._targets)]
            self._draw()

    def action_plot(self) -> None:
        """Show the plot in place of the differences, where there is no room for both."""
        self.toggle_class("-plot")

    def action_copy(self) -> None:
        """Copy the comparison as text."""
        if len(self._chosen()) < 2:  # noqa: PLR2004 - one alone is no comparison
            self.notify("mark two or more results first", severity="warning")
        else:
            self.app.copy_to_clipboard(self._difference_text().plain)
            self.notify("the comparison is copied")

    def _chosen(self) -> list[Result]:
        return [result for result in self._results if id(result) in self._marked]

    def _draw(self) -> None:
        self.query_one("#compare-head", Static).update(self._head())
        self._fill()
        self.query_one("#differences", Static).update(self._difference_text())
        self._plot()

    def _head(self) -> Content:
        if not self._results:
            return styling.text("No results yet: run an experiment first (esc, then r).")
        target = f"   costs on {self._target}, estimated" if self._target else ""
        return styling.row(
            styling.text("Compare", "bold"),
            f"   {formats.count(len(self._results), 'result')}, {len(self._chosen())} marked{target}",
        )

    def _fill(self) -> None:
        table = self.query_one(ResultTable)
        before, top = table.cursor_row, round(table.scroll_y)
        shown = self._costs()
        columns = fitting(columns_of(shown), self.size.width - PADDING)
        table.clear(columns=True)
        for name, width in columns.items():
            table.add_column(Text(name), width=width)
        for letter, result in self._lettered():
            cells = self._cells(letter, result, shown)
            table.add_row(*(cells[name] for name in columns))
        if self._results:
            row = min(before, len(self._results) - 1)
            table.move_cursor(row=row)
            if top <= row < top + table.size.height - table.header_height:
                table.scroll_to(y=top, animate=False)

    def _lettered(self) -> list[tuple[str, Result]]:
        return [(tables.letter(index), result) for index, result in enumerate(self._results)]

    def _costs(self) -> list[Metric]:
        """Return the costs that any result has on the target."""
        return told(COSTS, [result.targets.get(self._target, {}) for result in self._results])

    def _cells(self, letter: str, result: Result, shown: Sequence[Metric]) -> dict[str, Content]:
        of_target = result.targets.get(self._target, {})
        marked = id(result) in self._marked
        stand_in = " (stand-in data)" if result.stand_in else ""
        kept = "" if result.current else ", remembered"
        metric, score = accuracies.headline(result.metrics), accuracies.score(result.metrics)
        beside = accuracies.beside_float(result.metrics).removesuffix(" points") or "-"
        return {
            "": styling.text(f"{'*' if marked else ' '} {letter}", "$text-accent bold" if marked else ""),
            "experiment": styling.text(f"{result.experiment}{kept}{stand_in}", "" if result.current else styling.MUTED),
            "made": styling.text(formats.age(self._now() - result.finished), styling.MUTED),
            "quantized": styling.text(metric.cell(score)),
            "points": styling.text(beside),
            **{cost.column: styling.text(cost.cell(cost.of(of_target)).rjust(cost.quantity.width)) for cost in shown},
        }

    def _difference_text(self) -> Content:
        chosen = self._chosen()
        if len(chosen) < 2:  # noqa: PLR2004 - one alone is no comparison
            return styling.text("Mark two or more results with space, to see them side by side.")
        letters = {id(result): letter for letter, result in self._lettered()}
        head = ["", *(f"{letters[id(result)]} {result.experiment}" for result in chosen)]
        rows = results.side_by_side(chosen)
        return styling.lines(
            styling.table([[styling.text(cell, styling.HEADING) for cell in head], *map(_painted, rows)])
        )

    def _plot(self) -> None:
        widget = self.query_one("#plot", PlotextPlot)
        points = [
            (letter, cost, 100 * score)
            for letter, result in self._lettered()
            if (cost := COSTS[0].of(result.targets.get(self._target, {})))
            and (score := accuracies.score(result.metrics)) is not None
        ]
        plot = widget.plt
        plot.clear_data()
        plot.clear_figure()
        if points:
            front = sorted(
                pareto_front([(cycles, height) for _, cycles, height in points]),
                key=lambda index: points[index][1],
            )
            plot.plot([points[index][1] for index in front], [points[index][2] for index in front], marker="dot")
            for letter, cycles, height in reversed(points):  # of equal points, the first is seen
                plot.scatter([cycles], [height], marker=letter)
            ticks = _ticks([cycles for _, cycles, _ in points])
            plot.xticks(ticks, [formats.short(tick) for tick in ticks])
            plot.title(f"quantized accuracy (%) by {COSTS[0].title}; dots: Pareto front")
        widget.refresh()


def _ticks(values: Sequence[float]) -> list[float]:
    low, high = min(values), max(values)
    return [low + (high - low) * part / 4 for part in range(5)] if high > low else [low]


def _painted(row: ComparedRow) -> list[Content]:
    styles = {True: "$text-success", False: "$text-error", None: ""}
    cells = [styling.text(cell, styles[better]) for cell, better in zip(row.cells, row.better, strict=True)]
    return [styling.text(row.name, styling.MUTED), *cells]
