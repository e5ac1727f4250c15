"""The log tab: it follows until the reader scrolls, and finds what is looked for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from textual.widgets import Static

from tests.tui.alone import OneTab, alone
from tests.tui.conftest import still, until
from tests.tui.recorded import Recorded
from tui.tabs.log import POLL_SECONDS, LogTab, LogView

WIDE = (120, 30)
PATH = Path("build/logs/network.keyword.log")


def view(app: OneTab) -> LogView:
    return app.tab.query_one(LogView)


def head(app: OneTab) -> str:
    return app.text("#log-head")


def told(app: OneTab) -> str:
    """Return what the toasts say."""
    return "\n".join(note.message for note in app._notifications)


def lines(count: int, start: int = 0) -> str:
    return "".join(f"line {number}\n" for number in range(start, start + count))


def add(text: str) -> None:
    with PATH.open("a", encoding="utf-8") as file:
        file.write(text)


@asynccontextmanager
async def opened(size: tuple[int, int] = (63, 27)) -> AsyncIterator[OneTab]:
    """Open the log of weights."""
    async with alone(LogTab(), size) as app:
        app.select("network:keyword")
        await app.settle()
        assert "network.keyword.log" in head(app)
        yield app


@pytest.fixture
def logged(recorded: Recorded) -> Recorded:
    """Return a project where weights printed 200 lines."""
    recorded.write()
    recorded.log("network:keyword", lines(200))
    return recorded


async def test_it_follows_until_the_reader_scrolls_up_and_again_when_told(logged: Recorded) -> None:
    del logged
    async with opened() as app:
        await until(app.pilot, lambda: view(app).line_count == 200 and view(app).scroll_y == view(app).max_scroll_y)
        assert "200 lines, following" in head(app)
        await app.pilot.press("k")
        await until(app.pilot, lambda: "paused" in head(app))
        top = view(app).scroll_target_y
        add(lines(50, 200))
        await until(app.pilot, lambda: "250 lines" in head(app))
        assert view(app).scroll_target_y == top
        for count, key in enumerate(("f", "G", "end"), 251):
            await app.pilot.press("k", "k", key)
            await until(app.pilot, lambda: "following" in head(app))
            add("more\n")
            await until(app.pilot, lambda count=count: f"{count} lines, following" in head(app))  # type: ignore[misc]
            await until(app.pilot, lambda: view(app).scroll_y == view(app).max_scroll_y)


async def test_the_line_above_is_drawn_only_when_it_says_something_else(
    logged: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    del logged
    async with opened() as app:
        await until(app.pilot, lambda: "200 lines, following" in head(app))
        await still(app.pilot)
        drawn, update = [], Static.update

        def seen(self: Static, content: object = "", **facts: bool) -> None:
            if self.id == "log-head":
                drawn.append(str(content))
            update(self, content, **facts)  # type: ignore[arg-type]

        monkeypatch.setattr(Static, "update", seen)
        await app.pilot.pause(5 * POLL_SECONDS)
        assert drawn == []
        add("one more\n")
        await until(app.pilot, lambda: "201 lines" in head(app))
        await app.pilot.pause(5 * POLL_SECONDS)
        assert all(line != after for line, after in pairwise(drawn))


async def test_search_goes_back_from_the_end_and_round(logged: Recorded) -> None:
    del logged
    async with opened() as app:
        await until(app.pilot, lambda: view(app).line_count == 200)
        app.tab.filter("LINE 19")
        await until(app.pilot, lambda: "'LINE 19' at line 200" in head(app))
        for key, line in (("N", 199), ("n", 200), ("n", 20), ("N", 200)):
            await app.pilot.press(key)
            await until(app.pilot, lambda line=line: f"at line {line}" in head(app))  # type: ignore[misc]
        await app.pilot.press("n")
        assert view(app).scroll_target_y <= 19 <= view(app).scroll_target_y + view(app).size.height
        app.tab.filter("")
        await until(app.pilot, lambda: "at line" not in head(app))


async def test_what_is_not_there_is_said(logged: Recorded) -> None:
    del logged
    async with opened() as app:
        await until(app.pilot, lambda: view(app).line_count == 200)
        app.tab.filter("[x]")
        await app.pilot.press("n", "N")
        await until(app.pilot, lambda: "no line has '[x]'" in told(app))
        await app.pilot.press("exclamation_mark")
        await until(app.pilot, lambda: "no line speaks of an error" in told(app))


async def test_the_first_error_is_shown_and_blank_lines_count(logged: Recorded) -> None:
    printed = f"\n\n{lines(100)}\nTraceback (most recent call last):\n\nValueError\n{lines(100)}"
    logged.log("network:keyword", printed)
    async with opened() as app:
        await until(app.pilot, lambda: view(app).line_count == 206)
        await app.pilot.press("exclamation_mark")
        await until(app.pilot, lambda: view(app).marked == 103)
        assert view(app).scroll_target_y <= 103 <= view(app).scroll_target_y + view(app).size.height
        assert "paused" in head(app)


async def test_a_log_that_is_written_anew_replaces_the_old_one(logged: Recorded) -> None:
    async with opened() as app:
        await until(app.pilot, lambda: view(app).line_count == 200)
        await app.pilot.press("g")
        app.tab.filter("line 5")
        logged.log("network:keyword", "a new run\nsays little\n")
        await until(app.pilot, lambda: list(view(app).lines) == ["a new run", "says little"])
        assert "2 lines, following" in head(app)
        await until(app.pilot, lambda: view(app).scroll_y == 0)
        PATH.unlink()  # noqa: ASYNC240 - a test may wait for its disk
        await until(app.pilot, lambda: "0 lines" in head(app))


async def test_another_stage_has_another_log_and_a_mistake_has_none(logged: Recorded) -> None:
    logged.log("vela:keyword:u55-128", "vela\n")
    Path("experiments/wrong.toml").write_text("x", encoding="utf-8")  # noqa: ASYNC240
    async with opened() as app:
        await until(app.pilot, lambda: view(app).line_count == 200)
        app.select("vela:keyword:u55-128")
        await until(app.pilot, lambda: list(view(app).lines) == ["vela"])
        app.select("accuracy:keyword")
        await until(app.pilot, lambda: "accuracy.keyword.log" in head(app) and "0 lines" in head(app))
        await app.pilot.press("f", "n", "exclamation_mark", "G", "g", "c")
        app.select("vela:keyword:u55-128")
        await until(app.pilot, lambda: list(view(app).lines) == ["vela"])
        app.select(None, "wrong")
        await until(app.pilot, lambda: "no log" in head(app))
        assert not view(app).lines


async def test_the_place_in_a_log_is_kept_when_another_experiment_appears(logged: Recorded) -> None:
    async with opened() as app:
        await until(app.pilot, lambda: view(app).line_count == 200)
        await app.pilot.press("g")
        await until(app.pilot, lambda: view(app).scroll_target_y == 0)
        logged.write("a-new-one")
        app.look()
        await app.resize(50, 27)
        assert view(app).line_count == 200
        assert view(app).scroll_target_y == 0


async def test_a_last_line_without_end_and_very_long_lines_are_shown(logged: Recorded) -> None:
    printed = "x" * 100_000 + "\n[bold]\x1b[31mred\x1b[0m 🦜"
    logged.log("network:keyword", printed)
    async with opened() as app:
        await until(app.pilot, lambda: view(app).line_count == 2)
        assert view(app).lines[1] == "[bold]red 🦜"
        assert len(view(app).lines[0]) == 2000
        await app.pilot.press("right", "end", "home")


async def test_a_burst_of_lines_keeps_the_keys_answering(logged: Recorded) -> None:
    async with opened() as app:
        logged.log("network:keyword", lines(100_000))
        await app.pilot.press("g")
        assert view(app).scroll_target_y == 0
        await app.pilot.press("G")
        await until(app.pilot, lambda: view(app).line_count == 100_000)
        await until(app.pilot, lambda: view(app).scroll_y == view(app).max_scroll_y)
        assert "100,000 lines, following" in head(app)
