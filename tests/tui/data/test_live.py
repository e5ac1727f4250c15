from dataclasses import replace
from typing import Any

import pytest

from tui.data.live import MOST_POINTS, Latest, Live, Progress

START: dict[str, Any] = {"event": "run_started", "time": 10.0, "run": "r", "pid": 7, "host": "box", "command": ["x"]}


def event(kind: str, time: float = 20.0, run: str = "r", **facts: Any) -> dict[str, Any]:
    where = {"stage": "network", "experiment": "tiny", "target": None}
    return {"event": f"stage_{kind}", "time": time, "run": run, **where, **facts}


def latest(*events: dict[str, Any], name: str = "network:tiny") -> Latest:
    live = Live()
    live.take(events)
    return live.latest[name]


def test_a_run_is_known_with_its_command_and_plan() -> None:
    live = Live()
    assert live.run is None
    assert live.take([START | {"plan": ["dataset:tiny", "network:tiny"]}])
    assert live.run is not None
    assert (live.run.pid, live.run.host, live.run.command) == (7, "box", ("x",))
    assert live.run.plan == ("dataset:tiny", "network:tiny")
    assert live.run.ended is None


def test_a_run_of_before_host_and_plan_were_told_is_read_all_the_same() -> None:
    live = Live()
    live.take([{name: value for name, value in START.items() if name != "host"}])
    assert live.run is not None
    assert (live.run.host, live.run.plan) == ("", ())


def test_the_end_of_a_run_is_that_of_the_same_run_only() -> None:
    live = Live()
    live.take([START, {"event": "run_ended", "time": 30.0, "run": "another", "failed": []}])
    assert live.run is not None
    assert live.run.ended is None
    live.take([{"event": "run_ended", "time": 31.0, "run": "r", "failed": ["network:tiny"]}])
    over = live.run
    assert (over.ended, over.failed) == (31.0, ("network:tiny",))


def test_nothing_new_is_told_from_something_new() -> None:
    live = Live()
    assert not live.take([])
    assert live.take([event("started", reasons=[])])


def test_a_target_has_a_name_of_its_own() -> None:
    assert latest(event("started", target="u55-128", reasons=["x"]), name="network:tiny:u55-128").kind == "running"


@pytest.mark.parametrize("kind", ["done", "restored"])
def test_a_stage_keeps_when_it_started_and_how_far_it_came(kind: str) -> None:
    found = latest(
        event("started", 20, reasons=["units 8 -> 9"]),
        event("progress", 22, done=5, total=10),
        event(kind, 25, seconds=5),
    )
    assert (found.kind, found.started, found.time, found.reasons) == (kind, 20, 25, ("units 8 -> 9",))
    assert found.progress is not None
    assert found.progress.share == 0.5


def test_a_failure_has_its_sentence_its_log_and_how_the_process_ended() -> None:
    found = latest(event("started", reasons=[]), event("failed", message="no", log="a.log", ended="signal SIGSEGV"))
    assert (found.kind, found.message, found.log, found.ended) == ("failed", "no", "a.log", "signal SIGSEGV")


def test_a_failure_before_any_process_was_started_ended_in_no_way() -> None:
    assert latest(event("failed", message="the disk is full", log="a.log")).ended is None


def test_a_stopped_stage_did_not_fail() -> None:
    assert latest(event("failed", message="stopped", log="a.log")).kind == "stopped"


def test_a_new_run_starts_a_stage_over() -> None:
    found = latest(
        event("started", 20, reasons=[]), event("progress", 21, done=5, total=10), event("restored", 90, run="next")
    )
    assert (found.run, found.started, found.progress) == ("next", 90, None)


def test_a_training_curve_grows_and_is_kept_to_its_last_points() -> None:
    live = Live()
    live.take([event("started", reasons=[])])
    for done in range(MOST_POINTS + 50):
        live.take([event("progress", 20 + done, done=done, total=9000, loss=done / 10, accuracy=0.5, epoch="1/1")])
    progress = live.latest["network:tiny"].progress
    assert progress is not None
    assert len(progress.losses) == len(progress.accuracies) == MOST_POINTS
    assert progress.losses[-1] == (MOST_POINTS + 49) / 10
    assert ("epoch", "1/1") in progress.report


def test_what_remains_follows_the_rate_since_the_first_report() -> None:
    first = latest(event("progress", 100, done=10, total=110)).progress
    assert first is not None
    assert first.remaining(100) is None, "one report is no rate"
    later = latest(event("progress", 100, done=10, total=110), event("progress", 110, done=60, total=110)).progress
    assert later is not None
    assert later.remaining(110) == 10
    assert later.remaining(114) == 6, "it counts down between two reports"
    assert later.remaining(500) == 0, "and never below nothing"


def test_reports_at_the_same_moment_or_going_back_are_no_rate() -> None:
    progress = Progress(done=20, total=100, time=50, began=(10, 50))
    assert progress.remaining(60) is None
    assert replace(progress, done=5, time=60).remaining(60) is None


def test_a_total_of_nothing_is_no_share() -> None:
    assert Progress(done=0, total=0, time=0).share == 0


FOREIGN: dict[str, dict[str, Any]] = {
    "unknown": {"event": "coffee_ready", "time": 1, "run": "r"},
    "no text": {"event": 3},
    "no event": {"time": 3},
    "a run without a command": {"event": "run_started", "time": 1, "run": "r", "pid": 7},
    "a run at no time": START | {"time": "noon"},
    "a run of no process": START | {"pid": "seven"},
    "a run of every process": START | {"pid": -1},
    "an end that nobody failed": {"event": "run_ended", "time": 1, "run": "r", "failed": None},
    "a stage without a name": {"event": "stage_done", "time": 1, "run": "r"},
    "a stage with a number for a name": event("done") | {"stage": 3},
    "a start without reasons": event("started"),
    "a stage at no time": event("done", time=None),  # type: ignore[arg-type]
    "progress of nothing": event("progress"),
    "progress without end": event("progress", done=1, total=float("inf")),
    "progress in words": event("progress", done="half", total="all"),
    "a loss in words": event("progress", done=1, total=2, loss="much"),
    "a failure without a sentence": event("failed"),
    "what a newer version may say of a stage": event("warned", message="hot"),
}


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN)
def test_what_is_not_understood_changes_nothing(foreign: dict[str, Any]) -> None:
    live = Live()
    live.take([START, event("started", reasons=["why"])])
    before = live.run, dict(live.latest)
    live.take([foreign])
    assert (live.run, live.latest) == before


def test_what_comes_after_a_foreign_event_is_still_heard() -> None:
    live = Live()
    live.take([*FOREIGN.values(), event("started", reasons=[])])
    assert live.latest["network:tiny"].kind == "running"
