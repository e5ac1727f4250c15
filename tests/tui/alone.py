"""A tab or a screen alone: styling the rest of the dashboard takes ten times as long."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Static

from tests.conftest import ROOT
from tests.tui.recorded import NOW
from tui.app import Dashboard
from tui.data.project import ProjectWatcher
from tui.data.view import View
from tui.widgets.details_tab import DetailsTab


class Empty(App[None]):
    """Has the dashboard's styles, and nothing on its first screen."""

    CSS_PATH = ROOT / "tui" / "app.tcss"
    HORIZONTAL_BREAKPOINTS = Dashboard.HORIZONTAL_BREAKPOINTS


class OneTab(App[None]):
    """Shows a tab, of the project in the current folder at the recorded time."""

    pilot: Pilot[None]

    def __init__(self, tab: DetailsTab) -> None:
        super().__init__()
        self.tab = tab
        self._watcher = ProjectWatcher(lambda: NOW)
        self._selected: tuple[str, str | None] = ("keyword", None)

    def compose(self) -> ComposeResult:
        yield self.tab

    def select(self, job: str | None, experiment: str = "keyword") -> None:
        """Show an experiment, or one of its stages."""
        self._selected = (experiment, job)
        self.look()

    def look(self) -> None:
        """Look at the files and the events, and show what is selected."""
        self._watcher.poll()
        self._watcher.assess()
        snapshot = self._watcher.snapshot()
        experiment, job = snapshot.experiment(self._selected[0]), self._selected[1]
        assert experiment
        self.tab.show(View(snapshot, experiment, snapshot.stage(job) if job else None, NOW))

    def text(self, selector: str = "Static") -> str:
        """Return what parts of the tab say, one below the other."""
        return "\n".join(str(part.content) for part in self.tab.query(selector).results(Static) if part.display)

    async def resize(self, width: int, height: int) -> None:
        await self.pilot.resize_terminal(width, height)
        await self.settle()

    async def settle(self) -> None:
        """Wait for what threads draw, and for the layout."""
        while any(not worker.is_finished for worker in self.workers):
            await self.pilot.pause(0.01)
        await self.pilot.pause()


@asynccontextmanager
async def alone(
    tab: DetailsTab, size: tuple[int, int], experiment: str = "keyword", *, settled: bool = True
) -> AsyncIterator[OneTab]:
    """Open a tab; ``size`` is its columns and lines. Without ``settled``, threads may still be at work."""
    app = OneTab(tab)
    async with app.run_test(size=size) as app.pilot:
        await app.pilot.pause()
        tab.focus_target().focus()
        app.select(None, experiment)
        if settled:
            await app.settle()
        yield app
