"""The list on the left: experiments, their stages, and how each stands."""

from collections.abc import Callable, Mapping
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import DataTable

from tui.data import formats
from tui.data.project import ExperimentStatus, Snapshot, StageStatus
from tui.messages import Opened, Selected
from tui.widgets import styling
from tui.widgets.columns import Column, fitting
from tui.widgets.row_table import RowTable

MOST_UNFOLDED = 60
"""Stages up to which all experiments are unfolded at first."""

COLUMNS = (
    Column("name", 19, stretches=True),
    Column("state", 15),
    Column("time", 11, goes=2),
    Column("age", 10, goes=1),
)


class StageTable(RowTable):
    """Experiments with their stages folded in or out; only cells that changed are drawn anew."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "unfold", "Unfold", show=False),
        Binding("left", "fold", "Fold", show=False),
        Binding("enter", "open", "Open", show=False),
        Binding("space", "mark", "Mark", show=False),
    ]

    def __init__(self, now: Callable[[], float]) -> None:
        """Show nothing yet; ``now`` tells the time for ages."""
        super().__init__(cursor_type="row", id="stages", cell_padding=0, header_height=1)
        self._now = now
        self._snapshot = Snapshot()
        self._unfolded: set[str] | None = None
        self._filter = ""
        self._drawn: dict[str, list[Content]] = {}
        self._last: str | None = None
        self.marked: set[str] = set()

    def show(self, snapshot: Snapshot) -> None:
        """Show how things stand now."""
        self._snapshot = snapshot
        if self._unfolded is None and snapshot.experiments:
            few = len(snapshot.stages()) <= MOST_UNFOLDED
            self._unfolded = {experiment.name for experiment in snapshot.experiments} if few else set()
        self._draw()

    def filter(self, wanted: str) -> None:
        """Show only experiments whose name, description, state or stages' reasons contain a text."""
        self._filter = wanted
        self._draw(anew=True)  # with another title

    def on_resize(self, event: events.Resize) -> None:
        """Drop columns that have no room any more."""
        del event
        self._draw(anew=True)

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Tell what the cursor is on; while rows are laid out anew it passes over others."""
        event.stop()
        key = event.row_key.value if event.row_key else None  # there is none when all rows went meanwhile
        if key is not None and key == self.current:
            self._last = key
            self.post_message(Selected(*_split(key)))

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Open what was clicked on or entered."""
        event.stop()
        self.action_open()

    @property
    def current(self) -> str | None:
        """The key of the row under the cursor: ``experiment`` or ``experiment/job``."""
        keys = list(self._drawn)
        return keys[self.cursor_row] if 0 <= self.cursor_row < len(keys) else None

    def go_to(self, experiment: str, job: str | None) -> None:
        """Move the cursor to an experiment or a stage, unfolding and unfiltering what hides it."""
        if job:
            self._fold(experiment, unfold=True)
        key = _key(experiment, job)
        if key not in self._drawn:
            self.filter("")
        if key in self._drawn:
            self.move_cursor(row=list(self._drawn).index(key))

    def action_open(self) -> None:
        """Fold an experiment in or out; open a stage."""
        if self.current is None:
            return
        experiment, job = _split(self.current)
        if job is None:
            self._fold(experiment, unfold=experiment not in (self._unfolded or set()))
        else:
            self.post_message(Opened())

    def action_unfold(self) -> None:
        """Show the stages of the experiment under the cursor."""
        if self.current is not None:
            self._fold(_split(self.current)[0], unfold=True)

    def action_fold(self) -> None:
        """Hide the stages of the experiment under the cursor."""
        if self.current is not None:
            experiment = _split(self.current)[0]
            self._fold(experiment, unfold=False)
            self.go_to(experiment, None)

    def action_mark(self) -> None:
        """Mark the experiment under the cursor for comparing, or take the mark away."""
        if self.current is not None:
            self.marked ^= {_split(self.current)[0]}
            self._draw()

    def _fold(self, experiment: str, *, unfold: bool) -> None:
        unfolded = self._unfolded or set()
        self._unfolded = unfolded | {experiment} if unfold else unfolded - {experiment}
        self._draw()

    def _columns(self) -> Mapping[str, int]:
        return fitting(COLUMNS, self.size.width - self.scrollbar_size_vertical, gap=0)

    def _draw(self, *, anew: bool = False) -> None:
        if not self.size.width:
            return  # not laid out yet; on_resize comes
        columns = self._columns()
        rows = dict(self._rows(columns))
        if anew or list(rows) != list(self._drawn):
            self._rebuild(columns, rows)
            return
        for index, (key, cells) in enumerate(rows.items()):
            for column, (cell, before) in enumerate(zip(cells, self._drawn[key], strict=True)):
                if cell != before:
                    self.update_cell_at((index, column), cell)  # type: ignore[arg-type] # a Coordinate is a pair
        self._drawn = rows

    def _rebuild(self, columns: Mapping[str, int], rows: dict[str, list[Content]]) -> None:
        before, last, top = self.cursor_row, self.current or self._last, round(self.scroll_y)
        self._drawn = rows
        self.clear(columns=True)
        for name, width in columns.items():
            self.add_column(self._title(name), width=width)
        for key, cells in rows.items():
            self.add_row(*cells, key=key)
        if rows and last:
            row = self._place(last, list(rows), before)
            self.move_cursor(row=row, scroll=False)
            seen = top <= row < top + self.size.height - self.header_height
            self.scroll_to(y=top if seen else max(top + row - before, 0), animate=False)

    def _place(self, key: str, keys: list[str], before: int) -> int:
        """Return the row for the cursor: the same, its experiment's, the first match, or the next after one gone."""
        experiment = _split(key)[0]
        for wanted in (key, experiment):
            if wanted in keys:
                return keys.index(wanted)
        return 0 if self._snapshot.experiment(experiment) else min(before, len(keys) - 1)

    def _title(self, column: str) -> Text:
        if column != "name":
            return Text(column)
        return Text(f"with {self._filter!r}", style="reverse") if self._filter else Text("experiment, stage")

    def _rows(self, columns: Mapping[str, int]) -> list[tuple[str, list[Content]]]:
        width = columns["name"]
        rows = []
        for experiment in self._snapshot.experiments:
            if not _matches(experiment, self._filter.lower()):
                continue
            unfolded = experiment.name in (self._unfolded or set())
            cells = self._cells_of_experiment(experiment, unfolded=unfolded, width=width)
            rows.append((experiment.name, [cells[name] for name in columns]))
            for stage in experiment.stages if unfolded else ():
                cells = self._cells_of_stage(stage, width)
                rows.append((_key(experiment.name, stage.job.name), [cells[name] for name in columns]))
        return rows

    def _cells_of_experiment(self, experiment: ExperimentStatus, *, unfolded: bool, width: int) -> dict[str, Content]:
        fold = " " if not experiment.stages else "▾" if unfolded else "▸"
        mark = "*" if experiment.name in self.marked else ""
        name = styling.text(formats.clipped(f"{fold} {mark}{experiment.name}", width - 1), styling.HEADING)
        beside = f" {experiment.stale}" if experiment.state == "stale" else ""
        seconds = sum(stage.record.seconds for stage in experiment.stages if stage.record)
        return {
            "name": name,
            "state": styling.state(experiment.state, beside),
            "time": styling.text(formats.duration(seconds) if seconds else "", styling.MUTED),
            "age": self._age(max((stage.record.finished for stage in experiment.stages if stage.record), default=None)),
        }

    def _cells_of_stage(self, stage: StageStatus, width: int) -> dict[str, Content]:
        job = stage.job
        name = f"    {job.stage.name}{f' {job.target}' if job.target else ''}"
        progress = stage.latest.progress if stage.latest and stage.state == "running" else None
        beside = f" {100 * progress.share:.0f} %" if progress else ""
        running = stage.latest.started if stage.latest and stage.state == "running" else None
        seconds = self._now() - running if running is not None else stage.record.seconds if stage.record else None
        return {
            "name": styling.text(formats.clipped(name, width - 1)),
            "state": styling.state(stage.state, beside),
            "time": styling.text(formats.duration(seconds) if seconds is not None else "", styling.MUTED),
            "age": self._age(stage.record.finished if stage.record else None),
        }

    def _age(self, finished: float | None) -> Content:
        return styling.text(formats.age(self._now() - finished) if finished else "", styling.MUTED)


def _matches(experiment: ExperimentStatus, wanted: str) -> bool:
    texts = [
        experiment.name,
        experiment.description,
        experiment.state,
        experiment.problem or "",
        *(stage.note for stage in experiment.stages),
    ]
    return any(wanted in part.lower() for part in texts)


def _key(experiment: str, job: str | None) -> str:
    return f"{experiment}/{job}" if job else experiment


def _split(key: str) -> tuple[str, str | None]:
    experiment, _, job = key.partition("/")
    return experiment, job or None
