"""The keys, the signs and the words, on one screen."""

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui import tabs
from tui.data import formats
from tui.widgets import styling

TABS = tabs.load()
_OF_TABS = {
    keys: what
    for tab in sorted(TABS, key=lambda tab: not tab.SHORTCUT)  # those that a letter opens come first
    for keys, what in tab.HELP_KEYS.items()
}

KEYS: dict[str, dict[str, str]] = {
    "move": {
        "j k, arrows": "down, up (g G: first, last)",
        "enter": "fold an experiment in or out; open a stage",
        f"[ ], 1 to {min(len(TABS), 9)}": "tab before, next tab; a tab by its number",
        "esc": "back to the list",
        "b": "hide the list, so that the details have all the room",
        "/": "filter the list or the layers, search the log",
        "ctrl+p": "every command and every stage by name; themes",
    },
    "build": {
        "r": "run what is selected: a stage and what it needs, or all that is stale of an experiment",
        "R": "run all that is stale of every experiment",
        "F": "make the selected stage again, though it is fresh",
        "m": "compile the matrix: what the experiment costs on every Ethos-U",
        "s": "stop the run; what finished stays",
        "e": "open the experiment in your editor ($VISUAL, $EDITOR)",
    },
    "look": {
        **{
            keys: what for tab in sorted(TABS, key=lambda tab: not tab.SHORTCUT) for keys, what in tab.HELP_KEYS.items()
        },
        "space d": "mark experiments, and compare results",
        "c": "copy what the cursor is on",
        "P": "save a picture of the screen (SVG)",
        "q": "quit; a run goes on unless you say otherwise",
    },
}

STATES = {
    "fresh": "nothing that matters to it changed",
    "restored": "fresh, brought back from the store without being made again",
    "stale": "something changed; the reason stands beside it",
    "waiting": "its turn comes in the run that is going on",
    "running": "being made now",
    "failed": "its last run failed; the first tab says why",
    "invalid": "the experiment's file has a mistake",
}

BASES = {
    "measured": "a clock, or an accuracy over the whole test set",
    "estimated": "Vela's model of the NPU, which is neither silicon nor a simulator",
    "emulated": "our reading of the compiled file, executed",
}


class HelpScreen(ModalScreen[None]):
    """Closed by any of the keys that one would try."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "app.pop_screen", "Close", show=False),
        Binding("j", "scroll('down')", "Down", show=False),
        Binding("k", "scroll('up')", "Up", show=False),
    ]

    def compose(self) -> ComposeResult:
        """Show everything in one column that scrolls."""
        with VerticalScroll(id="help"):
            yield Static()

    def on_resize(self, event: events.Resize) -> None:
        """Wrap for the new width."""
        del event
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        columns = self.query_one("#help", VerticalScroll).scrollable_content_region.width
        self.query_one(Static).update(styling.lines(help_lines(columns)))

    def action_scroll(self, way: str) -> None:
        """Scroll by keys."""
        text = self.query_one("#help", VerticalScroll)
        if way == "down":
            text.scroll_down()
        else:
            text.scroll_up()


def help_lines(columns: int) -> list[Content]:
    """Return the help's text, wrapped."""
    parts = {**KEYS, "states": {formats.GLYPHS[name] + " " + name: what for name, what in STATES.items()}}
    parts["what kind of number it is"] = BASES
    width = max(len(key) for part in parts.values() for key in part)
    lines: list[Content] = []
    for title, part in parts.items():
        rows: list[styling.Cells] = [
            [styling.text(f"  {key:<{width}}", "$text-accent"), does] for key, does in part.items()
        ]
        lines += [styling.text(title, styling.HEADING), *styling.table(rows, columns), Content("")]
    return lines
