"""The log tab: it follows until the reader scrolls, and finds what is looked for."""

from itertools import pairwise
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tests.tui.conftest import settled, still, until
from tests.tui.recorded import Recorded
from tui.app import Dashboard
from tui.tabs.log import POLL_SECONDS, LogView

WIDE = (120, 30)
PATH = Path("build/logs/weights.keyword.log")


def view(pilot: Pilot[None]) -> LogView:
    return pilot.app.screen.query_one(LogView)


def head(pilot: Pilot[None]) -> str:
    return str(pilot.app.screen.query_one("#log-head", Static).content)


def told(pilot: Pilot[None]) -> str:
    """Return what the toasts say."""
    return "\n".join(note.message for note in pilot.app._notifications)


def lines(count: int, start: int = 0) -> str:
    return "".join(f"line {number}\n" for number in range(start, start + count))


def add(text: str) -> None:
    with PATH.open("a", encoding="utf-8") as file:
        file.write(text)


async def opened(pilot: Pilot[None]) -> None:
    """Open the log of weights, and wait until all of it is there."""
    assert isinstance(pilot.app, Dashboard)
    await settled(pilot)
    pilot.app.main.select("keyword", "weights:keyword")
    await pilot.press("l")
    await until(pilot, lambda: "weights.keyword.log" in head(pilot))


@pytest.fixture
def logged(recorded: Recorded) -> Recorded:
    """Return a project where weights printed 200 lines."""
    recorded.write()
    recorded.log("weights:keyword", lines(200))
    return recorded


async def test_it_follows_until_the_reader_scrolls_up_and_again_when_told(
    logged: Recorded, dashboard: Dashboard
) -> None:
    del logged
    async with dashboard.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await until(pilot, lambda: view(pilot).line_count == 200 and view(pilot).scroll_y == view(pilot).max_scroll_y)
        assert "200 lines, following" in head(pilot)
        await pilot.press("k")
        await until(pilot, lambda: "paused" in head(pilot))
        top = view(pilot).scroll_target_y
        add(lines(50, 200))
        await until(pilot, lambda: "250 lines" in head(pilot))
        assert view(pilot).scroll_target_y == top
        for count, key in enumerate(("f", "G", "end"), 251):
            await pilot.press("k", "k", key)
            await until(pilot, lambda: "following" in head(pilot))
            add("more\n")
            await until(pilot, lambda count=count: f"{count} lines, following" in head(pilot))  # type: ignore[misc]
            await until(pilot, lambda: view(pilot).scroll_y == view(pilot).max_scroll_y)


async def test_the_line_above_is_drawn_only_when_it_says_something_else(
    logged: Recorded, dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    del logged
    async with dashboard.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await until(pilot, lambda: "200 lines, following" in head(pilot))
        await still(pilot)
        drawn, update = [], Static.update

        def seen(self: Static, content: object = "", **facts: bool) -> None:
            if self.id == "log-head":
                drawn.append(str(content))
            update(self, content, **facts)  # type: ignore[arg-type]

        monkeypatch.setattr(Static, "update", seen)
        await pilot.pause(5 * POLL_SECONDS)
        assert drawn == []
        add("one more\n")
        await until(pilot, lambda: "201 lines" in head(pilot))
        await pilot.pause(5 * POLL_SECONDS)
        assert all(line != after for line, after in pairwise(drawn))


async def test_search_goes_back_from_the_end_and_round(logged: Recorded, dashboard: Dashboard) -> None:
    del logged
    async with dashboard.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await until(pilot, lambda: view(pilot).line_count == 200)
        await pilot.press("slash", *"LINE 19", "enter")
        await until(pilot, lambda: "'LINE 19' at line 200" in head(pilot))
        assert view(pilot).has_focus
        for key, line in (("N", 199), ("n", 200), ("n", 20), ("N", 200)):
            await pilot.press(key)
            await until(pilot, lambda line=line: f"at line {line}" in head(pilot))  # type: ignore[misc]
        await pilot.press("n")
        assert view(pilot).scroll_target_y <= 19 <= view(pilot).scroll_target_y + view(pilot).size.height
        await pilot.press("slash", "escape")
        await until(pilot, lambda: "at line" not in head(pilot))


async def test_what_is_not_there_is_said(logged: Recorded, dashboard: Dashboard) -> None:
    del logged
    async with dashboard.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await until(pilot, lambda: view(pilot).line_count == 200)
        await pilot.press("slash", *"[x]", "enter", "n", "N")
        await until(pilot, lambda: "no line has '[x]'" in told(pilot))
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: "no line speaks of an error" in told(pilot))


async def test_the_first_error_is_shown_and_blank_lines_count(logged: Recorded, dashboard: Dashboard) -> None:
    printed = f"\n\n{lines(100)}\nTraceback (most recent call last):\n\nValueError\n{lines(100)}"
    logged.log("weights:keyword", printed)
    async with dashboard.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await until(pilot, lambda: view(pilot).line_count == 206)
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: view(pilot).marked == 103)
        assert view(pilot).scroll_target_y <= 103 <= view(pilot).scroll_target_y + view(pilot).size.height
        assert "paused" in head(pilot)


async def test_a_log_that_is_written_anew_replaces_the_old_one(logged: Recorded, dashboard: Dashboard) -> None:
    async with dashboard.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await until(pilot, lambda: view(pilot).line_count == 200)
        await pilot.press("g", "slash", *"line 5", "enter")
        logged.log("weights:keyword", "a new run\nsays little\n")
        await until(pilot, lambda: list(view(pilot).lines) == ["a new run", "says little"])
        assert "2 lines, following" in head(pilot)
        await until(pilot, lambda: view(pilot).scroll_y == 0)
        PATH.unlink()  # noqa: ASYNC240 - a test may wait for its disk
        await until(pilot, lambda: "0 lines" in head(pilot))


async def test_another_stage_has_another_log_and_a_mistake_has_none(logged: Recorded, dashboard: Dashboard) -> None:
    logged.log("vela:keyword:u55-128", "vela\n")
    Path("experiments/wrong.toml").write_text("x", encoding="utf-8")  # noqa: ASYNC240
    async with dashboard.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await until(pilot, lambda: view(pilot).line_count == 200)
        dashboard.main.select("keyword", "vela:keyword:u55-128")
        await until(pilot, lambda: list(view(pilot).lines) == ["vela"])
        dashboard.main.select("keyword", "accuracy:keyword")
        await until(pilot, lambda: "accuracy.keyword.log" in head(pilot) and "0 lines" in head(pilot))
        await pilot.press("f", "n", "exclamation_mark", "G", "g", "c")
        dashboard.main.select("keyword", "vela:keyword:u55-128")
        await until(pilot, lambda: list(view(pilot).lines) == ["vela"])
        dashboard.main.select("wrong", None)
        await until(pilot, lambda: "no log" in head(pilot))
        assert not view(pilot).lines


async def test_the_place_in_a_log_is_kept_when_another_experiment_appears(
    logged: Recorded, dashboard: Dashboard
) -> None:
    async with dashboard.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await until(pilot, lambda: view(pilot).line_count == 200)
        await pilot.press("g")
        await until(pilot, lambda: view(pilot).scroll_target_y == 0)
        logged.write("a-new-one")
        await until(pilot, lambda: dashboard.snapshot and len(dashboard.snapshot.experiments) == 2)
        await pilot.resize_terminal(110, 30)
        await settled(pilot)
        assert view(pilot).line_count == 200
        assert view(pilot).scroll_target_y == 0


async def test_a_last_line_without_end_and_very_long_lines_are_shown(logged: Recorded, dashboard: Dashboard) -> None:
    printed = "x" * 100_000 + "\n[bold]\x1b[31mred\x1b[0m 🦜"
    logged.log("weights:keyword", printed)
    async with dashboard.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await until(pilot, lambda: view(pilot).line_count == 2)
        assert view(pilot).lines[1] == "[bold]red 🦜"
        assert len(view(pilot).lines[0]) == 2000
        await pilot.press("right", "end", "home")


async def test_a_burst_of_lines_keeps_the_keys_answering(logged: Recorded, dashboard: Dashboard) -> None:
    async with dashboard.run_test(size=WIDE) as pilot:
        await opened(pilot)
        logged.log("weights:keyword", lines(100_000))
        await pilot.press("question_mark")
        assert len(dashboard.screen_stack) == 2
        await pilot.press("escape")
        await until(pilot, lambda: view(pilot).line_count == 100_000)
        await until(pilot, lambda: view(pilot).scroll_y == view(pilot).max_scroll_y)
        assert "100,000 lines, following" in head(pilot)
