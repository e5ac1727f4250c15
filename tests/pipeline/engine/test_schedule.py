"""Many jobs in one go: each after what it needs, those of the same choices once, a failure only to what needs it."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.engine import schedule
from pipeline.engine.build import Build
from pipeline.engine.job_graph import Job
from pipeline.engine.project import Project
from pipeline.engine.running import process
from pipeline.engine.running.process import Outcome, Processes
from tests.pipeline.engine.test_build import REPORT


class Recorder(Processes):
    """Stands in for the stages' processes; keeps the names of the jobs in the order in which they were begun."""

    def __init__(self, happens: Callable[[Job], str | None] = lambda _: None) -> None:
        super().__init__()
        self.ran: list[str] = []
        self._happens = happens

    def run(self, job: Job, order: dict[str, Any], *_: object, **_more: object) -> Outcome:
        """Leave one artefact, as a stage does."""
        self.ran.append(job.name)
        failure = self._happens(job)
        Path(order["into"], "artefact").write_text(f"{job.stage.name} {job.config} {order['files']}")
        return Outcome(REPORT, failure, 1.0, "exit code 0")


def make(
    project: Project, jobs: Sequence[Job], processes: Processes, workers: int = 2
) -> tuple[dict[str, str], list[str]]:
    """Make jobs; return the failures, and the names in the order in which jobs ended."""
    ended: list[str] = []
    build = Build(project, processes)
    try:
        failures = schedule.make_all(build, jobs, process.start, workers, lambda job: ended.append(job.name))
    finally:
        build.end([])
    return failures, ended


def copy_of(jobs: dict[str, Job], name: str, **config: Any) -> list[Job]:
    """Return the jobs of another experiment after the data set; ``config`` is another one of its training."""
    made: dict[str, Job] = {"dataset": jobs["dataset"]}
    training = msgspec.structs.replace(jobs["network"].sections["training"], **config)
    sections = {**jobs["network"].sections, "training": training}
    for stage, job in jobs.items():
        if stage in {"network", "unrolled", "quantized"}:
            made[stage] = replace(
                job,
                experiment=name,
                name=f"{stage}:{name}",
                link=job.link.parents[1] / name / stage,
                needs={what: made[need.stage.name] for what, need in job.needs.items()},
                sections=sections if stage == "network" else job.sections,
            )
    return [job for stage, job in made.items() if stage != "dataset"]


def test_each_is_made_after_what_it_needs_in_whatever_order_they_come(workplace: Project, jobs: dict[str, Job]) -> None:
    recorder = Recorder()
    failures, ended = make(workplace, list(jobs.values())[::-1], recorder, workers=8)

    assert failures == {}
    assert sorted(ended) == sorted(recorder.ran) == sorted(job.name for job in jobs.values())
    for job in jobs.values():
        assert all(recorder.ran.index(need.name) < recorder.ran.index(job.name) for need in job.needs.values())


def test_what_is_fresh_is_not_made_again(workplace: Project, jobs: dict[str, Job]) -> None:
    make(workplace, list(jobs.values()), Recorder())
    recorder = Recorder()

    failures, ended = make(Project(workplace.root), list(jobs.values()), recorder)

    assert (failures, recorder.ran, len(ended)) == ({}, [], len(jobs))


def test_a_failure_is_that_of_all_that_needs_it_and_of_nothing_else(workplace: Project, jobs: dict[str, Job]) -> None:
    recorder = Recorder(lambda job: "it did not work" if job.stage.name == "quantized" else None)

    failures, ended = make(workplace, list(jobs.values()), recorder)

    assert recorder.ran == ["dataset:tiny", "network:tiny", "unrolled:tiny", "quantized:tiny"]
    needing = {"quantized:tiny", "accuracy:tiny", "vela:tiny:u55-128", "verify:tiny:u55-128"}
    assert failures == dict.fromkeys(needing, "it did not work")
    assert len(ended) == len(jobs), "what is left out has ended, too"


def test_what_comes_first_is_finished_first(workplace: Project, jobs: dict[str, Job]) -> None:
    """So a grid that is stopped has whole points, and not the first stage of all of them."""
    make(workplace, [jobs["dataset"]], Recorder())
    chains = [job for seed in (1, 2, 3) for job in copy_of(jobs, f"point-{seed}", seed=seed)]
    recorder = Recorder()

    make(workplace, chains, recorder, workers=1)

    assert recorder.ran == [job.name for job in chains]


def test_jobs_of_the_same_choices_are_made_once_also_at_the_same_time(workplace: Project, jobs: dict[str, Job]) -> None:
    make(workplace, [jobs["dataset"]], Recorder())
    alike = [job for name in ("one", "two", "three") for job in copy_of(jobs, name)]
    recorder = Recorder()

    failures, _ = make(workplace, alike, recorder, workers=8)

    assert failures == {}
    assert [name.partition(":")[0] for name in recorder.ran] == ["network", "unrolled", "quantized"]
    assert len({job.link.resolve() for job in alike}) == 3


def test_one_of_the_same_choices_is_tried_where_the_first_one_failed(workplace: Project, jobs: dict[str, Job]) -> None:
    make(workplace, [jobs["dataset"]], Recorder())
    recorder = Recorder(lambda job: "killed" if job.name == "network:one" else None)

    failures, _ = make(workplace, [*copy_of(jobs, "one"), *copy_of(jobs, "two")], recorder)

    assert failures.keys() == {"network:one", "unrolled:one", "quantized:one"}
    assert recorder.ran[:2] == ["network:one", "network:two"]


def test_as_many_are_at_work_as_were_asked_for(workplace: Project, jobs: dict[str, Job]) -> None:
    make(workplace, [jobs["dataset"]], Recorder())
    both = threading.Barrier(2, timeout=60)

    def meet(job: Job) -> None:
        if job.stage.name == "network":
            both.wait()

    failures, _ = make(workplace, [*copy_of(jobs, "one", seed=1), *copy_of(jobs, "two", seed=2)], Recorder(meet))

    assert failures == {}


def test_a_stop_begins_nothing_more(workplace: Project, jobs: dict[str, Job]) -> None:
    def stop(_job: Job) -> None:
        raise process.Interrupted(130)

    recorder = Recorder(stop)
    with pytest.raises(process.Interrupted):
        make(workplace, list(jobs.values()), recorder)
    assert recorder.ran == ["dataset:tiny"]
