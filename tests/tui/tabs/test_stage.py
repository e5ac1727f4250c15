"""The first tab: state, reasons, progress, and the facts of a result."""

import json
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Sparkline, Static

from tests.tui.conftest import settled, until
from tests.tui.recorded import NOW, Recorded
from tui.app import Dashboard

WIDE = (140, 60)


def said(pilot: Pilot[None]) -> str:
    """Return what the tab says, part below part."""
    parts = pilot.app.screen.query("StageTab > Static").results(Static)
    return "\n".join(str(part.content) for part in parts if part.display)


async def look_at(pilot: Pilot[None], job: str | None) -> str:
    """Select a stage, or the experiment, and return what is said of it."""
    assert isinstance(pilot.app, Dashboard)
    await settled(pilot)
    pilot.app.main.select("keyword", job)
    await until(pilot, lambda: said(pilot).startswith(job or "keyword "))
    return said(pilot)


def run(recorded: Recorded, *events: dict[str, Any]) -> None:
    """Let weights run since 20 seconds, with these reports of its progress, one a second."""
    recorded.start_run(NOW - 30)
    recorded.stage_event("stage_started", NOW - 20, "weights:keyword", reasons=["units 256 -> 8"])
    for second, facts in enumerate(events):
        recorded.stage_event("stage_progress", NOW - len(events) + second + 1, "weights:keyword", **facts)


@pytest.fixture
def edited(recorded: Recorded) -> Recorded:
    """Return a project that was built and then edited."""
    recorded.write(budget=True)
    recorded.build()
    recorded.write(units=8)
    return recorded


async def test_a_stale_stage_says_why_and_what_it_found_before(edited: Recorded, dashboard: Dashboard) -> None:
    del edited
    async with dashboard.run_test(size=WIDE) as pilot:
        weights = await look_at(pilot, "weights:keyword")
        assert "weights:keyword  ○ stale" in weights
        assert "because  units 256 -> 8" in weights
        assert "training_loss" in weights
        assert "took" in weights
        assert "○ stale  weights" in await look_at(pilot, None)
        assert "results, of before what is stale" in said(pilot)
        assert "because  downstream of " in await look_at(pilot, "vela:keyword:u55-128")


async def test_a_result_that_is_remembered_is_said_to_come_back(edited: Recorded, dashboard: Dashboard) -> None:
    edited.build()
    edited.write()
    async with dashboard.run_test(size=WIDE) as pilot:
        assert "remembered and will be restored" in await look_at(pilot, "weights:keyword")


async def test_a_running_stage_counts_down_and_names_what_is_next(edited: Recorded, dashboard: Dashboard) -> None:
    run(edited, {"done": 0, "total": 100, "what": "[epoch] 1", "loss": 2.5}, {"done": 10, "total": 100, "loss": 1.5})
    async with dashboard.run_test(size=WIDE) as pilot:
        text = await look_at(pilot, "weights:keyword")
        assert "because  units 256 -> 8" in text
        assert "10 %" in text
        assert "20 s so far, 9.0 s to go" in text
        assert "next  unrolled:keyword" in text
        assert "loss  2.5 to 1.5" in text
        assert dashboard.screen.query_one("#loss", Sparkline).data == [2.5, 1.5]
        assert not dashboard.screen.query_one("StageTab #accuracy", Sparkline).display
        assert "10 %" in await look_at(pilot, None), "the experiment shows the stage that runs"
        assert "◌ waiting" in await look_at(pilot, "unrolled:keyword")
        assert not dashboard.screen.query_one("#loss", Sparkline).display


async def test_what_has_no_rate_yet_is_not_guessed(edited: Recorded, dashboard: Dashboard) -> None:
    run(edited)
    async with dashboard.run_test(size=WIDE) as pilot:
        assert "weights:keyword is starting, 20 s" in await look_at(pilot, "weights:keyword")
        assert not dashboard.screen.query_one("#loss", Sparkline).display
        edited.stage_event("stage_progress", NOW, "weights:keyword", done=5, total=0, what="[units]")
        await until(pilot, lambda: "how long is not known yet" in said(pilot))
        assert "[units]" in said(pilot)


async def test_a_loss_that_becomes_nan_or_infinite_is_no_point_of_the_curve(
    edited: Recorded, dashboard: Dashboard
) -> None:
    losses = (2.0, 1.0, float("nan"), float("inf"), float("-inf"))
    run(edited, *({"done": done, "total": 9, "loss": loss} for done, loss in enumerate(losses)))
    async with dashboard.run_test(size=WIDE) as pilot:
        assert "loss  2 to 1" in await look_at(pilot, "weights:keyword")
        assert dashboard.screen.query_one("#loss", Sparkline).data == [2.0, 1.0]
        assert "loss -inf" in said(pilot)


async def test_a_failed_stage_that_was_edited_shows_message_and_new_reasons(
    edited: Recorded, dashboard: Dashboard
) -> None:
    run(edited)
    edited.stage_event(
        "stage_failed", NOW - 5, "weights:keyword", message="out of memory", log="x", ended="exit code 1"
    )
    edited.end_run(NOW - 5, ["weights:keyword"])
    async with dashboard.run_test(size=WIDE) as pilot:
        text = await look_at(pilot, "weights:keyword")
        assert "✗ failed" in text
        assert "out of memory" in text
        edited.write(units=4)
        await until(pilot, lambda: "units 256 -> 4" in said(pilot))
        assert "out of memory" in said(pilot)


async def test_a_stage_that_was_stopped_says_so(edited: Recorded, dashboard: Dashboard) -> None:
    run(edited, {"done": 1, "total": 9, "loss": 2.0}, {"done": 2, "total": 9, "loss": 1.0})
    edited.stage_event("stage_failed", NOW - 5, "weights:keyword", message="stopped", log="x")
    edited.end_run(NOW - 5, [])
    async with dashboard.run_test(size=WIDE) as pilot:
        text = await look_at(pilot, "weights:keyword")
        assert "○ stale" in text
        assert "the last run was stopped before this stage finished" in text
        assert "so far" not in text


async def test_data_that_stands_in_is_said_at_the_stage_and_the_experiment(
    recorded: Recorded, dashboard: Dashboard
) -> None:
    recorded.write()
    recorded.build(stand_in="digits")
    async with dashboard.run_test(size=WIDE) as pilot:
        for job in (None, "dataset:keyword", "vela:keyword:u55-128"):
            assert "STAND-IN data: digits, not the data asked for" in await look_at(pilot, job)


async def test_a_number_that_could_not_be_had_stands_with_its_reason(recorded: Recorded, dashboard: Dashboard) -> None:
    recorded.write()
    recorded.build()
    path = Path("build/keyword/weights/stage.json")
    record = json.loads(path.read_text(encoding="utf-8"))  # noqa: ASYNC240 - a test may wait for its disk
    record["metrics"] |= {"parameters": None, "odd": float(10**9), "lists": [1], "yes": True}
    record["unavailable"] = {"parameters": "[no] counter"}
    path.write_text(json.dumps(record), encoding="utf-8")  # noqa: ASYNC240
    async with dashboard.run_test(size=WIDE) as pilot:
        text = await look_at(pilot, "weights:keyword")
        assert "not available: [no] counter" in text
        assert "1,000,000,000.0" in text
        assert "lists" not in text


async def test_a_warning_of_a_stage_stands_at_the_stage_and_in_the_experiments_results(
    recorded: Recorded, dashboard: Dashboard
) -> None:
    recorded.write()
    recorded.build()
    path = Path("build/keyword/quantized/stage.json")
    record = json.loads(path.read_text(encoding="utf-8"))  # noqa: ASYNC240 - a test may wait for its disk
    path.write_text(json.dumps(record | {"warnings": ["1.5 % [saturated]"]}), encoding="utf-8")  # noqa: ASYNC240
    async with dashboard.run_test(size=WIDE) as pilot:
        assert "warning: 1.5 % [saturated]" in await look_at(pilot, "quantized:keyword")
        assert "quantized:keyword: 1.5 % [saturated]" in await look_at(pilot, None)


async def test_settings_with_brackets_are_shown_as_written(recorded: Recorded, dashboard: Dashboard) -> None:
    recorded.write(description="[red]not[/] markup")
    path = Path("experiments/keyword.toml")
    written = path.read_text(encoding="utf-8").replace('name = "mnist"', 'name = "npz"\npath = "[bold]x[.npz"')  # noqa: ASYNC240
    path.write_text(written.replace('stand_in = "digits"\n', ""), encoding="utf-8")  # noqa: ASYNC240
    async with dashboard.run_test(size=WIDE) as pilot:
        assert "[red]not[/] markup" in await look_at(pilot, None)
        assert "[bold]x[.npz" in await look_at(pilot, "dataset:keyword")


async def test_a_file_with_a_mistake_shows_it_and_how_to_edit_it(recorded: Recorded, dashboard: Dashboard) -> None:
    del recorded
    Path("experiments/keyword.toml").write_text("[dataset]\nnam = '['\n", encoding="utf-8")  # noqa: ASYNC240
    async with dashboard.run_test(size=WIDE) as pilot:
        text = await look_at(pilot, None)
        assert "! invalid" in text
        assert "nam" in text
        assert "edit it  e" in text


async def test_it_draws_at_any_width(edited: Recorded, dashboard: Dashboard) -> None:
    run(edited, {"done": 1, "total": 9, "loss": 2.0}, {"done": 2, "total": 9, "loss": 1.0})
    async with dashboard.run_test(size=WIDE) as pilot:
        await look_at(pilot, "weights:keyword")
        await pilot.press("1")
        for width, height in ((50, 10), (20, 8), (6, 5), (3, 3), (1, 1), (140, 60)):
            await pilot.resize_terminal(width, height)
            await pilot.pause()
        await until(pilot, lambda: "so far" in said(pilot))
