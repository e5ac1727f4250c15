"""How every stage stands, in all the ways a project can be found in."""

import json
import os
import platform
import shutil
from collections.abc import Callable

import pytest

from tests.tui.data.conftest import look, note, states
from tests.tui.recorded import HOUR, MINUTE, NOW, Recorded
from tui.data.project import ProjectWatcher

FAILURE = {"message": "the loss became nan", "log": "build/logs/weights.keyword.log", "ended": "exit code 1"}


def stale_weights(recorded: Recorded) -> None:
    recorded.write()
    recorded.build()
    recorded.write(units=128)


def _never_built(recorded: Recorded) -> None:
    recorded.write()


def _fresh(recorded: Recorded) -> None:
    recorded.write()
    recorded.build()


def _restored(recorded: Recorded) -> None:
    _fresh(recorded)
    recorded.stage_event("stage_restored", NOW - HOUR, "network:keyword", metrics={})


def _waiting(recorded: Recorded) -> None:
    stale_weights(recorded)
    recorded.start_run(NOW - MINUTE)


def _running(recorded: Recorded) -> None:
    _waiting(recorded)
    recorded.stage_event("stage_started", NOW - 50, "network:keyword", reasons=["units 256 -> 128"])


def _done_since_the_last_look(recorded: Recorded) -> None:
    _running(recorded)
    recorded.stage_event("stage_done", NOW + 1, "network:keyword", seconds=1, metrics={})


def _restored_since_the_last_look(recorded: Recorded) -> None:
    _waiting(recorded)
    recorded.stage_event("stage_restored", NOW + 1, "network:keyword", metrics={})


def _failed_while_running(recorded: Recorded) -> None:
    _running(recorded)
    recorded.stage_event("stage_failed", NOW - 5, "network:keyword", **FAILURE)


def _failed(recorded: Recorded) -> None:
    _failed_while_running(recorded)
    recorded.end_run(NOW - 4, ["network:keyword"])


def _failed_before_this_run(recorded: Recorded) -> None:
    _failed(recorded)
    recorded.project.events.file.write_text(
        recorded.project.events.file.read_text(encoding="utf-8").replace('"recorded"', '"before"'), encoding="utf-8"
    )
    recorded.start_run(NOW - 2)


def _failed_and_repaired(recorded: Recorded) -> None:
    _failed(recorded)
    recorded.write()


def _stopped(recorded: Recorded) -> None:
    _running(recorded)
    recorded.stage_event("stage_failed", NOW - 5, "network:keyword", message="stopped", log="x")
    recorded.end_run(NOW - 4, [])


def _killed(recorded: Recorded) -> None:
    _running(recorded)
    recorded._lock.release()


TABLE: dict[str, tuple[Callable[[Recorded], None], str, str]] = {
    "never built": (_never_built, "stale stale stale stale stale stale stale", "never built"),
    "fresh": (_fresh, "fresh fresh fresh fresh fresh fresh fresh", ""),
    "restored": (_restored, "fresh restored fresh fresh fresh fresh fresh", ""),
    "stale": (stale_weights, "fresh stale stale stale stale stale stale", "units 256 -> 128"),
    "waiting": (_waiting, "fresh waiting waiting waiting waiting waiting waiting", "units 256 -> 128"),
    "running": (_running, "fresh running waiting waiting waiting waiting waiting", "units 256 -> 128"),
    "done": (_done_since_the_last_look, "fresh fresh waiting waiting waiting waiting waiting", ""),
    "just restored": (_restored_since_the_last_look, "fresh restored waiting waiting waiting waiting waiting", ""),
    "failed, others go on": (
        _failed_while_running,
        "fresh failed waiting waiting waiting waiting waiting",
        "the loss became nan",
    ),
    "failed": (_failed, "fresh failed stale stale stale stale stale", "the loss became nan"),
    "failed before this run": (
        _failed_before_this_run,
        "fresh waiting waiting waiting waiting waiting waiting",
        "units 256 -> 128",
    ),
    "failed and repaired": (_failed_and_repaired, "fresh fresh fresh fresh fresh fresh fresh", ""),
    "stopped": (
        _stopped,
        "fresh stale stale stale stale stale stale",
        "units 256 -> 128; stopped before it finished",
    ),
    "killed": (_killed, "fresh stale stale stale stale stale stale", "units 256 -> 128; stopped before it finished"),
}


@pytest.mark.parametrize(("prepare", "expected", "why"), TABLE.values(), ids=TABLE)
def test_how_stages_stand_and_why(
    recorded: Recorded, prepare: Callable[[Recorded], None], expected: str, why: str
) -> None:
    prepare(recorded)
    snapshot = look()
    assert states(snapshot) == expected
    assert note(snapshot, "network:keyword") == why
    stages = snapshot.stages()
    assert [stage.fresh for stage in stages] == [word in {"fresh", "restored"} for word in expected.split()]
    assert all(bool(stage.reasons) != stage.fresh for stage in stages)
    assert snapshot.stale == sum(not stage.fresh for stage in stages)


EXPERIMENT = {
    "never built": "stale",
    "fresh": "fresh",
    "restored": "fresh",
    "waiting": "waiting",
    "running": "running",
    "failed": "failed",
}


@pytest.mark.parametrize(("state", "expected"), EXPERIMENT.items(), ids=EXPERIMENT)
def test_an_experiment_shows_the_state_that_most_deserves_to_be_seen(
    recorded: Recorded, state: str, expected: str
) -> None:
    TABLE[state][0](recorded)
    facts = look().experiment("keyword")
    assert facts is not None
    assert facts.state == expected


def test_what_is_downstream_says_so_and_never_built_says_no_more(recorded: Recorded) -> None:
    stale_weights(recorded)
    assert note(look(), "accuracy:keyword") == "downstream of unrolled, quantized"
    shutil.rmtree("build")
    assert note(look(), "accuracy:keyword") == "never built"


def test_a_result_that_the_store_remembers_says_so(recorded: Recorded) -> None:
    stale_weights(recorded)
    recorded.build(int8=0.9)
    recorded.write()
    stage = look().stage("network:keyword")
    assert stage is not None
    assert (stage.state, stage.remembered) == ("stale", True)
    assert stage.note == "units 128 -> 256; remembered: will be restored"


def test_a_run_that_goes_on_is_known_with_its_next_stage(recorded: Recorded) -> None:
    _running(recorded)
    snapshot = look()
    assert snapshot.running
    assert snapshot.run is not None
    assert (snapshot.run.pid, snapshot.run.command) == (os.getpid(), ("build:keyword",))
    following = snapshot.next_stage()
    assert following is not None
    assert following.job.name == "unrolled:keyword"


def test_a_run_that_ended_is_still_known(recorded: Recorded) -> None:
    _failed(recorded)
    snapshot = look()
    assert not snapshot.running
    assert snapshot.run is not None
    assert snapshot.run.failed == ("network:keyword",)
    assert snapshot.next_stage() is None


def test_a_run_that_just_began_is_believed_before_its_lock_is_seen(recorded: Recorded) -> None:
    stale_weights(recorded)
    facts = {"pid": 7, "host": "box", "command": [], "plan": ["network:keyword"]}
    recorded.event("run_started", NOW - 1, **facts)
    assert look().running
    assert not look(ProjectWatcher(lambda: NOW + 10)).running, "not for long"


def test_a_run_in_a_container_or_on_another_machine_goes_on_as_long_as_it_holds_the_lock(recorded: Recorded) -> None:
    stale_weights(recorded)
    recorded.event("run_started", NOW - HOUR, pid=7, host="container", command=[], plan=["network:keyword"])
    assert not look().running
    held = recorded.project.lock.acquire(print)
    assert not look().running, "somebody else holds it"
    holder = recorded.project.build / "lock.holder"
    note = json.loads(holder.read_text(encoding="utf-8")) | {"pid": 7, "host": "container"}
    holder.write_text(json.dumps(note), encoding="utf-8")
    snapshot = look()
    assert snapshot.running
    assert states(snapshot) == "fresh waiting stale stale stale stale stale"
    held.release()
    assert not look().running


def test_a_run_of_the_same_number_on_another_machine_is_not_the_one_that_holds_the_lock(recorded: Recorded) -> None:
    stale_weights(recorded)
    recorded.event("run_started", NOW - HOUR, pid=os.getpid(), host=f"not-{platform.node()}", command=[], plan=[])
    held = recorded.project.lock.acquire(print)
    assert not look().running
    held.release()
