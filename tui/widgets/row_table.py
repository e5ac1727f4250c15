"""What the tables have in common: a cursor that is a whole row, and keys that vi has taught the hands of many."""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.coordinate import Coordinate
from textual.widgets import DataTable


class RowTable(DataTable[Content]):
    """A click selects a row, another one anywhere on it enters it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor_down", "Down", show=False),
        Binding("k", "cursor_up", "Up", show=False),
        Binding("g", "scroll_top", "First", show=False),
        Binding("G", "scroll_bottom", "Last", show=False),
    ]

    def on_click(self, event: events.Click) -> None:
        """Bring the cursor to the column that was clicked: Textual only enters the very cell that it is on."""
        clicked = event.style.meta
        if "column" in clicked and clicked.get("row") == self.cursor_row:
            self.cursor_coordinate = Coordinate(self.cursor_row, clicked["column"])
