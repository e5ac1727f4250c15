"""The main screen: tabs, list and details in every width, and a focus that is never lost."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import TabbedContent
from textual.widgets._footer import FooterKey

from tests.tui.conftest import settled, still, until
from tests.tui.recorded import Recorded
from tui.app import Dashboard
from tui.screens.main import TABS
from tui.widgets.stage_table import StageTable

FIRST_KEYS = ["r", "s", "l", "/", "?", "q"]


def active(pilot: Pilot[None]) -> str:
    return pilot.app.screen.query_one(TabbedContent).active


def focus_is_seen(pilot: Pilot[None]) -> bool:
    """Tell whether what has the focus is on the screen."""
    focused = pilot.app.screen.focused
    return focused is not None and all(node.display for node in focused.ancestors_with_self if isinstance(node, Widget))


@pytest.fixture
def built(recorded: Recorded) -> Recorded:
    """Return a project that is built."""
    recorded.write()
    recorded.build()
    return recorded


async def test_tabs_are_turned_by_brackets_and_numbers(built: Recorded, dashboard: Dashboard) -> None:
    del built
    async with dashboard.run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        await pilot.press("left_square_bracket")
        assert active(pilot) == "matrix"
        await pilot.press("right_square_bracket", "right_square_bracket")
        assert active(pilot) == "accuracy"
        for number, name in enumerate(TABS, 1):
            await pilot.press(str(number))
            assert active(pilot) == name
            assert focus_is_seen(pilot)
            assert not dashboard.main.query_one(StageTable).has_focus
        await pilot.press("1", "l")
        assert active(pilot) == "log"
        await pilot.press("escape")
        assert dashboard.main.query_one(StageTable).has_focus


@pytest.mark.parametrize("width", [50, 80, 120])
async def test_the_footer_shows_the_keys_that_matter_most(
    built: Recorded, whole_dashboard: Dashboard, width: int
) -> None:
    del built
    async with whole_dashboard.run_test(size=(width, 24)) as pilot:
        await settled(pilot)
        screen = whole_dashboard.screen
        await until(pilot, lambda: screen.query(FooterKey))  # which come later than all else
        await still(pilot)
        shown = [key.key_display for key in screen.query(FooterKey) if key.display and key.region.right <= width]
        wanted = FIRST_KEYS if width == 50 else [*FIRST_KEYS, "e", "d"]
        assert shown[: len(wanted)] == wanted


async def test_a_narrow_screen_shows_the_list_or_the_details(built: Recorded, dashboard: Dashboard) -> None:
    del built
    async with dashboard.run_test(size=(50, 24)) as pilot:
        await settled(pilot)
        table, details = dashboard.main.query_one(StageTable), dashboard.main.query_one("#details")
        assert (table.display, details.display) == (True, False)
        for opens, closes in (("3", "escape"), ("l", "b"), ("b", "escape"), ("b", "b")):
            await pilot.press(opens)
            assert (table.display, details.display) == (False, True)
            assert focus_is_seen(pilot)
            await pilot.press(closes)
            assert (table.display, details.display) == (True, False)
            assert table.has_focus
        await pilot.press("j", "enter")
        assert (table.display, details.display) == (False, True)


async def test_the_list_can_be_hidden_on_a_wide_screen(built: Recorded, dashboard: Dashboard) -> None:
    del built
    async with dashboard.run_test(size=(120, 24)) as pilot:
        await settled(pilot)
        details = dashboard.main.query_one("#details")
        beside = details.size.width
        await pilot.press("2", "b")
        await until(pilot, lambda: details.size.width > beside + 50)
        assert focus_is_seen(pilot)
        await pilot.press("b")
        await until(pilot, lambda: details.size.width == beside)
        assert dashboard.main.query_one(StageTable).has_focus


@pytest.mark.parametrize("keys", [["j", "4"], ["5", "b"], ["slash", "x"]])
async def test_the_focus_is_never_lost_by_a_resize(built: Recorded, dashboard: Dashboard, keys: list[str]) -> None:
    del built
    async with dashboard.run_test(size=(140, 30)) as pilot:
        await settled(pilot)
        await pilot.press(*keys)
        for width in (80, 50, 140):
            await pilot.resize_terminal(width, 24)
            await until(pilot, lambda: focus_is_seen(pilot))


async def test_a_click_beside_the_keys_does_not_lose_it_either(built: Recorded, dashboard: Dashboard) -> None:
    del built
    async with dashboard.run_test(size=(140, 30)) as pilot:
        await settled(pilot)
        await pilot.click("#details", offset=(5, 8))
        await pilot.resize_terminal(50, 24)
        await until(pilot, lambda: focus_is_seen(pilot))
        await pilot.resize_terminal(140, 24)
        await pilot.press("2")
        await pilot.click("#stages", offset=(5, 12))
        await pilot.resize_terminal(50, 24)
        await until(pilot, lambda: focus_is_seen(pilot))
        await pilot.press("j")
        assert dashboard.is_running


async def test_the_first_experiment_and_the_last_come_and_go(recorded: Recorded, dashboard: Dashboard) -> None:
    async with dashboard.run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        body, empty = dashboard.main.query_one("#body"), dashboard.main.query_one("#empty")
        await until(pilot, lambda: empty.display and not body.display)
        recorded.write()
        await until(pilot, lambda: body.display and not empty.display)
        await until(pilot, lambda: dashboard.main.query_one(StageTable).has_focus)
        await pilot.press("j")
        await until(pilot, lambda: dashboard.main.stage() is not None)
        Path("experiments/keyword.toml").unlink()  # noqa: ASYNC240 - a test may wait for its disk
        await until(pilot, lambda: empty.display and not body.display)
        await pilot.press("j", "enter", "3", "slash", "escape", "r")
        assert dashboard.is_running


@pytest.mark.parametrize("theme", ["textual-light", "ansi-dark"])
async def test_no_text_has_the_colour_of_its_ground(built: Recorded, dashboard: Dashboard, theme: str) -> None:
    built.write("other", units=8)
    dashboard.theme = theme
    async with dashboard.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        for key in ("3", "question_mark"):
            await pilot.press(key)
            await settled(pilot)
            for strip in dashboard.screen._compositor.render_strips():
                for text, style, _ in strip:
                    if style and style.color and text.strip(" ▁▂▃▄▅▆▇█▔▏▎▍▌▋▊▉━╸╺"):
                        assert style.color != style.bgcolor or style.color.is_default, text
