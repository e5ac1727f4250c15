"""The first tab: state, reasons, progress, and the facts of a result."""

from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Sparkline

from tests.pipeline.records import amend
from tests.tui.alone import OneTab, alone
from tests.tui.recorded import NOW, Recorded
from tui.tabs.stage import StageTab

WIDE = (84, 60)


def look(app: OneTab, job: str | None) -> str:
    """Select a stage, or the experiment, and return what is said of it."""
    app.select(job)
    text = app.text("StageTab > Static")
    assert text.startswith(job or "keyword ")
    return text


def run(recorded: Recorded, *events: dict[str, Any]) -> None:
    """Let weights run since 20 seconds, with these reports of its progress, one a second."""
    recorded.start_run(NOW - 30)
    recorded.stage_event("stage_started", NOW - 20, "network:keyword", reasons=["units 256 -> 8"])
    for second, facts in enumerate(events):
        recorded.stage_event("stage_progress", NOW - len(events) + second + 1, "network:keyword", **facts)


@pytest.fixture
def edited(recorded: Recorded) -> Recorded:
    """Return a project that was built and then edited."""
    recorded.write(budget=True)
    recorded.build()
    recorded.write(units=8)
    return recorded


async def test_a_stale_stage_says_why_and_what_it_found_before(edited: Recorded) -> None:
    del edited
    async with alone(StageTab(), WIDE) as app:
        weights = look(app, "network:keyword")
        assert "network:keyword  ○ stale" in weights
        assert "because  units 256 -> 8" in weights
        assert "training_loss" in weights
        assert "took" in weights
        assert "○ stale  network" in look(app, None)
        assert "results; what is stale is from the previous build" in app.text("StageTab > Static")
        assert "because  downstream of " in look(app, "vela:keyword:u55-128")


async def test_a_result_that_is_remembered_is_said_to_come_back(edited: Recorded) -> None:
    edited.build()
    edited.write()
    async with alone(StageTab(), WIDE) as app:
        assert "remembered and will be restored" in look(app, "network:keyword")


async def test_a_running_stage_counts_down_and_names_what_is_next(edited: Recorded) -> None:
    run(edited, {"done": 0, "total": 100, "what": "[epoch] 1", "loss": 2.5}, {"done": 10, "total": 100, "loss": 1.5})
    async with alone(StageTab(), WIDE) as app:
        text = look(app, "network:keyword")
        assert "because  units 256 -> 8" in text
        assert "10 %" in text
        assert "20 s so far, 9.0 s to go" in text
        assert "next  unrolled:keyword" in text
        assert "loss  2.5 to 1.5" in text
        assert app.tab.query_one("#loss", Sparkline).data == [2.5, 1.5]
        assert not app.tab.query_one("#accuracy", Sparkline).display
        assert "10 %" in look(app, None), "the experiment shows the stage that runs"
        assert "◌ waiting" in look(app, "unrolled:keyword")
        assert not app.tab.query_one("#loss", Sparkline).display


async def test_what_has_no_rate_yet_is_not_guessed(edited: Recorded) -> None:
    run(edited)
    async with alone(StageTab(), WIDE) as app:
        assert "network:keyword is starting, 20 s" in look(app, "network:keyword")
        assert not app.tab.query_one("#loss", Sparkline).display
        edited.stage_event("stage_progress", NOW, "network:keyword", done=5, total=0, what="[units]")
        app.look()
        assert "how long is not known yet" in app.text("StageTab > Static")
        assert "[units]" in app.text("StageTab > Static")


async def test_a_loss_that_becomes_nan_or_infinite_is_no_point_of_the_curve(edited: Recorded) -> None:
    losses = (2.0, 1.0, float("nan"), float("inf"), float("-inf"))
    run(edited, *({"done": done, "total": 9, "loss": loss} for done, loss in enumerate(losses)))
    async with alone(StageTab(), WIDE) as app:
        assert "loss  2 to 1" in look(app, "network:keyword")
        assert app.tab.query_one("#loss", Sparkline).data == [2.0, 1.0]
        assert "loss -inf" in app.text("StageTab > Static")


async def test_a_failed_stage_that_was_edited_shows_message_and_new_reasons(edited: Recorded) -> None:
    run(edited)
    edited.stage_event(
        "stage_failed", NOW - 5, "network:keyword", message="out of memory", log="x", ended="exit code 1"
    )
    edited.end_run(NOW - 5, ["network:keyword"])
    async with alone(StageTab(), WIDE) as app:
        text = look(app, "network:keyword")
        assert "✗ failed" in text
        assert "out of memory" in text
        edited.write(units=4)
        app.look()
        assert "units 256 -> 4" in app.text("StageTab > Static")
        assert "out of memory" in app.text("StageTab > Static")


async def test_a_stage_that_was_stopped_says_so(edited: Recorded) -> None:
    run(edited, {"done": 1, "total": 9, "loss": 2.0}, {"done": 2, "total": 9, "loss": 1.0})
    edited.stage_event("stage_failed", NOW - 5, "network:keyword", message="stopped", log="x")
    edited.end_run(NOW - 5, [])
    async with alone(StageTab(), WIDE) as app:
        text = look(app, "network:keyword")
        assert "○ stale" in text
        assert "the last run was stopped before this stage finished" in text
        assert "so far" not in text


async def test_data_that_stands_in_is_said_at_the_stage_and_the_experiment(recorded: Recorded) -> None:
    recorded.write()
    recorded.build(stand_in="digits")
    async with alone(StageTab(), WIDE) as app:
        for job in (None, "dataset:keyword", "vela:keyword:u55-128"):
            assert "STAND-IN data: digits, not the data asked for" in look(app, job)


async def test_a_number_that_could_not_be_had_stands_with_its_reason(recorded: Recorded) -> None:
    recorded.write()
    recorded.build()
    metrics = {"parameters": None, "odd": float(10**9), "lists": [1], "yes": True}
    amend(Path("build/keyword/network"), metrics=metrics, unavailable={"parameters": "[no] counter"})
    async with alone(StageTab(), WIDE) as app:
        text = look(app, "network:keyword")
        assert "not available: [no] counter" in text
        assert "1,000,000,000.0" in text
        assert "lists" not in text


async def test_a_warning_of_a_stage_stands_at_the_stage_and_in_the_experiments_results(recorded: Recorded) -> None:
    recorded.write()
    recorded.build()
    amend(Path("build/keyword/quantized"), warnings=["1.5 % [saturated]"])
    async with alone(StageTab(), WIDE) as app:
        assert "warning: 1.5 % [saturated]" in look(app, "quantized:keyword")
        assert "quantized:keyword: 1.5 % [saturated]" in look(app, None)


async def test_settings_with_brackets_are_shown_as_written(recorded: Recorded) -> None:
    recorded.write(description="[red]not[/] markup")
    path = Path("experiments/keyword.toml")
    written = path.read_text(encoding="utf-8").replace('name = "mnist"', 'name = "npz"\npath = "[bold]x[.npz"')  # noqa: ASYNC240
    path.write_text(written.replace('stand_in = "digits"\n', ""), encoding="utf-8")  # noqa: ASYNC240
    async with alone(StageTab(), WIDE) as app:
        assert "[red]not[/] markup" in look(app, None)
        assert "[bold]x[.npz" in look(app, "dataset:keyword")


async def test_a_file_with_a_mistake_shows_it_and_how_to_edit_it(recorded: Recorded) -> None:
    del recorded
    Path("experiments/keyword.toml").write_text("[dataset]\nnam = '['\n", encoding="utf-8")  # noqa: ASYNC240
    async with alone(StageTab(), WIDE) as app:
        text = look(app, None)
        assert "! invalid" in text
        assert "nam" in text
        assert "edit it  e" in text


async def test_it_draws_at_any_width(edited: Recorded) -> None:
    run(edited, {"done": 1, "total": 9, "loss": 2.0}, {"done": 2, "total": 9, "loss": 1.0})
    async with alone(StageTab(), WIDE) as app:
        look(app, "network:keyword")
        for width, height in ((50, 10), (20, 8), (6, 5), (3, 3), (1, 1), (140, 60)):
            await app.resize(width, height)
        assert "so far" in look(app, "network:keyword")
