"""Keys, signs and words, wrapped for any width."""

import pytest
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import Static

from tests.tui.alone import Empty
from tests.tui.conftest import settled, until
from tests.tui.recorded import Recorded
from tui.app import Dashboard
from tui.data import formats
from tui.screens.help import BASES, KEYS, STATES, HelpScreen, help_lines
from tui.screens.main import MainScreen


@pytest.mark.parametrize("columns", [40, 44, 70, 98])
def test_nothing_is_cut(columns: int) -> None:
    found = help_lines(columns)
    assert max(line.cell_length for line in found) <= columns
    said = " ".join(" ".join(line.plain for line in found).split())
    for part in (*KEYS.values(), BASES):
        assert all(" ".join(part[key].split()[:2]) in said for key in part)


def test_every_state_and_every_key_is_told() -> None:
    assert set(STATES) == set(formats.GLYPHS)
    said = " ".join(key for part in KEYS.values() for key in part).replace(",", " ").split()
    shown = {
        binding.key_display or ("esc" if binding.key == "escape" else binding.key)
        for binding in MainScreen.BINDINGS
        if isinstance(binding, Binding) and not binding.key.isdecimal()
    }
    assert shown - {"?"} <= set(said)


async def test_any_key_that_one_would_try_closes_it(recorded: Recorded, dashboard: Dashboard) -> None:
    recorded.write()
    async with dashboard.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for key in ("escape", "question_mark", "q", "enter"):
            await pilot.press("question_mark")
            assert isinstance(dashboard.screen, HelpScreen)
            await pilot.press(key)
            assert len(dashboard.screen_stack) == 1
            assert dashboard.main.focused is not None


async def test_it_scrolls_and_wraps_anew() -> None:
    app = Empty()
    async with app.run_test(size=(50, 24)) as pilot:
        await app.push_screen(HelpScreen())
        box = app.screen.query_one("#help", VerticalScroll)
        await until(pilot, lambda: box.max_scroll_y > 10)
        for keys, goal in ((["j", "j", "k"], 1), (["end"], box.max_scroll_y), (["home"], 0), (["down"], 1)):
            await pilot.press(*keys)
            await until(pilot, lambda goal=goal: box.scroll_y == goal)  # type: ignore[misc]
        narrow = box.max_scroll_y
        await pilot.resize_terminal(120, 24)
        await until(pilot, lambda: box.max_scroll_y < narrow)
        text = app.screen.query_one(Static).content
        assert "a clock, or an accuracy over the whole test set" in str(text)
