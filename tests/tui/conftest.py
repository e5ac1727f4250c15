"""Recorded projects, and the dashboard above them."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from textual import constants
from textual.app import App
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

from tests.tui.recorded import NOW, Recorded
from tui.app import Dashboard


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """Work in an empty project folder, as the dashboard is started in one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UNROLL_DATA", raising=False)
    Path("experiments").mkdir()
    return Recorded()


@pytest.fixture(autouse=True)
def still_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing glide from place to place."""
    monkeypatch.setattr(constants, "TEXTUAL_ANIMATIONS", "none")


@pytest.fixture
def whole_dashboard() -> Dashboard:
    """Return the dashboard, which looks at the current folder at the recorded time."""
    return Dashboard(now=lambda: NOW)


@pytest.fixture
def no_footer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the footer, whose keys, styled with every focus, take a third of the time."""
    monkeypatch.setattr(Footer, "compose", lambda _: iter(()))


@pytest.fixture
def dashboard(whole_dashboard: Dashboard, no_footer: None) -> Dashboard:
    """Return the dashboard without the footer."""
    del no_footer
    return whole_dashboard


async def until(pilot: Pilot[None], true: Callable[[], object], seconds: float = 60) -> None:
    """Wait for something to become true on the screen; the longer it takes, the less often it is looked at."""
    slept, pause = 0.0, 0.01
    while slept < seconds:  # not by the clock, which goes on while a busy machine lets this wait
        await pilot.pause()
        if true():
            return
        await asyncio.sleep(pause)
        slept += pause
        pause = min(1.3 * pause, 0.2)
    pytest.fail("waited in vain")


async def settled(pilot: Pilot[None]) -> None:
    """Wait until everything that is known is shown, in its place.

    Textual lays the screen out twice: first without, then with the classes that its width gives it.
    """
    app = pilot.app
    assert isinstance(app, Dashboard)
    places: list[object] = []

    def is_settled() -> bool:
        before = places.copy()
        places[:] = [widget.region for widget in app.screen.walk_children(Widget)]
        return places == before and app.snapshot is not None and not _is_working(app)

    await until(pilot, is_settled)


def _is_working(app: App[None]) -> bool:
    """Tell whether a thread looks at files or draws samples: a busy machine lets it wait, while the screen is still."""
    return any(not worker.is_finished for worker in app.workers if worker.group in {"samples", "assess"})


async def still(pilot: Pilot[None]) -> None:
    """Wait until the screen does not change any more: layout and scrolling take their turns."""
    before: object = None
    for _ in range(100):
        await pilot.pause(0.1)
        squeezed = [footer for footer in pilot.app.screen.query(Footer) if _is_squeezed(footer)]
        for footer in squeezed:
            footer.refresh(recompose=True)
        now = pilot.app.screen._compositor.render_strips()
        if now == before and not squeezed and not _is_working(pilot.app):
            return
        before = now
    pytest.fail("the screen never stands still")


def _is_squeezed(footer: Footer) -> bool:
    """Tell whether a busy machine left the keys without gaps, as Textual makes them at first."""
    return any(key.has_class("-compact") for key in footer.query(FooterKey).exclude(".-command-palette"))
