"""The layers tab: every operator of a compiled model in a table, put together by role or time step."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.coordinate import Coordinate
from textual.widget import Widget
from textual.widgets import DataTable, Static

from pipeline.engine.results.store import resolve
from pipeline.text.tables import percent
from pipeline.views import summary
from tui.data import formats
from tui.data.artefacts import UnreadableError
from tui.data.operators import Operator, OperatorGroup, groups, read_operators
from tui.data.view import View
from tui.widgets import styling
from tui.widgets.columns import Column, fitting
from tui.widgets.details_tab import DetailsTab
from tui.widgets.row_table import RowTable

if TYPE_CHECKING:
    from tui.data.project import StageStatus

GROUPINGS: tuple[str | None, ...] = ("role", "time step", "operator", None)
"""What the key ``t`` goes through; None shows every operator by itself."""

COLUMNS = (
    Column("name", 16, stretches=True),
    Column("cycles", 7),
    Column("share", 7, goes=5),
    Column("bar", 12, goes=4),
    Column("bound by", 14, goes=3),
    Column("operators", 9, goes=2),
    Column("MACs", 6, goes=1),
)

ORDERS: dict[str, tuple[Callable[[OperatorGroup], Any], bool]] = {
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


class LayersTab(DetailsTab):
    """Groups, sorts and filters the operators of one target."""

    TITLE = "Layers"
    ORDER = 4
    HELP_KEYS: ClassVar = {"t o": "in the layers: group by role, time step, operator; sort"}
    FILTERS = "filter the operators by name, role, step 3, flash, CPU"

    DEFAULT_CSS = """
    LayersTab {
        #layers-head { height: auto; text-wrap: nowrap; text-overflow: ellipsis; }
        #layer-table {
            height: 1fr;
            scrollbar-size-vertical: 1;
            scrollbar-size-horizontal: 1;
            background: $background;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "grouping", "Group by", show=False),
        Binding("o", "order", "Sort by", show=False),
    ]

    def __init__(self) -> None:
        """Show nothing yet."""
        super().__init__()
        self._stage: StageStatus | None = None
        self._operators: list[Operator] = []
        self._groups: list[OperatorGroup] = []
        self._trouble = ""
        self._rows_per_step = 1
        self._by: str | None = "role"
        self._order = "cycles"
        self._filter = ""

    def compose(self) -> ComposeResult:
        """Make the line above and the table."""
        yield Static(id="layers-head")
        yield LayerTable(cursor_type="row", id="layer-table", zebra_stripes=True)

    def key(self, view: View) -> object:
        """Return the compile whose operators are shown, and what a time step is."""
        stage = _stage(view)
        result = (stage.job.name, stage.record, "" if stage.record else stage.note) if stage else None
        return result, _rows_per_step(view), self.columns

    def draw(self, view: View) -> None:
        """Read the operators of the selected target, or of the experiment's first."""
        self._stage, self._rows_per_step = _stage(view), _rows_per_step(view)
        self._operators, self._trouble = [], ""
        if self._stage is None or self._stage.record is None:
            self._trouble = f"no result yet: {self._stage.note}" if self._stage else "no target"
        else:
            try:
                self._operators = read_operators(resolve(self._stage.job.link))
            except UnreadableError as error:
                self._trouble = str(error)
        self._arrange()

    def focus_target(self) -> Widget:
        """Return the table."""
        return self.query_one(LayerTable)

    def filter(self, wanted: str) -> None:
        """Show only operators whose name, role, step or bound contains a text."""
        self._filter = wanted
        self._arrange()

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        """Sort by the column that was clicked."""
        event.stop()
        column = str(event.column_key.value)
        self._order = _OF_COLUMN.get(column, column)
        self._arrange()

    def action_grouping(self) -> None:
        """Put operators together in the next way."""
        self._by = GROUPINGS[(GROUPINGS.index(self._by) + 1) % len(GROUPINGS)]
        self._order = "execution" if self._by in {None, "time step"} else "cycles"
        self._arrange()

    def action_order(self) -> None:
        """Sort by the next thing."""
        orders = list(ORDERS)
        self._order = orders[(orders.index(self._order) + 1) % len(orders)]
        self._arrange()

    def under_cursor(self) -> str | None:
        """Return the operators under the cursor with their numbers, as text to be copied."""
        if not self._groups:
            return ""
        group = self._groups[min(self.query_one(LayerTable).cursor_row, len(self._groups) - 1)]
        bound = f", bound by {group.bound_by}" if group.bound_by else ""
        return f"{group.name}: {group.cycles:,} cycles ({percent(group.share, 1)}), {group.macs:,} MACs{bound}"

    def _arrange(self) -> None:
        """Group, sort and filter the operators, and show them."""
        if self.columns <= 0:
            return  # not laid out yet
        by, backwards = ORDERS[self._order]
        arranged = sorted(groups(self._operators, self._by, self._filter), key=by, reverse=backwards)
        row, self._groups = self._row(arranged), arranged
        self.query_one("#layers-head", Static).update(self._head(arranged))
        self._fill(
            arranged, fitting(_columns(arranged), self.columns - 5)
        )  # of which 3 for the scrollbar, 2 for the padding
        if arranged:
            self.query_one(LayerTable).cursor_coordinate = Coordinate(row, 0)

    def _head(self, arranged: list[OperatorGroup]) -> Content:
        if self._trouble:
            return styling.text(self._trouble, "$text-warning")
        name = self._stage.job.name if self._stage else ""
        cycles = sum(group.cycles for group in arranged)
        operators = sum(group.operators for group in arranged)
        many = f"{operators:,} rows in {formats.count(len(arranged), 'group')}"
        filtered = f"   with {self._filter!r}" if self._filter else ""
        return styling.lines(
            [
                styling.row(styling.text(name, styling.HEADING), styling.text("  estimated by Vela", styling.MUTED)),
                styling.text(f"{many}, {cycles:,} cycles{filtered}"),
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

    def _fill(self, arranged: list[OperatorGroup], widths: Mapping[str, int]) -> None:
        table = self.query_one(LayerTable)
        table.clear(columns=True)
        for name, width in widths.items():
            title = self._by or "operator" if name == "name" else "" if name == "bar" else name
            table.add_column(Text(title), width=width, key=name)
        for group in arranged:
            cells = _cells(group, widths)
            table.add_row(*(cells[name] for name in widths))

    def _row(self, arranged: list[OperatorGroup]) -> int:
        """Return where the cursor goes: to what it was on, as far as that is still there."""
        before = self.query_one(LayerTable).cursor_row
        if not 0 <= before < len(self._groups):
            return 0
        was = self._groups[before]
        same = (row for row, group in enumerate(arranged) if (group.name, group.order) == (was.name, was.order))
        alike = (row for row, group in enumerate(arranged) if self._by and group.name == was.name)
        return next(same, next(alike, 0))


def _stage(view: View) -> "StageStatus | None":
    return next(iter(view.compiles()), None)


def _rows_per_step(view: View) -> int:
    unrolled = view.experiment.stage("unrolled")
    return summary.rows_per_step(unrolled.record.metrics) if unrolled and unrolled.record else 1


def _in_order(name: str) -> list[str | int]:
    """Return a key by which ``step 2`` comes before ``step 10``."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def _columns(arranged: Iterable[OperatorGroup]) -> list[Column]:
    """Return the columns, with room for the longest share: the smaller it is, the more digits it has."""
    longest = max((len(percent(group.share, 1)) for group in arranged), default=0)
    return [replace(each, width=max(each.width, longest)) if each.name == "share" else each for each in COLUMNS]


def _cells(group: OperatorGroup, widths: Mapping[str, int]) -> dict[str, Content]:
    on_cpu = f"  {group.on_cpu} on the CPU" if group.on_cpu else ""
    name = f"{group.name}{on_cpu}"
    if len(name) > widths["name"]:
        name = f"…{name[-widths['name'] + 1 :]}"  # what tells operators apart stands at the end
    return {
        "name": styling.text(name, "$text-error" if on_cpu else ""),
        "cycles": styling.text(f"{formats.short(group.cycles):>6}"),
        "share": styling.text(percent(group.share, 1).rjust(widths.get("share", 0))),
        "bar": styling.bar(group.share, widths.get("bar", 0)),
        "bound by": styling.text(group.bound_by),
        "operators": styling.text(f"{group.operators:>6}"),
        "MACs": styling.text(f"{formats.short(group.macs):>6}"),
    }
