"""What the tabs beside the list have in common: a place, a key, and drawing only what changed."""

from collections.abc import Mapping
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.containers import ScrollableContainer
from textual.widget import Widget
from textual.widgets import TabPane

from tui.data.view import View
from tui.widgets.keys import SCROLL_KEYS

_NEVER = object()


class DetailsTab(TabPane):
    """One aspect of what is selected. A module of ``tui.tabs`` that defines one adds it to the screen."""

    DEFAULT_CSS = """
    DetailsTab { height: 1fr; padding: 0 1; }
    """

    TITLE: ClassVar[str]
    """On the tab bar."""
    ORDER: ClassVar[int]
    """Where it stands on the tab bar. The key that opens it is the number of its place there."""
    SHORTCUT: ClassVar[str] = ""
    """A letter that opens it, too; it stands in the footer."""
    HELP_KEYS: ClassVar[Mapping[str, str]] = {}
    """Keys -> what they do here, for the help screen."""
    FILTERS: ClassVar[str] = ""
    """What ``/`` looks for here; a tab without has nothing to filter."""

    view: View | None = None
    """What is selected; None until it was first in sight."""

    def __init__(self) -> None:
        """Show nothing yet."""
        super().__init__(self.TITLE, id=self.tab_id())
        self.drawn_key: object = _NEVER

    @classmethod
    def tab_id(cls) -> str:
        """Return the name of its module, by which it is opened."""
        return cls.__module__.rpartition(".")[2]

    def show(self, view: View) -> None:
        """Show what is selected; called while the tab is in sight."""
        self.view = view
        self._draw_what_changed()

    def key(self, view: View) -> object:
        """Return all that the drawing depends on, the width as well: ``draw`` is called when it changes."""
        return view, self.columns

    def draw(self, view: View) -> None:
        """Draw; ``columns`` tells for which width."""
        raise NotImplementedError

    def draw_live(self, view: View) -> None:
        """Draw what changes while something runs; called every time, so it has to be cheap."""

    def filter(self, wanted: str) -> None:
        """Show only what contains a text; called where ``FILTERS`` says what may be looked for."""

    def under_cursor(self) -> str | None:
        """Return what the cursor is on, as text to be copied; None where there is no cursor."""
        return None

    def focus_target(self) -> Widget:
        """Return the part that takes the keys."""
        return self

    @property
    def columns(self) -> int:
        """Columns there are for text."""
        return self.scrollable_content_region.width

    def on_resize(self, event: events.Resize) -> None:
        """Draw for the new width."""
        del event
        self._draw_what_changed()

    def _draw_what_changed(self) -> None:
        if self.view is None or self.columns <= 0:
            return  # not in sight yet, or not laid out; on_resize comes
        key = self.key(self.view)
        if key != self.drawn_key:
            self.drawn_key = key
            self.draw(self.view)
        self.draw_live(self.view)


class TextTab(DetailsTab, can_focus=True):
    """A tab of text that scrolls."""

    DEFAULT_CSS = """
    TextTab {
        padding: 0 0 0 1;
        layout: vertical;
        overflow: hidden auto;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        & Static { width: 100%; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*ScrollableContainer.BINDINGS, *SCROLL_KEYS]
