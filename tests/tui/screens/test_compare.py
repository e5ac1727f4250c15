"""Results side by side."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot
from textual.widgets import Static
from textual_plotext import PlotextPlot

from tests.tui.alone import Empty
from tests.tui.conftest import settled, until
from tests.tui.data.conftest import look
from tests.tui.recorded import HOUR, NOW, Recorded
from tests.tui.tabs.test_npu import SECOND, append
from tui.app import Dashboard
from tui.data import results
from tui.screens.compare import CompareScreen, ResultTable

WIDE = (150, 40)


def table(pilot: Pilot[None]) -> ResultTable:
    return pilot.app.screen.query_one(ResultTable)


def head(pilot: Pilot[None]) -> str:
    return str(pilot.app.screen.query_one("#compare-head", Static).content)


def differences(pilot: Pilot[None]) -> str:
    return str(pilot.app.screen.query_one("#differences", Static).content)


def letters(pilot: Pilot[None]) -> list[str]:
    return [str(table(pilot).get_row_at(row)[0]).strip() for row in range(table(pilot).row_count)]


@asynccontextmanager
async def opened(size: tuple[int, int] = WIDE) -> AsyncIterator[Pilot[None]]:
    """Open the comparison of all results, with nothing marked in the list."""
    app = Empty()
    async with app.run_test(size=size) as pilot:
        await app.push_screen(CompareScreen(results.catalogue(look()), set(), lambda: NOW))
        await until(pilot, lambda: head(pilot))
        await pilot.pause()
        yield pilot


@pytest.fixture
def three(recorded: Recorded) -> Recorded:
    """Return a project with three results, the youngest c."""
    for number, name in enumerate("abc"):
        recorded.write(name, units=8 + number)
        recorded.build(name, int8=0.95 + number / 100, cycles=10**6 * (number + 1), finished=NOW - HOUR * (9 - number))
    return recorded


async def test_a_result_without_accuracy_stands_in_the_table_and_in_no_plot(three: Recorded) -> None:
    three.write_imported()
    three.build("elsewhere", cycles=500_000)
    async with opened() as pilot:
        rows = [[str(cell) for cell in table(pilot).get_row_at(row)] for row in range(4)]
        (mine,) = [row for row in rows if row[1] == "elsewhere"]
        assert mine[3:5] == ["-", "-"]
        assert "elsewhere" in differences(pilot)


async def test_results_are_marked_by_keys_and_clicks_and_the_first_is_the_base(three: Recorded) -> None:
    del three
    async with opened() as pilot:
        assert letters(pilot) == ["* A", "* B", "* C"]
        assert differences(pilot).splitlines()[0].split() == ["A", "c", "B", "b", "C", "a"]
        assert "96.00 % (-1.00)" in differences(pilot)
        assert "(0.67x)" in differences(pilot)
        await pilot.press("space")
        assert letters(pilot) == ["A", "* B", "* C"]
        assert differences(pilot).splitlines()[0].split() == ["B", "b", "C", "a"]
        await pilot.press("j", "enter")
        assert "Mark two or more results with space" in differences(pilot)
        await pilot.press("c")
        assert pilot.app.clipboard == ""
        await pilot.click(ResultTable, offset=(10, 1))
        await pilot.click(ResultTable, offset=(10, 1))
        await until(pilot, lambda: letters(pilot) == ["* A", "B", "* C"])
        await pilot.press("c")
        assert pilot.app.clipboard == differences(pilot)


@pytest.mark.slow
async def test_it_returns_to_where_it_was_opened(three: Recorded, dashboard: Dashboard) -> None:
    del three
    async with dashboard.run_test(size=WIDE) as pilot:
        for key in ("escape", "d", "q"):
            await settled(pilot)
            await pilot.press("d")
            await until(pilot, lambda: isinstance(pilot.app.screen, CompareScreen))
            await pilot.press("question_mark", "escape", key)
            assert dashboard.screen is dashboard.main
        assert dashboard.is_running


async def test_no_result_says_what_to_do(recorded: Recorded) -> None:
    recorded.write()
    async with opened() as pilot:
        assert head(pilot) == "No results yet: run an experiment first (esc, then r)."
        await pilot.press("space", "enter", "t", "p", "c", "j", "G")
        await pilot.resize_terminal(40, 10)
        await pilot.pause()
        assert pilot.app.is_running


async def test_one_result_alone_is_shown_and_plotted(recorded: Recorded) -> None:
    recorded.write()
    recorded.build(stand_in="digits")
    async with opened() as pilot:
        assert "1 result, 1 marked" in head(pilot)
        assert "keyword (stand-in data)" in str(table(pilot).get_row_at(0)[1])
        assert "Mark two or more" in differences(pilot)
        assert "A" in pilot.app.screen.query_one(PlotextPlot).plt.build()


async def test_targets_are_gone_through_and_some_results_have_none(three: Recorded) -> None:
    three.write("keyword", units=20)
    append(SECOND)
    three.build("keyword")
    async with opened() as pilot:
        assert "costs on u55-128 Shared_Sram, estimated" in head(pilot)
        column = [str(each.label) for each in table(pilot).ordered_columns].index("cycles")
        await pilot.press("t")
        assert "costs on u85-256 Dedicated_Sram" in head(pilot)
        assert [str(table(pilot).get_row_at(row)[column]).strip() for row in (1, 2, 3)] == ["-"] * 3
        await pilot.press("t")
        assert "costs on u55-128 Shared_Sram" in head(pilot)


async def test_remembered_results_stand_below_those_shown(three: Recorded) -> None:
    three.write("a", units=99)
    three.build("a", int8=0.9)
    async with opened() as pilot:
        names = [str(table(pilot).get_row_at(row)[1]) for row in range(4)]
        assert names == ["a", "c", "b", "a, remembered"]


async def test_the_plot_takes_the_place_of_the_numbers_on_a_small_screen(three: Recorded) -> None:
    del three
    async with opened() as pilot:
        plot, side = pilot.app.screen.query_one("#plot"), pilot.app.screen.query_one("#side-by-side")
        assert (plot.display, side.display) == (True, True)
        for width in (80, 50):
            await pilot.resize_terminal(width, 24)
            await until(pilot, lambda: not plot.display)
            await pilot.press("p")
            await until(pilot, lambda: plot.display and not side.display)
            await pilot.press("p")
            columns = [str(each.label) for each in table(pilot).ordered_columns]
            assert columns[:2] == ["", "experiment"]
            assert "quantized" in columns
        await pilot.resize_terminal(10, 5)
        await pilot.press("p", "space", "j")
        await pilot.resize_terminal(*WIDE)
        await until(pilot, lambda: plot.display and side.display)


async def test_more_results_than_letters_and_a_list_that_does_not_jump(recorded: Recorded) -> None:
    for number in range(30):
        recorded.write("one", units=number + 1)
        recorded.build(
            "one", int8=0.9 + number / 1000, cycles=10**5 * (number + 1), finished=NOW - HOUR * (40 - number)
        )
    async with opened() as pilot:
        assert letters(pilot)[25:28] == ["Z", "+", "+"]
        await pilot.press("G", "k", "k")
        await until(pilot, lambda: table(pilot).scroll_y == table(pilot).max_scroll_y > 0)
        top = table(pilot).scroll_y
        await pilot.press("space")
        await until(pilot, lambda: letters(pilot)[27] == "* +")
        assert (table(pilot).cursor_row, table(pilot).scroll_y) == (27, top)
        assert "30 results, 2 marked" in head(pilot)


async def test_keys_pressed_in_haste_open_it_once_and_leave_the_main_screen(
    three: Recorded, dashboard: Dashboard
) -> None:
    del three
    async with dashboard.run_test(size=WIDE) as pilot:
        await settled(pilot)
        for _ in range(3):
            dashboard.action_compare()
        await until(pilot, lambda: isinstance(dashboard.screen, CompareScreen))
        await dashboard.workers.wait_for_complete()
        assert len(dashboard.screen_stack) == 2
        for _ in range(3):
            dashboard.simulate_key("escape")
        await until(pilot, lambda: dashboard.screen is dashboard.main)
        await pilot.pause()  # for the keys that are left
        assert dashboard.is_running
