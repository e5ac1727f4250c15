"""A project that is edited, damaged and written to while it is watched."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tui.data.conftest import look, note, states
from tests.tui.recorded import HOUR, NOW, Recorded
from tui.data.project import ProjectWatcher

STAGES = ("dataset", "network", "unrolled", "quantized", "accuracy", "vela", "verify")
TOML = Path("experiments/keyword.toml")


@pytest.fixture
def fresh(recorded: Recorded) -> Recorded:
    """Return a project where everything is fresh."""
    recorded.write()
    recorded.build()
    return recorded


def test_an_edited_experiment_is_noticed_and_its_stages_assessed_anew(fresh: Recorded) -> None:
    watcher = ProjectWatcher(lambda: NOW)
    assert watcher.files_changed()
    look(watcher)
    assert not watcher.files_changed()
    fresh.write(units=8)
    assert watcher.files_changed()
    assert states(look(watcher)) == "fresh stale stale stale stale stale stale"


def test_experiments_come_and_go(recorded: Recorded) -> None:
    watcher = ProjectWatcher(lambda: NOW)
    assert look(watcher).experiments == ()
    recorded.write("b")
    recorded.write("a")
    assert watcher.files_changed()
    assert [facts.name for facts in look(watcher).experiments] == ["a", "b"]
    Path("experiments/a.toml").unlink()
    assert watcher.files_changed()
    assert [facts.name for facts in look(watcher).experiments] == ["b"]


def test_a_mistake_in_a_file_is_told_and_goes_when_it_is_repaired(fresh: Recorded) -> None:
    fresh.write("other")
    watcher = ProjectWatcher(lambda: NOW)
    good = TOML.read_text(encoding="utf-8")
    TOML.write_text(good.replace("units", "unit"), encoding="utf-8")
    facts = look(watcher).experiment("keyword")
    assert facts is not None
    assert (facts.state, facts.stages) == ("invalid", ())
    assert facts.problem is not None
    assert "unit: unknown key; did you mean units?" in facts.problem
    assert states(look(watcher), "other").startswith("stale")
    TOML.write_text(good, encoding="utf-8")
    assert states(look(watcher)) == "fresh fresh fresh fresh fresh fresh fresh"


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("name", ["ünits", "a b", "[bold]", "x:y"])
def test_a_file_whose_name_can_not_be_an_experiments_is_invalid_and_disturbs_no_other(name: str) -> None:
    shutil.copy(TOML, f"experiments/{name}.toml")
    snapshot = look()
    facts = snapshot.experiment(name)
    assert facts is not None
    assert facts.state == "invalid"
    assert states(snapshot) == "fresh fresh fresh fresh fresh fresh fresh"


@pytest.mark.usefixtures("fresh")
def test_an_editors_lock_and_a_folder_are_no_trouble() -> None:
    Path("experiments/.#keyword.toml").symlink_to("someone@somewhere.1234")
    Path("experiments/folder.toml").mkdir()
    assert {facts.name: facts.state for facts in look().experiments} == {"keyword": "fresh", "folder": "invalid"}


def _deleted(path: Path) -> None:
    path.unlink()


def _truncated(path: Path) -> None:
    _rewrite(path, path.read_bytes()[:200])


def _older(path: Path) -> None:
    _rewrite(path, path.read_bytes().replace(b'"schema": 2', b'"schema": 0'))


def _a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _rewrite(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


DAMAGED: dict[str, tuple[Callable[[Path], None], str]] = {
    "deleted": (_deleted, "stage.json is missing"),
    "truncated": (_truncated, "stage.json is truncated or not ours"),
    "of another schema": (_older, "stage.json has schema 0, this version writes 2"),
    "a folder": (_a_folder, "stage.json can't be read: Is a directory"),
}


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize(("damage", "says"), DAMAGED.values(), ids=DAMAGED)
@pytest.mark.parametrize("seen_before", [False, True])
def test_a_damaged_record_is_named(damage: Callable[[Path], None], says: str, *, seen_before: bool) -> None:
    watcher = ProjectWatcher(lambda: NOW)
    if seen_before:
        look(watcher)
    damage(Path("build/keyword/quantized/stage.json"))
    stage = look(watcher).stage("quantized:keyword")
    assert stage is not None
    assert (stage.state, stage.note, stage.record) == ("stale", says, None)


def test_a_removed_build_folder_is_never_built_again(fresh: Recorded) -> None:
    fresh.stage_event("stage_restored", NOW - HOUR, "network:keyword", metrics={})
    watcher = ProjectWatcher(lambda: NOW)
    look(watcher)
    shutil.rmtree("build")
    assert states(look(watcher)) == "stale stale stale stale stale stale stale"
    fresh.build()
    fresh.stage_event("stage_restored", NOW - 9, "vela:keyword:u55-128", metrics={"long": "x" * 900})
    assert states(look(watcher)) == "fresh fresh fresh fresh fresh restored fresh", (
        "only the events of the new folder count"
    )


def test_a_removed_build_folder_is_forgotten_with_its_failures(fresh: Recorded) -> None:
    fresh.write(units=128)
    fresh.start_run(NOW - 20)
    fresh.stage_event("stage_failed", NOW - 9, "network:keyword", message="the loss became nan", log="x")
    fresh.end_run(NOW - 8, ["network:keyword"])
    watcher = ProjectWatcher(lambda: NOW)
    assert states(look(watcher)) == "fresh failed stale stale stale stale stale"
    shutil.rmtree("build")
    snapshot = look(watcher)
    assert states(snapshot) == "stale stale stale stale stale stale stale"
    assert note(snapshot, "network:keyword") == "never built"
    assert snapshot.run is None, "no headline of a failed run"


def test_events_that_are_not_ours_disturb_nothing(fresh: Recorded, recorded: Recorded) -> None:
    fresh.write(units=128)
    recorded.project.events.file.write_bytes(
        b"\xff\xfe\0\n{]\n[]\n3\n{}\n" + b"[" * 99_999 + b'\n{"event": {"a": 1}}\n{"event": "stage_done"}\n'
    )
    fresh.event("coffee_ready", NOW - 30, beans=3)
    fresh.start_run(NOW - 20)
    fresh.stage_event("stage_started", NOW - 10, "network:keyword", reasons=["x"])
    fresh.stage_event("stage_warned", NOW - 9, "network:keyword", message="a newer version says more")
    fresh.stage_event("stage_started", NOW - 8, "network:no-such-experiment", reasons=["x"])
    assert states(look()) == "fresh running waiting waiting waiting waiting waiting"


def test_an_event_file_that_was_truncated_or_set_aside_is_heard_anew(fresh: Recorded, recorded: Recorded) -> None:
    fresh.write(units=128)
    fresh.start_run(NOW - 9)
    fresh.end_run(NOW - 4, ["network:keyword"])
    watcher = ProjectWatcher(lambda: NOW)
    look(watcher)
    recorded.project.events.file.write_bytes(b"")
    assert not watcher.poll()
    fresh.start_run(NOW - 2)
    fresh.stage_event("stage_started", NOW - 1, "network:keyword", reasons=["x"])
    assert watcher.poll()
    assert states(look(watcher)) == "fresh running waiting waiting waiting waiting waiting"
    fresh._lock.release()


@pytest.mark.usefixtures("fresh")
def test_an_event_file_that_can_not_be_read_is_no_event(recorded: Recorded) -> None:
    recorded.project.events.file.unlink(missing_ok=True)
    recorded.project.events.file.mkdir()
    assert states(look()) == "fresh fresh fresh fresh fresh fresh fresh"


def test_half_an_event_waits_for_its_other_half(fresh: Recorded, recorded: Recorded) -> None:
    fresh.write(units=128)
    fresh.start_run(NOW - 20)
    fresh.stage_event("stage_started", NOW - 10, "network:keyword", reasons=["x"])
    whole = recorded.project.events.file.read_bytes()
    recorded.project.events.file.write_bytes(whole[:-9])
    watcher = ProjectWatcher(lambda: NOW)
    assert states(look(watcher)) == "fresh waiting waiting waiting waiting waiting waiting"
    recorded.project.events.file.write_bytes(whole)
    assert states(look(watcher)) == "fresh running waiting waiting waiting waiting waiting"
    fresh._lock.release()


@pytest.mark.usefixtures("fresh")
def test_before_the_first_look_nothing_is_shown() -> None:
    watcher = ProjectWatcher(lambda: NOW)
    watcher.poll()
    assert not watcher.assessed
    assert watcher.snapshot().experiments == ()


@pytest.mark.usefixtures("fresh")
def test_a_project_is_found_by_experiment_stage_and_kind() -> None:
    snapshot = look()
    facts = snapshot.experiment("keyword")
    assert facts is not None
    assert [stage.job.stage.name for stage in facts.stages] == list(STAGES)
    assert facts.stage("vela") is snapshot.stage("vela:keyword:u55-128")
    assert facts.stage("nothing") is None
    assert snapshot.stage("vela:keyword") is None
    assert snapshot.experiment("nothing") is None
    assert (facts.description, facts.stale, facts.verdicts) == ("wakes the board", 0, ())


def test_a_stand_in_is_told(recorded: Recorded) -> None:
    recorded.write()
    recorded.build(stand_in="digits")
    facts = look().experiment("keyword")
    assert facts is not None
    assert facts.stand_in == "digits"


def test_two_hundred_experiments_are_all_there(recorded: Recorded) -> None:
    for number in range(200):
        recorded.write(f"sweep-{number:03}", units=16 + number)
    snapshot = look()
    assert len(snapshot.experiments) == 200
    assert len(snapshot.stages()) == 1400


def test_every_budget_is_held_against_the_results_that_are_shown(recorded: Recorded) -> None:
    recorded.write()
    path = Path("experiments/keyword.toml")
    limits = "accuracy_min = 0.99\nsram_max = 3072\nflash_max = 674098\ncpu_operators_max = 0\n"
    path.write_text(path.read_text(encoding="utf-8") + f"\n[budget]\n{limits}", encoding="utf-8")
    recorded.build()
    facts = look().experiment("keyword")
    assert facts is not None
    assert {(verdict.budget, verdict.target, verdict.passed) for verdict in facts.verdicts} == {
        ("accuracy_min", None, False),
        ("sram_max", "u55-128", True),
        ("flash_max", "u55-128", False),
        ("cpu_operators_max", "u55-128", True),
    }
