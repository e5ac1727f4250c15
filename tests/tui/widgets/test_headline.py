"""The top line."""

from pathlib import Path

import pytest

from tests.tui.data.conftest import look
from tests.tui.recorded import NOW, Recorded
from tui.data.project import Snapshot
from tui.widgets.headline import headline


def said(snapshot: Snapshot | None = None) -> str:
    return headline(snapshot or look(), NOW).plain


@pytest.mark.usefixtures("recorded")
def test_nothing_is_said_to_be_nothing() -> None:
    assert "no experiments" in said()


def test_it_counts_what_is_not_fresh(recorded: Recorded) -> None:
    recorded.write()
    assert "7 of 7 stages not fresh" in said()
    recorded.build()
    assert "all fresh" in said()
    recorded.write(units=8)
    assert "6 of 7 stages not fresh" in said()


def test_an_experiment_with_a_mistake_is_named_with_its_brackets(recorded: Recorded) -> None:
    Path("experiments/[bold].toml").write_text("x", encoding="utf-8")
    assert "! [bold] has a mistake" in said()
    assert "no experiments" not in said()
    recorded.write()
    assert "7 of 7 stages not fresh" in said()


def test_data_that_stands_in_is_said_loudly(recorded: Recorded) -> None:
    recorded.write()
    recorded.build(stand_in="digits")
    assert "STAND-IN data" in said()


def test_a_run_shows_its_stage_and_how_long_it_still_takes(recorded: Recorded) -> None:
    recorded.write()
    recorded.start_run(NOW - 30)
    assert "▶ a build is going on" in said()
    recorded.stage_event("stage_started", NOW - 20, "dataset:keyword", reasons=[])
    assert said().endswith("▶ dataset:keyword")
    for time, done in ((NOW - 10, 0), (NOW, 50)):
        recorded.stage_event("stage_progress", time, "dataset:keyword", done=done, total=100)
    assert said().endswith("▶ dataset:keyword 50 %, 10 s to go")
    recorded.stage_event("stage_failed", NOW, "dataset:keyword", message="no", log="x")
    recorded.end_run(NOW, ["dataset:keyword"])
    assert said().endswith("✗ dataset:keyword failed")


def test_a_run_that_ended_well_leaves_nothing_to_say(recorded: Recorded) -> None:
    recorded.write()
    recorded.start_run(NOW - 30)
    recorded.end_run(NOW, [])
    assert "▶" not in said()
    assert "✗" not in said()
