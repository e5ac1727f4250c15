"""The layers tab: every operator of a compiled model in a table, put together by role or time step."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.coordinate import Coordinate
from textual.widgets import DataTable, Static

from pipeline import summary
from pipeline.store import resolve
from tui.data import formats, operators
from tui.data.accuracy import UnreadableError
from tui.data.operators import Group, Layer
from tui.widgets import styling
from tui.widgets.row_table import RowTable
from tui.widgets.tab import View

if TYPE_CHECKING:
    from tui.data.project import StageStatus

GROUPINGS: tuple[str | None, ...] = ("role", "time step", "operator", None)
"""What the key ``t`` goes through; None shows every operator by itself."""

COLUMNS: dict[str, int] = {"name": 0, "cycles": 7, "share": 7, "bar": 12, "bound by": 14, "operators": 9, "MACs": 6}
"""Column -> width; the name takes what is left."""
DROPPED = ("MACs", "operators", "bound by", "bar", "share")
"""Columns that go when there is no room, the first first."""
LEAST_NAME = 17

ORDERS: dict[str, tuple[Callable[[Group], Any], bool]] = {
    "execution": (lambda group: group.order, False),
    "cycles": (lambda group: group.cycles, True),
    "name": (lambda group: _in_order(group.name), False),
    "operators": (lambda group: group.operators, True),
    "MACs": (lambda group: group.macs, True),
    "bound by": (lambda group: group.bound_by, False),
}
"""Order -> what it goes by, and whether the most comes first."""
_OF_COLUMN = {"share": "cycles", "bar": "cycles"}


class LayerTable(RowTable):
    """The table itself."""


class LayersTab(Vertical):
    """Groups, sorts and filters the operators of one target."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "grouping", "Group by", show=False),
        Binding("o", "order", "Sort by", show=False),
    ]

    def __init__(self) -> None:
        """Show nothing yet."""
        super().__init__()
        self._stage: StageStatus | None = None
        self._layers: list[Layer] = []
        self._groups: list[Group] = []
        self._trouble = ""
        self._rows_per_step = 1
        self._read: object = None
        self._shown: object = None
        self._by: str | None = "role"
        self._order = "cycles"
        self._filter = ""

    def compose(self) -> ComposeResult:
        """Make the line above and the table."""
        yield Static(id="layers-head")
        yield LayerTable(cursor_type="row", id="layer-table", zebra_stripes=True)

    def show(self, view: View) -> None:
        """Show the operators of the selected target, or of the experiment's first."""
        selected = next(iter(view.compiles()), None)
        self._stage = selected
        unrolled = view.experiment.stage("unrolled")
        self._rows_per_step = summary.rows_per_step(unrolled.record.metrics) if unrolled and unrolled.record else 1
        read = (selected.job.name, selected.record, "" if selected.record else selected.note) if selected else None
        if read != self._read:
            self._read = read
            self._load()
        self._draw()

    def filter(self, wanted: str) -> None:
        """Show only operators whose name, role, step or bound contains a text."""
        self._filter = wanted
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        """Drop columns that have no room any more."""
        del event
        self._draw()

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        """Sort by the column that was clicked."""
        event.stop()
        column = str(event.column_key.value)
        self._order = _OF_COLUMN.get(column, column)
        self._draw()

    def action_grouping(self) -> None:
        """Put operators together in the next way."""
        self._by = GROUPINGS[(GROUPINGS.index(self._by) + 1) % len(GROUPINGS)]
        self._order = "execution" if self._by in {None, "time step"} else "cycles"
        self._draw()

    def action_order(self) -> None:
        """Sort by the next thing."""
        orders = list(ORDERS)
        self._order = orders[(orders.index(self._order) + 1) % len(orders)]
        self._draw()

    def under_cursor(self) -> str:
        """Return the operators under the cursor with their numbers, as text to be copied."""
        if not self._groups:
            return ""
        group = self._groups[min(self.query_one(LayerTable).cursor_row, len(self._groups) - 1)]
        bound = f", bound by {group.bound_by}" if group.bound_by else ""
        return f"{group.name}: {group.cycles:,} cycles ({100 * group.share:.1f} %), {group.macs:,} MACs{bound}"

    def _load(self) -> None:
        self._layers, self._trouble = [], ""
        if self._stage is None or self._stage.record is None:
            self._trouble = f"no result yet: {self._stage.note}" if self._stage else "no target"
            return
        try:
            self._layers = operators.layers(resolve(self._stage.job.link))
        except UnreadableError as error:
            self._trouble = str(error)

    def _draw(self) -> None:
        width = self.scrollable_content_region.width
        shown = (self._read, self._rows_per_step, width, self._by, self._order, self._filter)
        if not width or shown == self._shown:
            return
        self._shown = shown
        by, backwards = ORDERS[self._order]
        groups = sorted(operators.groups(self._layers, self._by, self._filter), key=by, reverse=backwards)
        row, self._groups = self._row(groups), groups
        self.query_one("#layers-head", Static).update(self._head(groups))
        self._fill(groups, styling.fitting(COLUMNS, DROPPED, width - LEAST_NAME - 2), width)
        if groups:
            self.query_one(LayerTable).cursor_coordinate = Coordinate(row, 0)

    def _head(self, groups: list[Group]) -> Content:
        if self._trouble:
            return styling.text(self._trouble, "$text-warning")
        name = self._stage.job.name if self._stage else ""
        cycles = sum(group.cycles for group in groups)
        operators = sum(group.operators for group in groups)
        filtered = f"   with {self._filter!r}" if self._filter else ""
        return styling.lines(
            [
                styling.row(styling.text(name, styling.HEADING), styling.text("  estimated by Vela", styling.MUTED)),
                styling.text(
                    f"{operators:,} rows in {formats.count(len(groups), 'group')}, {cycles:,} cycles{filtered}"
                ),
                styling.row(
                    styling.text("t", "bold"),
                    f" by {self._by or 'itself'}{self._folded()}  ",
                    styling.text("o", "bold"),
                    f" order {self._order}  ",
                    styling.text("/", "bold"),
                    " filter",
                ),
            ]
        )

    def _folded(self) -> str:
        """Say what a step is where it is not a row of the data set."""
        folded = self._by == "time step" and self._rows_per_step > 1
        return f" of {self._rows_per_step} rows" if folded else ""

    def _fill(self, groups: list[Group], columns: list[str], width: int) -> None:
        table = self.query_one(LayerTable)
        table.clear(columns=True)
        taken = sum(COLUMNS[name] + styling.GAP for name in columns)
        widths = {name: COLUMNS[name] or max(width - taken - 3, LEAST_NAME) for name in columns}
        for name in columns:
            title = self._by or "operator" if name == "name" else "" if name == "bar" else name
            table.add_column(Text(title), width=widths[name], key=name)
        for group in groups:
            cells = _cells(group, widths)
            table.add_row(*(cells[name] for name in columns))

    def _row(self, groups: list[Group]) -> int:
        """Return where the cursor goes: to what it was on, as far as that is still there."""
        before = self.query_one(LayerTable).cursor_row
        if not 0 <= before < len(self._groups):
            return 0
        was = self._groups[before]
        same = (row for row, group in enumerate(groups) if (group.name, group.order) == (was.name, was.order))
        alike = (row for row, group in enumerate(groups) if self._by and group.name == was.name)
        return next(same, next(alike, 0))


def _in_order(name: str) -> list[str | int]:
    """Return a key by which ``step 2`` comes before ``step 10``."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def _cells(group: Group, widths: dict[str, int]) -> dict[str, Content]:
    on_cpu = f"  {group.on_cpu} on the CPU" if group.on_cpu else ""
    name = f"{group.name}{on_cpu}"
    if len(name) > widths["name"]:
        name = f"…{name[-widths['name'] + 1 :]}"  # what tells operators apart stands at the end
    return {
        "name": styling.text(name, "$text-error" if on_cpu else ""),
        "cycles": styling.text(f"{formats.short(group.cycles):>6}"),
        "share": styling.text(f"{100 * group.share:5.1f} %"),
        "bar": styling.bar(group.share, COLUMNS["bar"]),
        "bound by": styling.text(group.bound_by),
        "operators": styling.text(f"{group.operators:>6}"),
        "MACs": styling.text(f"{formats.short(group.macs):>6}"),
    }
