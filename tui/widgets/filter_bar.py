"""The line at the bottom that ``/`` opens: it filters a table or searches the log."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui.messages import FilterChanged, FilterClosed


class FilterBar(Input):
    """Enter keeps the filter, Escape takes it away."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", "Clear", show=False)]

    def open(self, what: str) -> None:
        """Show the line, and say what is looked for."""
        self.placeholder = what
        self.value = ""
        self.display = True
        self.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as the user types."""
        event.stop()
        if self.display:
            self.post_message(FilterChanged(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter."""
        event.stop()
        self.display = False
        self.post_message(FilterClosed())

    def action_give_up(self) -> None:
        """Take the filter away."""
        self.value = ""
        self.post_message(FilterChanged(""))
        self.display = False
        self.post_message(FilterClosed())
