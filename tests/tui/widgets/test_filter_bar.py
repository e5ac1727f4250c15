"""The line that ``/`` opens, in each of its three contexts."""

import pytest
from textual.pilot import Pilot

from tests.tui.conftest import settled, until
from tests.tui.recorded import Recorded
from tui.app import Dashboard
from tui.screens.help import HelpScreen
from tui.tabs.layers import LayersTab
from tui.widgets.filter_bar import FilterBar
from tui.widgets.stage_table import StageTable

CONTEXTS = {"1": ("StageTable", "experiments"), "4": ("LayerTable", "operators"), "5": ("LogView", "log")}


def bar(pilot: Pilot[None]) -> FilterBar:
    assert isinstance(pilot.app, Dashboard)
    return pilot.app.main.query_one(FilterBar)


def focused(pilot: Pilot[None]) -> str:
    return type(pilot.app.screen.focused).__name__


def title(table: StageTable) -> str:
    return str(table.ordered_columns[0].label)


@pytest.fixture
def built(recorded: Recorded) -> Recorded:
    """Return a project that is built."""
    recorded.write()
    recorded.build()
    recorded.log("vela:keyword:u55-128", "one\ntwo\n")
    return recorded


async def test_it_gives_the_focus_back_wherever_it_was_opened(built: Recorded, dashboard: Dashboard) -> None:
    del built
    async with dashboard.run_test(size=(50, 30)) as pilot:
        await settled(pilot)
        assert not bar(pilot).display
        for key, (widget, what) in CONTEXTS.items():
            await pilot.press(key)
            if key == "1":
                await pilot.press("escape")
            for close in ("escape", "enter"):
                await pilot.press("slash")
                assert bar(pilot).has_focus
                assert what in bar(pilot).placeholder
                await pilot.press("k", "q", close)
                await until(pilot, lambda widget=widget: not bar(pilot).display and focused(pilot) == widget)  # type: ignore[misc]
            assert dashboard.is_running, "the letters were typed, not obeyed"


async def test_enter_keeps_the_filter_and_opening_again_begins_with_none(built: Recorded, dashboard: Dashboard) -> None:
    del built
    async with dashboard.run_test(size=(140, 30)) as pilot:
        await settled(pilot)
        table = dashboard.main.query_one(StageTable)
        await pilot.press("slash", *"xy", "enter")
        await until(pilot, lambda: table.row_count == 0 and not bar(pilot).display)
        assert title(table) == "with 'xy'", "else nobody knows later why there are no experiments"
        await pilot.press("4", "slash", *"mul", "enter")
        await until(pilot, lambda: dashboard.main.query_one(LayersTab)._filter == "mul")
        assert table.row_count == 0, "each keeps its own"
        await pilot.press("escape", "slash")
        await until(pilot, lambda: table.row_count == 8)
        assert bar(pilot).value == ""
        assert title(table) == "experiment, stage"
        await pilot.press("escape")
        assert dashboard.main.query_one(LayersTab)._filter == "mul"


async def test_closed_it_swallows_no_key(built: Recorded, dashboard: Dashboard) -> None:
    del built
    async with dashboard.run_test(size=(140, 30)) as pilot:
        await settled(pilot)
        await pilot.press("slash", "k", "enter", "slash", "escape", "question_mark")
        assert isinstance(dashboard.screen, HelpScreen)
        assert bar(pilot).value == ""


async def test_what_is_filtered_is_seen_on_a_narrow_screen(built: Recorded, dashboard: Dashboard) -> None:
    del built
    async with dashboard.run_test(size=(50, 24)) as pilot:
        await settled(pilot)
        await pilot.press("2", "slash", *"key")
        assert dashboard.main.query_one(StageTable).display
        await pilot.press("enter")
        await until(pilot, lambda: focused(pilot) == "StageTable")


async def test_fast_typing_loses_no_letter_and_escape_no_row(built: Recorded, dashboard: Dashboard) -> None:
    del built
    async with dashboard.run_test(size=(140, 30)) as pilot:
        await settled(pilot)
        await pilot.press("slash", *"never", "backspace", "escape")
        table = dashboard.main.query_one(StageTable)
        await until(pilot, lambda: table.row_count == 8 and table.has_focus)
