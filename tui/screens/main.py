"""The main screen: experiments on the left, what is selected on the right."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer, Static, TabbedContent

from pipeline.folders import EXPERIMENTS
from tui import tabs
from tui.data.project import ExperimentStatus, Snapshot, StageStatus
from tui.data.view import View
from tui.messages import FilterChanged, FilterClosed, Opened, Selected
from tui.widgets import styling
from tui.widgets.details_tab import DetailsTab
from tui.widgets.filter_bar import FilterBar
from tui.widgets.headline import Headline
from tui.widgets.stage_table import StageTable

TABS = {tab.tab_id(): tab for tab in tabs.load()}
"""Name -> tab, in the order of the tab bar."""

EMPTY = """No experiments yet.

An experiment is a file experiments/<name>.toml. Copy a shipped one,
or write one as the README says; it shows up here at once."""


class MainScreen(Screen[None]):
    """List and details; a narrow screen shows one of the two."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # the footer shows them in this order and drops the last first
        Binding("r", "app.run_selected", "Run"),
        Binding("s", "app.stop", "Stop"),
        *(Binding(tab.SHORTCUT, f"tab('{name}')", tab.TITLE) for name, tab in TABS.items() if tab.SHORTCUT),
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("question_mark", "app.help", "Help", key_display="?"),
        Binding("q", "app.leave", "Quit"),
        Binding("e", "app.edit", "Edit"),
        Binding("d", "app.compare", "Compare"),
        Binding("R", "app.run_all", "Run all", show=False),
        Binding("m", "app.run_matrix", "Matrix", show=False),
        Binding("F", "app.force", "Force", show=False),
        Binding("left_square_bracket", "turn(-1)", "Tab before", show=False, key_display="["),
        Binding("right_square_bracket", "turn(1)", "Next tab", show=False, key_display="]"),
        *(Binding(key, f"tab('{tab}')", tab, show=False) for key, tab in zip("123456789", TABS, strict=False)),
        Binding("b", "list", "List", show=False),
        Binding("c", "app.copy", "Copy", show=False),
        Binding("P", "app.picture", "Picture", show=False),
        Binding("escape", "back", "Back", show=False),
    ]

    def __init__(self, now: Callable[[], float]) -> None:
        """Show nothing yet; ``now`` tells the time."""
        super().__init__()
        self._now = now
        self._snapshot = Snapshot()
        self._selected: tuple[str, str | None] | None = None
        self._filters: StageTable | DetailsTab | None = None

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield Headline(Content("Unroll"), id="headline-bar")
        with Horizontal(id="body"):
            yield StageTable(self._now)
            with Vertical(id="details"), TabbedContent(initial=next(iter(TABS))):
                for tab in TABS.values():
                    yield tab()
        yield Static(id="why")
        yield Static(Content(EMPTY), id="empty")
        yield FilterBar(id="filter")
        yield Footer()

    def on_mount(self) -> None:
        """Begin in the list."""
        self.query_one(FilterBar).display = False
        self.query_one("#empty").display = False
        self.query_one(StageTable).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Let no key act that comes late, while Textual takes the widgets away."""
        del action, parameters
        return self.app.is_running

    def keep_focus(self) -> None:
        """Give the focus to something that is still shown, after a resize took away what had it."""
        focused, table = self.focused, self.query_one(StageTable)
        if focused is None or not all(node.display for node in focused.ancestors_with_self if isinstance(node, Widget)):
            if table.display:
                table.focus()
            else:
                self._focus_details()

    def show(self, snapshot: Snapshot) -> None:
        """Show how things stand now."""
        self._snapshot = snapshot
        self.query_one(Headline).show(snapshot, self._now())
        body, table = self.query_one("#body"), self.query_one(StageTable)
        self.query_one("#empty").display = not snapshot.experiments
        if body.display != bool(snapshot.experiments):
            body.display = bool(snapshot.experiments)
            table.focus()
        table.show(snapshot)
        self._show_details()

    def _show_details(self) -> None:
        view, tab = self.view(), self._tab()
        why = _why(view)
        reason = self.query_one("#why", Static)
        reason.update(why)
        reason.set_class(not why, "-none")  # of itself: a class of the screen would have all widgets styled anew
        if view is not None and tab is not None:
            tab.show(view)

    def _tab(self) -> DetailsTab | None:
        """Return the tab in sight; None before the first is laid out."""
        pane = self.query_one(TabbedContent).active_pane
        return pane if isinstance(pane, DetailsTab) else None

    def view(self) -> View | None:
        """Return what is selected, or None while there is nothing."""
        experiment = self.experiment()
        return View(self._snapshot, experiment, self.stage(), self._now()) if experiment else None

    def experiment(self) -> ExperimentStatus | None:
        """Return the selected experiment, or the one whose stage is selected."""
        return self._snapshot.experiment(self._selected[0]) if self._selected else None

    def stage(self) -> StageStatus | None:
        """Return the selected stage."""
        job = self._selected[1] if self._selected else None
        return self._snapshot.stage(job) if job else None

    def under_cursor(self) -> str:
        """Return what the cursor is on, as text to be copied."""
        tab = self._tab()
        text = tab.under_cursor() if tab and tab.has_focus_within else None
        if text is not None:
            return text
        stage, experiment = self.stage(), self.experiment()
        if stage:
            return f"{stage.job.name}  {stage.state}  {stage.note}".strip()
        return f"{EXPERIMENTS}/{experiment.name}.toml" if experiment else ""

    def select(self, experiment: str, job: str | None) -> None:
        """Move to an experiment or a stage."""
        self.query_one(StageTable).go_to(experiment, job)

    def on_selected(self, message: Selected) -> None:
        """Show what the cursor is on."""
        self._selected = (message.experiment, message.job)
        self._show_details()

    def on_opened(self, message: Opened) -> None:
        """Turn to the details."""
        del message
        self.add_class("-details")
        self._focus_details()

    def on_tabbed_content_tab_activated(self, event: TabbedContent.TabActivated) -> None:
        """Draw the tab that came into sight."""
        event.stop()
        self._show_details()

    def action_tab(self, name: str) -> None:
        """Show a tab; on a narrow screen, in place of the list."""
        self.query_one(TabbedContent).active = name
        self.add_class("-details")
        self._focus_details()

    def action_turn(self, step: int) -> None:
        """Show the next tab, or the one before."""
        names = list(TABS)
        self.action_tab(names[(names.index(self.query_one(TabbedContent).active) + step) % len(names)])

    def _focus_details(self) -> None:
        tab = self._tab()
        if tab and tab.is_mounted:
            tab.focus_target().focus()

    def action_back(self) -> None:
        """Return to the list."""
        self.remove_class("-details", "-no-list")
        self.query_one(StageTable).focus()

    def action_list(self) -> None:
        """Hide the list, or show it again."""
        if self.query_one(StageTable).display:
            self.add_class("-no-list")
            self._focus_details()
        else:
            self.action_back()

    def action_filter(self) -> None:
        """Look for something in what has the focus: the tab, where it can be filtered, or else the list."""
        details = self.focused is not None and self.query_one("#details") in self.focused.ancestors
        tab = self._tab() if details else None
        if tab and tab.FILTERS:
            self._filters, what = tab, tab.FILTERS
        else:
            self.remove_class("-details", "-no-list")  # what is filtered is to be seen
            self._filters, what = self.query_one(StageTable), "filter the experiments by name, state, reason"
        self.query_one(FilterBar).open(what)

    def on_filter_changed(self, message: FilterChanged) -> None:
        """Filter as the user types."""
        if self._filters:
            self._filters.filter(message.text)

    def on_filter_closed(self, message: FilterClosed) -> None:
        """Return to what was filtered."""
        del message
        if isinstance(self._filters, StageTable):
            self._filters.focus()
        else:
            self._focus_details()


def _why(view: View | None) -> Content:
    """Say in a few words what a narrow screen, which has no room for the details, would hide."""
    if view is None:
        return Content("")
    if view.stage:
        return styling.text(view.stage.note)
    return styling.text(view.experiment.problem or view.experiment.description)
