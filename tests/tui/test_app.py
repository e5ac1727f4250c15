"""The dashboard as an engineer uses it: real builds, started, watched and stopped by keys."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.containers import VerticalScroll
from textual.pilot import Pilot
from textual.widgets import Static

from tests.conftest import Project
from tests.tui.conftest import settled, until
from tests.tui.recorded import NOW, Recorded
from tui import app
from tui.app import Dashboard
from tui.messages import Assessed
from tui.screens.compare import CompareScreen
from tui.screens.confirm import ConfirmScreen
from tui.screens.help import HelpScreen
from tui.tabs.log import LogView
from tui.widgets.failure_card import FailureCard
from tui.widgets.stage_table import StageTable

WIDE = (140, 40)


@pytest.fixture
def here(built: Project, monkeypatch: pytest.MonkeyPatch, no_footer: None) -> Iterator[Project]:
    """Work in a project where tiny is built and the only experiment."""
    del no_footer
    (built.folder / "experiments" / "mnist-gru.toml").unlink()
    monkeypatch.chdir(built.folder)
    monkeypatch.setattr(Dashboard, "NOTIFICATION_TIMEOUT", 600)  # what was said is asked for later
    yield built
    for event in built.events():  # whatever a test left going ends with it
        if event["event"] == "run_started":
            try:
                os.killpg(event["pid"], signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue


def states(pilot: Pilot[None]) -> dict[str, str]:
    """Return the state of tiny's stages, as the dashboard shows them."""
    assert isinstance(pilot.app, Dashboard)
    snapshot = pilot.app.snapshot
    return {stage.job.stage.name: stage.state for stage in snapshot.stages()} if snapshot else {}


def text(pilot: Pilot[None]) -> str:
    """Return what the first tab says."""
    assert isinstance(pilot.app, Dashboard)
    parts = pilot.app.main.query("#headline, #failure, #progress, #result").results(Static)
    return "\n".join(str(part.content) for part in parts if part.display)


def said(pilot: Pilot[None]) -> str:
    """Return what the toasts say."""
    return "\n".join(f"{note.title} {note.message}" for note in pilot.app._notifications)


async def test_a_build_is_started_watched_and_finished(here: Project) -> None:
    here.change('accelerator = "ethos-u55-128"', 'accelerator = "ethos-u55-64"')
    async with Dashboard().run_test(size=WIDE) as pilot:
        await settled(pilot)
        assert states(pilot)["vela"] == "stale"
        pilot.app.main.select("tiny", "vela:tiny:u55-128")  # type: ignore[attr-defined]
        await until(pilot, lambda: "accelerator ethos-u55-128 -> ethos-u55-64" in text(pilot))
        await pilot.press("g", "r")
        await until(pilot, lambda: states(pilot)["vela"] == "running")
        assert states(pilot)["verify"] == "waiting"
        assert "doit build:tiny" in said(pilot)
        await until(pilot, lambda: set(states(pilot).values()) == {"fresh"}, 120)
        await until(pilot, lambda: "tiny" in said(pilot).split("started")[-1])
    assert set(here.states().values()) == {"fresh"}


async def test_training_is_watched_and_stopped_midway_and_what_finished_is_kept(here: Project) -> None:
    here.change("train_samples = 2000", "train_samples = 1900")
    async with Dashboard().run_test(size=WIDE) as pilot:
        await settled(pilot)
        assert states(pilot)["dataset"] == "stale"
        await pilot.press("r")
        await until(pilot, lambda: states(pilot)["network"] == "running")
        assert states(pilot)["vela"] == "waiting"
        await until(pilot, lambda: "to go" in text(pilot) and "loss" in text(pilot))
        assert "next  unrolled:tiny" in text(pilot)
        await pilot.press("s")
        await until(pilot, lambda: "finished stages are kept" in said(pilot))
        await until(pilot, lambda: states(pilot)["network"] == "stale")
        assert states(pilot)["dataset"] == "fresh"
        await pilot.press("j", "j")
        await until(pilot, lambda: "stopped before this stage finished" in text(pilot))
    assert here.stage_processes() == []
    assert here.states()["dataset"] == "fresh"


async def test_an_edit_shows_at_once_what_became_stale(here: Project) -> None:
    async with Dashboard().run_test(size=WIDE) as pilot:
        await settled(pilot)
        assert set(states(pilot).values()) == {"fresh"}
        here.change("epochs = 2", "epochs = 3")
        await until(pilot, lambda: "epochs 2 -> 3" in text(pilot))
        here.change("epochs = 3", "epochs = 2")
        await until(pilot, lambda: set(states(pilot).values()) == {"fresh"})
        here.change("epochs = 2", "epocs = 2")
        await until(pilot, lambda: "epocs" in text(pilot))
        await pilot.press("r")
        await until(pilot, lambda: "has a mistake" in said(pilot))


async def test_it_attaches_to_a_run_from_another_terminal_and_stops_it_when_told(here: Project) -> None:
    here.change("units = 16", "units = 8")
    doit = here.start("build:tiny")
    async with Dashboard().run_test(size=WIDE) as pilot:
        await until(pilot, lambda: states(pilot).get("network") == "running")
        await pilot.press("r")
        await until(pilot, lambda: "going on already" in said(pilot))
        await pilot.press("s")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("n")
        assert doit.poll() is None
        await pilot.press("s")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: doit.poll() is not None)
        await until(pilot, lambda: states(pilot)["network"] == "stale")
    doit.communicate()
    assert doit.returncode == 128 + signal.SIGINT


async def test_a_run_that_was_killed_is_not_shown_as_running(here: Project) -> None:
    here.change("units = 16", "units = 8")
    doit = here.start("build:tiny")
    async with Dashboard().run_test(size=WIDE) as pilot:
        await until(pilot, lambda: states(pilot).get("network") == "running")
        doit.kill()
        doit.communicate()
        await until(pilot, lambda: states(pilot)["network"] == "stale")


async def _begin_to_quit_while_training(app: Dashboard, pilot: Pilot[None]) -> None:
    await settled(pilot)
    await pilot.press("r")
    await until(pilot, lambda: states(pilot)["network"] == "running")
    await pilot.press("q")
    await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))


@pytest.mark.slow
async def test_quitting_asks_and_can_leave_the_run_alone(here: Project) -> None:
    here.change("units = 16", "units = 8")
    app = Dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await _begin_to_quit_while_training(app, pilot)
        await pilot.press("escape")
        await pilot.pause()
        assert app.is_running
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("k")
        await asyncio.sleep(0.1)
    here.wait_until(lambda: here.events()[-1]["event"] == "run_ended", 120)
    assert here.events()[-1]["failed"] == []


async def test_quitting_can_stop_the_run(here: Project) -> None:
    here.change("units = 16", "units = 8")
    app = Dashboard()
    async with app.run_test(size=WIDE) as pilot:
        await _begin_to_quit_while_training(app, pilot)
        await pilot.press("y")
        await asyncio.sleep(0.1)
    here.wait_until(lambda: here.stage_processes() == [])


async def test_a_failure_shows_its_card_and_the_key_to_run_again(here: Project) -> None:
    here.change('name = "digits"', 'name = "npz"\npath = "nowhere.npz"')
    async with Dashboard().run_test(size=WIDE) as pilot:
        await settled(pilot)
        await pilot.press("r")
        await until(pilot, lambda: states(pilot)["dataset"] == "failed")
        await until(pilot, lambda: "failed" in said(pilot))
        await pilot.press("j")
        card = pilot.app.screen.query_one(FailureCard)
        await until(pilot, lambda: card.display and "nowhere.npz" in str(card.content))
        assert "exit code 1" in str(card.content)
        assert "build/logs/dataset.tiny.log" in str(card.content)
        await pilot.press("r")
        await until(pilot, lambda: len([event for event in here.events() if event["event"] == "stage_failed"]) == 2)


@pytest.mark.slow
async def test_one_stage_is_run_with_what_it_needs_and_forced(here: Project) -> None:
    here.change("representative_samples = 20", "representative_samples = 21")
    async with Dashboard().run_test(size=WIDE) as pilot:
        await settled(pilot)
        await pilot.press(*"jjjj", "r")
        await until(pilot, lambda: states(pilot)["quantized"] == "fresh")
        assert states(pilot)["accuracy"] in {"stale", "fresh"}
        await pilot.press("j", "j", "F")
        await until(pilot, lambda: _runs(here, "vela") == 1)
        await until(pilot, lambda: set(states(pilot)) and states(pilot)["vela"] == "fresh")


def _runs(project: Project, stage: str) -> int:
    return sum(event["event"] == "stage_done" and event["stage"] == stage for event in project.events()[-200:])


@pytest.mark.slow
async def test_every_experiment_is_run_though_one_fails(here: Project) -> None:
    broken = (here.folder / "experiments" / "tiny.toml").read_text().replace('"digits"', '"npz"\npath = "nowhere.npz"')
    (here.folder / "experiments" / "broken.toml").write_text(broken)
    here.change("ethos-u55-128", "ethos-u55-64")
    async with Dashboard().run_test(size=WIDE) as pilot:
        await settled(pilot)
        await pilot.press("R")
        await until(pilot, lambda: "dataset:broken" in said(pilot) or "failed" in said(pilot))
        assert isinstance(pilot.app, Dashboard)
        snapshot = pilot.app.snapshot
        assert snapshot
        await until(pilot, lambda: _state(pilot, "vela:tiny:u55-128") == "fresh")
        assert _state(pilot, "dataset:broken") == "failed"


def _state(pilot: Pilot[None], job: str) -> str:
    assert isinstance(pilot.app, Dashboard)
    stage = pilot.app.snapshot.stage(job) if pilot.app.snapshot else None
    return stage.state if stage else ""


async def test_doit_that_cannot_even_start_says_why(here: Project) -> None:
    (here.folder / "dodo.py").write_text("raise SystemExit('no such luck')\n")
    async with Dashboard().run_test(size=WIDE) as pilot:
        await settled(pilot)
        await pilot.press("r")
        await until(pilot, lambda: "no such luck" in said(pilot))


@pytest.mark.slow
async def test_damaged_results_are_shown_as_such(here: Project) -> None:
    async with Dashboard().run_test(size=WIDE) as pilot:
        await settled(pilot)
        record = here.folder / "build" / "tiny" / "network" / "stage.json"
        whole = json.loads(record.read_text())
        await pilot.press("j", "j")
        record.write_text(record.read_text()[:100])
        await until(pilot, lambda: "stage.json is truncated" in text(pilot))
        record.write_text(json.dumps({**whole, "schema": 0}))
        await until(pilot, lambda: "has schema 0" in text(pilot))
        record.unlink()
        await until(pilot, lambda: "stage.json is missing" in text(pilot))


async def test_the_palette_goes_to_a_stage_by_name(recorded: Recorded, dashboard: Dashboard) -> None:
    recorded.write()
    recorded.build()
    async with dashboard.run_test(size=WIDE) as pilot:
        await settled(pilot)
        await pilot.press("ctrl+p")
        await pilot.press(*"quantized")
        await asyncio.sleep(0.3)
        await pilot.press("enter")
        await until(pilot, lambda: "quantized:keyword" in text(pilot))


async def test_what_the_cursor_is_on_is_copied(recorded: Recorded, dashboard: Dashboard) -> None:
    recorded.write()
    recorded.build()
    recorded.write(units=8)
    async with dashboard.run_test(size=WIDE) as pilot:
        await settled(pilot)
        await pilot.press("c")
        assert dashboard.clipboard == "experiments/keyword.toml"
        await pilot.press("j", "j", "c")
        assert dashboard.clipboard == "network:keyword  stale  units 256 -> 8"


async def test_an_operator_and_a_line_of_the_log_are_copied(recorded: Recorded, dashboard: Dashboard) -> None:
    recorded.write()
    recorded.build()
    recorded.log("verify:keyword:u55-128", "one\ntwo\nthree\n")
    async with dashboard.run_test(size=WIDE) as pilot:
        await settled(pilot)
        await pilot.press("4", "c")
        assert dashboard.clipboard.startswith("recurrent product: 5,099,976 cycles (85.0 %)")
        await pilot.press("l")
        await until(pilot, lambda: dashboard.main.query_one(LogView).line_count == 3)
        await pilot.press("c")
        assert dashboard.clipboard == "three"
        await pilot.press("slash", *"one", "enter", "c")
        assert dashboard.clipboard == "one"


async def test_ctrl_c_quits(recorded: Recorded, dashboard: Dashboard) -> None:
    recorded.write()
    async with dashboard.run_test(size=WIDE) as pilot:
        await settled(pilot)
        await pilot.press("ctrl+c")
        await until(pilot, lambda: dashboard._exit)


async def test_what_runs_is_running_at_the_first_look(
    recorded: Recorded, dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded.write()
    recorded.start_run(NOW - 30)
    recorded.stage_event("stage_started", NOW - 20, "dataset:keyword", reasons=["never built"])
    monkeypatch.setattr(app, "TICK_SECONDS", 600)
    async with dashboard.run_test() as pilot:
        await until(pilot, lambda: dashboard.snapshot)
        assert dashboard.snapshot
        assert next(iter(dashboard.snapshot.stages())).state == "running"


async def test_what_comes_in_while_it_ends_is_let_go(recorded: Recorded, dashboard: Dashboard) -> None:
    recorded.write("a")
    async with dashboard.run_test() as pilot:
        await settled(pilot)
        main = dashboard.main
        dashboard._running = False  # as Textual does first of all when it ends
        assert not main.check_action("back", ()), "a key that waited is let go"
        dashboard._running = True
    dashboard._tick()  # the timer's last tick
    dashboard.on_assessed(Assessed())  # a look that was going on


async def test_a_picture_is_saved(recorded: Recorded, dashboard: Dashboard) -> None:
    recorded.write()
    async with dashboard.run_test(size=WIDE) as pilot:
        await settled(pilot)
        await pilot.press("P")
        await pilot.pause()
        (note,) = dashboard._notifications
        picture = Path(note.message)
        assert "<svg" in picture.read_text(encoding="utf-8")  # noqa: ASYNC240 - a test may wait for its disk
        picture.unlink()  # noqa: ASYNC240


async def test_help_opens_and_closes(recorded: Recorded, dashboard: Dashboard) -> None:
    recorded.write()
    async with dashboard.run_test(size=WIDE) as pilot:
        await settled(pilot)
        await pilot.press("question_mark")
        assert isinstance(dashboard.screen, HelpScreen)
        await pilot.press("j")
        assert dashboard.screen.query_one("#help", VerticalScroll)
        await pilot.press("escape")
        assert len(dashboard.screen_stack) == 1


async def test_comparing_opens_with_what_was_marked(recorded: Recorded, dashboard: Dashboard) -> None:
    for name in ("a", "b", "c"):
        recorded.write(name, units=ord(name))
        recorded.build(name, int8=0.9 + ord(name) / 2000)
    async with dashboard.run_test(size=WIDE) as pilot:
        await settled(pilot)
        await pilot.press("space")
        dashboard.main.query_one(StageTable).go_to("c", None)
        await pilot.press("space", "d")
        await until(pilot, lambda: isinstance(dashboard.screen, CompareScreen))
        await pilot.pause()
        differences = str(dashboard.screen.query_one("#differences", Static).content)
        assert " a " in f"{differences} "
        assert f"{ord('a')}" in differences
        assert f"{ord('c')}" in differences
        assert f"{ord('b')} " not in differences
        await pilot.press("escape")
        assert len(dashboard.screen_stack) == 1


async def test_a_name_with_brackets_is_only_a_name(recorded: Recorded, dashboard: Dashboard) -> None:
    Path("experiments/[bold]x[.toml").touch()  # noqa: ASYNC240 - a test may wait for its disk
    recorded.write(description="[red]not[/] markup [ 🦜")
    recorded.log("network:keyword", "[/nothing] [bold] \x1b[31mred\x1b[0m 🦜 " + "x" * 10_000 + "\n")
    async with dashboard.run_test(size=WIDE) as pilot:
        await settled(pilot)
        for key in ("j", "j", "j", "1", "2", "3", "4", "5"):
            await pilot.press(key)
            await settled(pilot)
        assert dashboard.is_running


async def test_nothing_is_running_and_nothing_is_selected(recorded: Recorded, dashboard: Dashboard) -> None:
    del recorded
    async with dashboard.run_test(size=WIDE) as pilot:
        await settled(pilot)
        for key in ("s", "r", "F", "m", "e", "c", "d", "l", "slash", "escape"):
            await pilot.press(key)
            await pilot.pause()
        assert "nothing is running" in said(pilot)
        assert dashboard.is_running


async def test_the_key_runs_the_matrix_of_what_is_selected(
    recorded: Recorded, dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    monkeypatch.setattr(dashboard.engine, "start", lambda *commands: started.append(commands))
    recorded.write("broken", units=0)
    recorded.write()
    async with dashboard.run_test(size=WIDE) as pilot:
        await settled(pilot)
        await pilot.press("m")
        assert started == [], "the first experiment's file has a mistake"
        await pilot.press("j", "j", "m")
        assert started == [(["matrix:keyword"],)], "from a stage, too"
