import json

from pipeline.engine import events
from pipeline.engine.project import Project


def test_what_is_emitted_is_followed(workplace: Project) -> None:
    follower = workplace.events.follow()
    assert list(follower.new()) == [], "no file yet"
    workplace.events.emit("stage_done", stage="vela", seconds=1.5)
    (event,) = follower.new()
    assert (event["event"], event["stage"], event["seconds"]) == ("stage_done", "vela", 1.5)
    assert list(follower.new()) == []


def test_an_event_names_its_job_and_what_its_stage_says_of_itself(workplace: Project) -> None:
    where = {"run": "1", "stage": "vela", "experiment": "tiny"}
    workplace.events.emit("stage_progress", **where, target="u55-128", done=1, total=4, what="compiling", loss=0.5)
    workplace.events.emit("stage_done", **where, target=None)
    compiling, done = workplace.events.follow().new()
    assert events.job_name(compiling) == "vela:tiny:u55-128"
    assert list(events.said(compiling)) == [("what", "compiling"), ("loss", 0.5)]
    assert (events.job_name(done), list(events.said(done))) == ("vela:tiny", [])


def test_half_a_line_waits_for_its_other_half(workplace: Project) -> None:
    follower = workplace.events.follow()
    line = json.dumps({"event": "stage_done", "text": "Größe"}, ensure_ascii=False).encode() + b"\n"
    file = workplace.events.file
    file.write_bytes(line[:-6])
    assert list(follower.new()) == []
    file.write_bytes(line)
    (event,) = follower.new()
    assert event["text"] == "Größe"


def test_lines_that_are_no_events_are_passed_over(workplace: Project) -> None:
    workplace.events.file.write_bytes(b'\xff\n{"a": 1}\n[]\nnoise\n{"event": "run_ended"}\n')
    assert [event["event"] for event in workplace.events.follow().new()] == ["run_ended"]


def test_a_follower_from_now_on_sees_nothing_old(workplace: Project) -> None:
    workplace.events.emit("run_started")
    follower = workplace.events.follow(from_now=True)
    workplace.events.emit("run_ended")
    assert [event["event"] for event in follower.new()] == ["run_ended"]


def test_a_file_that_was_set_aside_is_followed_anew(workplace: Project) -> None:
    file = workplace.events.file
    for _ in range(3):
        workplace.events.emit("run_started")
    follower = workplace.events.follow()
    assert len(list(follower.new())) == 3
    file.unlink()
    workplace.events.emit("run_ended")
    assert [event["event"] for event in follower.new()] == ["run_ended"]


def test_a_large_file_is_set_aside(workplace: Project) -> None:
    file = workplace.events.file
    file.write_bytes(b"x" * (events.KEEP_BYTES + 1))
    workplace.events.set_aside_when_large()
    assert not file.exists()
    assert file.with_name("events.jsonl.old").exists()


def test_nobody_can_watch_on_a_disk_that_refuses_and_nothing_breaks(workplace: Project) -> None:
    workplace.events.file.mkdir()
    workplace.events.emit("run_started")
