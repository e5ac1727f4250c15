"""Points as jobs: kept, restored, run beside each other, and one that fails leaves the others unharmed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.engine.build import Build
from pipeline.engine.job_graph import Job
from pipeline.engine.project import Project
from pipeline.engine.results.store import resolve
from pipeline.engine.running import process
from pipeline.engine.running.process import Outcome, Processes
from pipeline.npu import points
from pipeline.npu.points import Point
from pipeline.views.matrix import compiling
from tests.pipeline.engine.test_build import REPORT

NUMBERS = {"cycles_total": 1000, "macs": 64_000}


@pytest.fixture
def chosen() -> list[Point]:
    return [point for point in points.points(every=False) if point.family == "u55"]


@pytest.fixture
def point_jobs(
    jobs: dict[str, Job], chosen: list[Point], monkeypatch: pytest.MonkeyPatch, workplace: Project
) -> list[Job]:
    """Return jobs whose model is there; what stands for the stages' processes counts as made."""
    monkeypatch.setattr(Processes, "run", staticmethod(_run(lambda _: None)))
    build = Build(workplace)
    for stage in ("dataset", "network", "unrolled", "quantized"):
        build.make(jobs[stage])
    build.end([])
    return compiling.jobs_of(chosen, jobs["quantized"])


def _run(fails: Callable[[Job], str | None], ran: list[str] | None = None) -> Callable[..., Outcome]:
    def run(job: Job, order: dict[str, Any], *_: object) -> Outcome:
        if ran is not None:
            ran.append(job.name)
        (Path(order["into"]) / "artefact").write_text(job.name, encoding="utf-8")
        report = REPORT if job.stage.name != "vela" else {**REPORT, "metrics": NUMBERS}
        return Outcome(report, fails(job), 0.1, "exit code 0")

    return run


def test_every_point_is_made_once_and_then_kept(
    point_jobs: list[Job], monkeypatch: pytest.MonkeyPatch, workplace: Project
) -> None:
    ran: list[str] = []
    monkeypatch.setattr(Processes, "run", staticmethod(_run(lambda _: None, ran)))
    assert compiling.compile_all(Build(workplace), point_jobs) == {}
    assert sorted(ran) == sorted(job.name for job in point_jobs)
    assert compiling.compile_all(Build(workplace), point_jobs) == {}
    assert len(ran) == len(point_jobs)
    assert all(job.link.is_symlink() for job in point_jobs)
    assert {resolve(job.link) for job in point_jobs} <= workplace.store.links(), "what is shown is not pruned"


def test_a_target_of_the_experiment_is_not_compiled_twice(
    point_jobs: list[Job], jobs: dict[str, Job], monkeypatch: pytest.MonkeyPatch, workplace: Project
) -> None:
    build = Build(workplace)
    build.make(jobs["vela"])
    build.end([])
    ran: list[str] = []
    monkeypatch.setattr(Processes, "run", staticmethod(_run(lambda _: None, ran)))
    compiling.compile_all(Build(workplace), point_jobs)
    assert len(ran) == len(point_jobs) - 1
    assert "matrix:tiny:u55-128.Shared_Sram.High_End_Embedded" not in ran


def test_one_that_fails_leaves_the_others_unharmed(
    point_jobs: list[Job], chosen: list[Point], monkeypatch: pytest.MonkeyPatch, workplace: Project
) -> None:
    bad = "matrix:tiny:u55-64.Sram_Only.High_End_Embedded"
    monkeypatch.setattr(
        Processes, "run", staticmethod(_run(lambda job: "Vela failed: it did" if job.name == bad else None))
    )
    build = Build(workplace)
    failures = compiling.compile_all(build, point_jobs)
    assert failures == {bad: "Vela failed: it did"}
    rows = compiling.rows(build, point_jobs, failures, {"mine": chosen[0]})
    assert [row.failure for row in rows if row.record is None] == ["Vela failed: it did"]
    assert [row.target for row in rows] == ["mine", *[None] * (len(rows) - 1)]
    build.end([])
    assert compiling.compile_all(Build(workplace), point_jobs).keys() == {bad}, "a failure is tried again"


def test_the_use_of_the_macs_is_a_share_of_what_the_accelerator_can_do(
    point_jobs: list[Job], chosen: list[Point], workplace: Project
) -> None:
    build = Build(workplace)
    compiling.compile_all(build, point_jobs)
    rows = {row.point.macs_per_cycle: row for row in compiling.rows(build, point_jobs, {}, {})}
    assert rows[128].mac_utilization == 0.5
    assert rows[256].mac_utilization == 0.25
    assert {row.point for row in rows.values()} < set(chosen)


def test_a_model_without_cycles_has_no_use_of_the_macs(
    point_jobs: list[Job], monkeypatch: pytest.MonkeyPatch, workplace: Project
) -> None:
    monkeypatch.setitem(NUMBERS, "cycles_total", 0)
    build = Build(workplace)
    compiling.compile_all(build, point_jobs[:1])
    assert compiling.rows(build, point_jobs[:1], {}, {})[0].mac_utilization is None


def test_who_watches_sees_one_bar(point_jobs: list[Job], workplace: Project) -> None:
    build = Build(workplace)
    seen: list[dict[str, Any]] = []
    build.watcher = seen.append
    compiling.compile_all(build, point_jobs)
    assert {event["stage"] for event in seen} == {"matrix"}
    assert [event["event"] for event in seen[:1] + seen[-1:]] == ["stage_started", "stage_done"]
    assert seen[-2]["done"] == seen[-2]["total"] == len(point_jobs)
    assert build.watcher == seen.append


def test_a_stop_ends_the_points_that_were_not_begun(
    point_jobs: list[Job], monkeypatch: pytest.MonkeyPatch, workplace: Project
) -> None:
    ran: list[str] = []

    def stopped(job: Job, *_: object) -> Outcome:
        ran.append(job.name)
        raise process.Interrupted(130)

    monkeypatch.setattr(Processes, "run", staticmethod(stopped))
    build = Build(workplace)
    seen: list[dict[str, Any]] = []
    build.watcher = seen.append
    with pytest.raises(process.Interrupted):
        compiling.compile_all(build, point_jobs)
    assert len(ran) < len(point_jobs)
    assert seen[-1]["message"] == "stopped"
