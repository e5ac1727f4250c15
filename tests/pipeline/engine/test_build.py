import errno
import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.engine import job_graph
from pipeline.engine.build import Build
from pipeline.engine.digests.fingerprint import FileHashes, identity
from pipeline.engine.job_graph import Job
from pipeline.engine.making import StageFailedError
from pipeline.engine.project import Project
from pipeline.engine.results.record import read_record
from pipeline.engine.results.store import resolve
from pipeline.engine.running import process
from pipeline.engine.running.process import Outcome, Processes
from pipeline.experiments import experiment

REPORT: dict[str, Any] = {
    "metrics": {"found": 1},
    "unavailable": {},
    "basis": {"found": "measured"},
    "warnings": ["look here"],
    "stand_in": None,
    "seconds_importing": 0.1,
    "peak_memory_bytes": 5,
}


class Stages(Processes):
    """Stands in for the stages' processes, which have tests of their own; counts what was run."""

    def __init__(self) -> None:
        super().__init__()
        self.ran: list[str] = []
        self.report = REPORT
        self.failure: str | None = None
        self.ended = "exit code 0"
        self.error: OSError | None = None

    def run(self, job: Job, order: dict[str, Any], *_: object, **_more: object) -> Outcome:
        """Leave one artefact, as a stage does."""
        self.ran.append(job.stage.name)
        if self.error:
            raise self.error
        Path(order["into"], "artefact").write_text(json.dumps([job.name, job.config, sorted(order["inputs"])]))
        return Outcome(self.report, self.failure, 1.0, self.ended)


@pytest.fixture
def stages() -> Stages:
    """Return counting stages in place of real ones."""
    return Stages()


NewBuild = Callable[[], Build]


@pytest.fixture
def new_build(workplace: Project, stages: Stages) -> NewBuild:
    """Return what begins a build of the same project, as each doit does."""
    return lambda: Build(Project(workplace.root), stages)


def test_a_job_is_run_once_and_then_known(jobs: dict[str, Job], stages: Stages, new_build: NewBuild) -> None:
    build = new_build()
    build.make(jobs["dataset"])
    assert build.state(jobs["dataset"]).fresh
    assert read_record(jobs["dataset"].link).key == build.state(jobs["dataset"]).key
    record = read_record(jobs["dataset"].link)
    assert (record.metrics, record.seconds, record.basis) == ({"found": 1}, 1.0, {"found": "measured"})
    assert record.warnings == ["look here"]
    assert stages.ran == ["dataset"]


def test_an_unlinked_result_is_restored_and_one_in_place_is_made_again(
    jobs: dict[str, Job], stages: Stages, new_build: NewBuild
) -> None:
    new_build().make(jobs["dataset"])
    jobs["dataset"].link.unlink()
    new_build().make(jobs["dataset"])
    assert stages.ran == ["dataset"]
    new_build().make(jobs["dataset"])
    assert stages.ran == ["dataset", "dataset"], "doit only asks for it after doit forget or with -a"


def test_where_a_result_was_made_is_noted_but_does_not_make_it_stale(
    jobs: dict[str, Job], stages: Stages, monkeypatch: pytest.MonkeyPatch, new_build: NewBuild
) -> None:
    new_build().make(jobs["dataset"])
    assert read_record(jobs["dataset"].link).inputs["made_on"]["python"]
    monkeypatch.setenv("container", "another")
    assert new_build().state(jobs["dataset"]).fresh
    assert stages.ran == ["dataset"]


def test_the_seed_is_noted(jobs: dict[str, Job], stages: Stages, new_build: NewBuild) -> None:
    build = new_build()
    build.make(jobs["dataset"])
    build.make(jobs["network"])
    assert read_record(jobs["network"].link).inputs["seed"] == 0
    assert stages.ran == ["dataset", "network"]


def test_a_stand_in_is_handed_down_to_all_that_is_made_of_it(
    jobs: dict[str, Job], stages: Stages, new_build: NewBuild
) -> None:
    build = new_build()
    stages.report = {**REPORT, "stand_in": "digits"}
    build.make(jobs["dataset"])
    stages.report = REPORT
    for name in ("network", "unrolled", "quantized", "vela"):
        build.make(jobs[name])
    assert read_record(jobs["vela"].link).stand_in == "digits"


def test_a_failed_stage_leaves_the_earlier_result(jobs: dict[str, Job], stages: Stages, new_build: NewBuild) -> None:
    new_build().make(jobs["dataset"])
    before = resolve(jobs["dataset"].link)
    stages.failure = "the sentence"
    with pytest.raises(StageFailedError, match="the sentence"):
        new_build().make(jobs["dataset"])
    assert resolve(jobs["dataset"].link) == before
    events = [json.loads(line) for line in new_build().project.events.file.read_text().splitlines()]
    assert (events[-1]["event"], events[-1]["message"]) == ("stage_failed", "the sentence")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.ENOSPC, "No space left", "file"), r"the disk is full \(file\)"),
        (OSError(errno.EROFS, "Read-only", "file"), r"the disk is read-only \(file\)"),
        (OSError(errno.EACCES, "Permission denied", "file"), "file: Permission denied"),
    ],
)
def test_a_disk_that_refuses_is_a_sentence(
    jobs: dict[str, Job], stages: Stages, error: OSError, sentence: str, new_build: NewBuild
) -> None:
    stages.error = error
    with pytest.raises(StageFailedError, match=sentence):
        new_build().make(jobs["dataset"])


def test_whoever_watches_is_told(jobs: dict[str, Job], stages: Stages, new_build: NewBuild) -> None:
    build = new_build()
    seen: list[str] = []
    build.watcher = lambda event: seen.append(event["event"])
    build.make(jobs["dataset"])
    jobs["dataset"].link.unlink()
    build.make(jobs["dataset"])
    assert seen == ["stage_started", "stage_done", "stage_restored"]
    assert stages.ran == ["dataset"]


def test_a_job_whose_needs_are_not_made_says_what_to_run(
    jobs: dict[str, Job], stages: Stages, new_build: NewBuild
) -> None:
    with pytest.raises(StageFailedError, match="network:tiny needs dataset:tiny"):
        new_build().make(jobs["network"])
    assert stages.ran == []


def _events(new_build: NewBuild) -> list[dict[str, Any]]:
    return [json.loads(line) for line in new_build().project.events.file.read_text().splitlines()]


def test_a_run_says_who_it_is_what_it_was_told_and_what_it_is_going_to_do(
    jobs: dict[str, Job], stages: Stages, monkeypatch: pytest.MonkeyPatch, new_build: NewBuild
) -> None:
    monkeypatch.setattr(sys, "argv", ["doit", "network:tiny"])
    build = new_build()
    build.plan = lambda: ["dataset:tiny", "network:tiny"]
    build.make(jobs["dataset"])
    build.make(jobs["network"])
    build.end([])
    first, *others = _events(new_build)
    assert (first["event"], first["run"]) == ("run_started", build.run_id)
    assert (first["pid"], first["host"]) == (os.getpid(), platform.node())
    assert (first["command"], first["plan"]) == (["network:tiny"], ["dataset:tiny", "network:tiny"])
    assert [event["event"] for event in others].count("run_started") == 0
    assert stages.ran == ["dataset", "network"]


def test_a_build_that_nobody_gave_a_plan_has_none(jobs: dict[str, Job], stages: Stages, new_build: NewBuild) -> None:
    new_build().make(jobs["dataset"])
    assert _events(new_build)[0]["plan"] == []
    assert stages.ran == ["dataset"]


@pytest.mark.parametrize("ended", ["exit code 1", "signal SIGSEGV"])
def test_a_failed_stage_says_how_its_process_ended(
    jobs: dict[str, Job], stages: Stages, ended: str, new_build: NewBuild
) -> None:
    stages.failure, stages.ended = "the sentence", ended
    with pytest.raises(StageFailedError) as caught:
        new_build().make(jobs["dataset"])
    failed = _events(new_build)[-1]
    assert caught.value.ended == ended
    assert (failed["event"], failed["ended"], failed["log"]) == ("stage_failed", ended, "build/logs/dataset.tiny.log")


def test_a_failure_without_a_process_does_not_say_how_one_ended(
    jobs: dict[str, Job], stages: Stages, new_build: NewBuild
) -> None:
    with pytest.raises(StageFailedError):
        new_build().make(jobs["network"])
    assert _events(new_build)[-1]["ended"] is None
    stages.error = OSError(errno.ENOSPC, "No space left", "file")
    with pytest.raises(StageFailedError):
        new_build().make(jobs["dataset"])
    assert _events(new_build)[-1].get("ended") is None


def test_a_stopped_stage_says_that_it_was_stopped(
    jobs: dict[str, Job], stages: Stages, monkeypatch: pytest.MonkeyPatch, new_build: NewBuild
) -> None:
    def stop(*_: object) -> Outcome:
        raise process.Interrupted(130)

    monkeypatch.setattr(stages, "run", stop)
    with pytest.raises(process.Interrupted):
        new_build().make(jobs["dataset"])
    failed = _events(new_build)[-1]
    assert (failed["event"], failed["message"]) == ("stage_failed", "stopped")
    assert stages.ran == []


@pytest.fixture
def own(workplace: Project) -> tuple[Path, Job]:
    """Return a file of the user's, and the job that reads it."""
    path = workplace.root / "own.tflite"
    path.write_bytes(b"one")
    workplace.experiments.mkdir()
    (workplace.experiments / "own.toml").write_text(
        '[model]\ntflite = "own.tflite"\n[vela.targets.npu]\naccelerator = "ethos-u55-128"\n'
        'system_config = "Ethos_U55_High_End_Embedded"\nmemory_mode = "Shared_Sram"\n'
    )
    return path, job_graph.jobs("own", experiment.load("own", workplace.experiments), root=workplace.root)[0]


def test_a_stage_is_given_a_copy_of_the_users_file(
    own: tuple[Path, Job], stages: Stages, monkeypatch: pytest.MonkeyPatch, new_build: NewBuild
) -> None:
    path, job = own
    read: list[bytes] = []

    def run(_job: Job, order: dict[str, Any], *_: object) -> Outcome:
        path.write_bytes(b"another")
        read.append(Path(order["config"]["model"]["tflite"]).read_bytes())
        Path(order["into"], "artefact").write_bytes(read[-1])
        return Outcome(REPORT, None, 1.0, "exit code 0")

    monkeypatch.setattr(stages, "run", run)
    build = new_build()
    build.make(job)
    assert not build.state(job).fresh, "the file is another one now"
    path.write_bytes(b"one")
    assert build.state(job).fresh
    assert (read, (job.link / "artefact").read_bytes()) == ([b"one"], b"one")


def test_a_file_that_appeared_while_its_stage_ran_ends_it(
    own: tuple[Path, Job], stages: Stages, new_build: NewBuild
) -> None:
    path, job = own
    path.unlink()
    with pytest.raises(StageFailedError, match=r"model\.tflite changed while quantized ran; run doit again"):
        new_build().make(job)
    assert stages.ran == ["quantized"]
    assert not job.link.exists()


def test_what_changed_is_not_published_and_read_again_the_next_time(
    jobs: dict[str, Job], stages: Stages, new_build: NewBuild
) -> None:
    """A result that rotted is only seen by the stage that reads it; the next build makes it anew."""
    new_build().make(jobs["dataset"])
    artefact = jobs["dataset"].link / "artefact"
    content = artefact.read_bytes()
    stages.report = {"changed": "artefact of dataset"}
    build = new_build()
    _rot(artefact, build.project.hashes)
    with pytest.raises(StageFailedError, match="artefact of dataset changed while network ran; run doit again"):
        build.make(jobs["network"])
    assert not jobs["network"].link.exists()
    assert build.state(jobs["dataset"]).reasons == ("artefact was changed by hand",)
    stages.report = REPORT
    build.make(jobs["dataset"])
    assert artefact.read_bytes() == content


def _rot(artefact: Path, hashes: FileHashes) -> None:
    """Change a file behind the back of what is remembered of it."""
    home = resolve(artefact.parent) / artefact.name
    known = hashes.sha256(home)
    home.chmod(0o644)
    home.write_bytes(home.read_bytes()[:-1] + b"?")
    facts = identity(home.stat())
    hashes._known[str(home)] = [*facts, known]
