"""The card of a failed stage."""

from pathlib import Path
from typing import Any

from tests.tui.alone import alone
from tests.tui.data.conftest import look
from tests.tui.recorded import NOW, Recorded
from tui.tabs.stage import StageTab
from tui.widgets.failure_card import FailureCard, card

FAILED: dict[str, Any] = {"message": "the loss became nan", "log": "build/logs/weights.keyword.log"}


def fail(recorded: Recorded, time: float = NOW - 60, **facts: Any) -> None:
    recorded.start_run(time - 10)
    recorded.stage_event("stage_started", time - 10, "network:keyword", reasons=[])
    recorded.stage_event("stage_failed", time, "network:keyword", **{**FAILED, **facts})
    recorded.end_run(time, ["network:keyword"])


def said() -> str:
    stage = look().stage("network:keyword")
    assert stage
    return card(stage).plain


def test_it_says_what_failed_how_and_what_to_do(recorded: Recorded) -> None:
    recorded.write()
    recorded.log("network:keyword", "one\n\ntwo\n")
    fail(recorded, ended="exit code 1")
    assert said().splitlines()[:2] == ["✗ network:keyword failed (exit code 1)", "the loss became nan"]
    assert "run again  r     whole log  l" in said()
    assert said().splitlines()[-4:] == ["its last 3 lines:", "one", "", "two"]


def test_a_signal_is_named(recorded: Recorded) -> None:
    recorded.write()
    fail(recorded, ended="signal SIGSEGV")
    assert "failed (signal SIGSEGV)" in said()


def test_without_a_log_it_shows_no_lines(recorded: Recorded) -> None:
    recorded.write()
    fail(recorded)
    assert "its last" not in said()
    recorded.log("network:keyword", "")
    assert "its last" not in said()


def test_only_the_end_of_a_log_is_shown_and_long_lines_are_cut(recorded: Recorded) -> None:
    recorded.write()
    recorded.log("network:keyword", "".join(f"line {n}\n" for n in range(5000)) + "x" * 10_000 + "\n")
    fail(recorded)
    assert "line 4998" in said()
    assert "line 4000" not in said()
    assert max(map(len, said().splitlines())) == 400


def test_a_log_is_only_text(recorded: Recorded) -> None:
    recorded.write()
    recorded.log("network:keyword", "[/x] [bold]b \x1b[31mred\x1b[0m \x1b]0;title\x07\xff\n50 %\r100 %\n")
    fail(recorded, message="[/] no [red]markup[/red]\nat all")
    assert "[/] no [red]markup[/red]" in said()
    assert "[/x] [bold]b red" in said()
    assert said().endswith("100 %")
    assert "\x1b" not in said()


async def test_it_goes_when_the_stage_succeeds_and_shows_a_second_failure(recorded: Recorded) -> None:
    recorded.write()
    fail(recorded)
    async with alone(StageTab(), (64, 40)) as app:
        shown = app.tab.query_one(FailureCard)
        assert not shown.display, "the experiment is selected"
        app.select("network:keyword")
        assert shown.display
        assert "nan" in str(shown.content)
        recorded.write(units=8)  # an attempt to repair it; the failure is not forgotten
        app.look()
        assert shown.display
        fail(recorded, NOW - 30, message="it failed again")
        app.look()
        assert "it failed again" in str(shown.content)
        recorded.build()
        recorded.stage_event("stage_done", NOW, "network:keyword")
        app.look()
        assert not shown.display
        app.select("dataset:keyword")
        assert not shown.display
    assert Path("build/keyword/network").exists()  # noqa: ASYNC240 - a test may wait for its disk
