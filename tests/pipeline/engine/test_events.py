import json
from pathlib import Path

from pipeline.engine import events
from pipeline.engine.events import Follower


def test_what_is_emitted_is_followed(workplace: Path) -> None:
    del workplace
    follower = Follower()
    assert list(follower.new()) == [], "no file yet"
    events.emit("stage_done", stage="vela", seconds=1.5)
    (event,) = follower.new()
    assert (event["event"], event["stage"], event["seconds"]) == ("stage_done", "vela", 1.5)
    assert list(follower.new()) == []


def test_an_event_names_its_job_and_what_its_stage_says_of_itself(workplace: Path) -> None:
    del workplace
    where = {"run": "1", "stage": "vela", "experiment": "tiny"}
    events.emit("stage_progress", **where, target="u55-128", done=1, total=4, what="compiling", loss=0.5)
    events.emit("stage_done", **where, target=None)
    compiling, done = Follower().new()
    assert events.job_name(compiling) == "vela:tiny:u55-128"
    assert list(events.said(compiling)) == [("what", "compiling"), ("loss", 0.5)]
    assert (events.job_name(done), list(events.said(done))) == ("vela:tiny", [])


def test_half_a_line_waits_for_its_other_half(workplace: Path) -> None:
    follower = Follower()
    line = json.dumps({"event": "stage_done", "text": "Größe"}, ensure_ascii=False).encode() + b"\n"
    file = workplace / "build" / "events.jsonl"
    file.write_bytes(line[:-6])
    assert list(follower.new()) == []
    file.write_bytes(line)
    (event,) = follower.new()
    assert event["text"] == "Größe"


def test_lines_that_are_no_events_are_passed_over(workplace: Path) -> None:
    (workplace / "build" / "events.jsonl").write_bytes(b'\xff\n{"a": 1}\n[]\nnoise\n{"event": "run_ended"}\n')
    assert [event["event"] for event in Follower().new()] == ["run_ended"]


def test_a_follower_from_now_on_sees_nothing_old(workplace: Path) -> None:
    del workplace
    events.emit("run_started")
    follower = Follower(from_now=True)
    events.emit("run_ended")
    assert [event["event"] for event in follower.new()] == ["run_ended"]


def test_a_file_that_was_set_aside_is_followed_anew(workplace: Path) -> None:
    file = workplace / "build" / "events.jsonl"
    for _ in range(3):
        events.emit("run_started")
    follower = Follower()
    assert len(list(follower.new())) == 3
    file.unlink()
    events.emit("run_ended")
    assert [event["event"] for event in follower.new()] == ["run_ended"]


def test_a_large_file_is_set_aside(workplace: Path) -> None:
    file = workplace / "build" / "events.jsonl"
    file.write_bytes(b"x" * (events.KEEP_BYTES + 1))
    events.set_aside_when_large()
    assert not file.exists()
    assert file.with_name("events.jsonl.old").exists()


def test_nobody_can_watch_on_a_disk_that_refuses_and_nothing_breaks(workplace: Path) -> None:
    (workplace / "build" / "events.jsonl").mkdir()
    events.emit("run_started")
