"""Points as jobs: kept, restored, shared where they are alike, and one that fails leaves the others unharmed."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.engine.build import Build
from pipeline.engine.job_graph import Job
from pipeline.engine.project import Project
from pipeline.engine.results.store import resolve
from pipeline.engine.running import process
from pipeline.engine.running.process import Outcome, Processes
from pipeline.experiments import experiment
from pipeline.experiments.schema import Experiment
from pipeline.views.pareto import axes, make
from pipeline.views.pareto.axes import Point
from pipeline.views.pareto.make import Row
from tests.conftest import ROOT
from tests.pipeline.engine.test_build import REPORT
from tests.pipeline.records import a_record, scores

STAGES = ["network", "unrolled", "quantized", "accuracy", "vela"]
METRICS: dict[str, dict[str, Any]] = {
    "unrolled": {"inferences_per_sequence": 7},
    "accuracy": scores(float=0.95, quantized=0.9),
    "vela": {"cycles_total": 1000, "flash_bytes": 2048, "sram_bytes": 512},
}


def points(**options: str) -> list[Point]:
    base = experiment.load("tiny", ROOT / "experiments")
    assert isinstance(base, Experiment)
    return list(axes.points(base, axes.chosen(base, options)))


@pytest.fixture
def grid() -> list[Point]:
    return points(rows_per_step="1,4", units="8,16")


@pytest.fixture
def dataset(jobs: dict[str, Job], monkeypatch: pytest.MonkeyPatch, workplace: Project) -> Job:
    """Return the job of the data set, which is there; what stands for the stages' processes counts as made."""
    monkeypatch.setattr(Processes, "run", staticmethod(_run()))
    build = Build(workplace)
    build.make(jobs["dataset"])
    build.end([])
    return jobs["dataset"]


def _run(fails: Callable[[Job], bool] = lambda _: False, ran: list[Job] | None = None) -> Callable[..., Outcome]:
    def run(job: Job, order: dict[str, Any], *_: object) -> Outcome:
        if ran is not None:
            ran.append(job)
        (Path(order["into"]) / "artefact").write_text(f"{job.name} {job.config}", encoding="utf-8")
        report = {**REPORT, "metrics": METRICS.get(job.stage.name, {})}
        return Outcome(report, "it did not work" if fails(job) else None, 0.1, "exit code 0")

    return run


def _made(grid: Sequence[Point], dataset: Job, build: Build | None = None) -> tuple[Row, ...]:
    build = build or Build(Project(dataset.root))
    try:
        return make.make_all(build, grid, dataset, "u55-128")
    finally:
        build.end([])


def test_every_point_is_made_once_and_then_kept(
    grid: list[Point], dataset: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[Job] = []
    monkeypatch.setattr(Processes, "run", staticmethod(_run(ran=ran)))

    rows = _made(grid, dataset)

    assert [row.point for row in rows] == grid
    assert len(ran) == len(grid) * len(STAGES)
    assert all(list(row.records) == STAGES and row.failure is None for row in rows)
    assert (rows[0].accuracy, rows[0].costs) == (0.9, {"cycles_total": 7000, "sram_bytes": 512, "flash_bytes": 2048})
    assert _made(grid, dataset) == rows
    assert len(ran) == len(grid) * len(STAGES)


def test_what_is_shown_is_not_pruned(grid: list[Point], dataset: Job, workplace: Project) -> None:
    _made(grid, dataset)

    links = [path for path in (workplace.build / "tiny" / "grid").rglob("*") if path.is_symlink()]
    assert len(links) == len(grid) * len(STAGES)
    assert {resolve(link) for link in links} <= workplace.store.links()


def test_the_point_that_is_the_experiment_itself_is_not_made_twice(
    jobs: dict[str, Job], dataset: Job, monkeypatch: pytest.MonkeyPatch, workplace: Project
) -> None:
    build = Build(workplace)
    for stage in STAGES:
        build.make(jobs[stage])
    build.end([])
    ran: list[Job] = []
    monkeypatch.setattr(Processes, "run", staticmethod(_run(ran=ran)))

    _made(points(rows_per_step="1", units="16"), dataset)

    assert ran == []


def test_a_change_of_a_late_stage_leaves_what_came_before(
    dataset: Job, monkeypatch: pytest.MonkeyPatch, workplace: Project
) -> None:
    """As varying a compression leaves the training alone."""
    own = points(rows_per_step="1", units="16")
    _made(own, dataset)
    ran: list[Job] = []
    monkeypatch.setattr(Processes, "run", staticmethod(_run(ran=ran)))
    text = (ROOT / "experiments" / "tiny.toml").read_text(encoding="utf-8")
    workplace.experiments.mkdir()
    changed = text.replace("representative_samples = 20", "representative_samples = 10")
    (workplace.experiments / "tiny.toml").write_text(changed, encoding="utf-8")
    base = experiment.load("tiny", workplace.experiments)
    assert isinstance(base, Experiment)

    _made(list(axes.points(base, axes.chosen(base, {"rows_per_step": "1", "units": "16"}))), dataset)

    assert ran[0].stage.name == "quantized"
    assert {job.stage.name for job in ran[1:]} == {"accuracy", "vela"}
    assert len(ran) == 3


def test_what_two_points_share_is_made_once_also_at_the_same_time(
    dataset: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[Job] = []
    monkeypatch.setattr(Processes, "run", staticmethod(_run(ran=ran)))
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    (one,) = points(rows_per_step="1", units="16")
    alike = [
        Point(settings={**one.settings, "clusters": n}, experiment=one.experiment, impossible=None) for n in (0, 4)
    ]

    rows = _made(alike, dataset)

    assert sorted(job.stage.name for job in ran) == sorted(STAGES)
    assert [list(row.records) for row in rows] == [STAGES, STAGES]


def test_one_that_fails_leaves_the_others_unharmed_and_is_tried_again(
    grid: list[Point], dataset: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = "tiny.4-rows.8-units"
    monkeypatch.setattr(
        Processes, "run", staticmethod(_run(lambda job: (job.experiment, job.stage.name) == (bad, "quantized")))
    )

    rows = _made(grid, dataset)

    assert [row.failure for row in rows] == [None, None, "it did not work", None]
    assert [bool(row.records) for row in rows] == [True, True, False, True]
    ran: list[Job] = []
    monkeypatch.setattr(Processes, "run", staticmethod(_run(ran=ran)))
    assert all(row.records for row in _made(grid, dataset))
    assert ran[0].stage.name == "quantized"
    assert {job.stage.name for job in ran[1:]} == {"accuracy", "vela"}
    assert len(ran) == 3


def test_an_impossible_point_has_its_place_and_is_not_tried(dataset: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[Job] = []
    monkeypatch.setattr(Processes, "run", staticmethod(_run(ran=ran)))

    one, other = _made(points(rows_per_step="3,7", units="8"), dataset)

    assert one.point.impossible
    assert (one.records, one.failure) == ({}, None)
    assert {job.experiment for job in ran} == {"tiny.7-rows.8-units"}
    assert other.records


def test_who_watches_sees_one_bar_that_tells_which_point_of_how_many(
    grid: list[Point], dataset: Job, workplace: Project
) -> None:
    _made(grid[:1], dataset)
    build = Build(workplace)
    seen: list[dict[str, Any]] = []
    build.watcher = seen.append

    _made(grid, dataset, build)

    assert {event["stage"] for event in seen} == {"pareto"}
    assert seen[0]["reasons"] == ["4 points, 3 of them to make or restore"]
    assert [event["event"] for event in seen[:1] + seen[-1:]] == ["stage_started", "stage_done"]
    told = [event for event in seen if event["event"] == "stage_progress"]
    assert told[0]["what"] == "point 1 of 3: 1 row, 16 units; network"
    assert told[-1]["what"] == "point 3 of 3: 4 rows, 16 units"
    shares = [event["done"] for event in told]
    assert shares == sorted(shares)
    assert shares[-1] == told[-1]["total"]
    assert 0 < shares[1] < told[-1]["total"] / 2
    assert build.watcher == seen.append


def test_the_share_of_a_training_counts_as_it_goes(grid: list[Point], dataset: Job, workplace: Project) -> None:
    reports: list[dict[str, Any]] = []
    chains = {point.label: make.jobs_of(point, dataset, "u55-128") for point in grid[:2]}

    def advance(done: int, total: int, **facts: float | str) -> None:
        reports.append({"done": done, "total": total, **facts})

    progress = make._Progress(Build(workplace), chains, advance)

    for done in (1, 3):
        event = {"event": "stage_progress", "stage": "network", "experiment": chains["1 row, 16 units"][0].experiment}
        progress.watch({**event, "done": done, "total": 4, "epoch": "2/3", "loss": 0.5})

    assert [report["done"] for report in reports] == [round(1000 * share * 10 / 28) for share in (0.25, 0.75)]
    assert reports[0]["what"] == "point 2 of 2: 1 row, 16 units; network"
    assert reports[0]["epoch"] == "2/3"


def test_a_stop_keeps_what_is_made_and_begins_nothing_more(
    grid: list[Point], dataset: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[Job] = []

    def stopped(job: Job, *rest: Any) -> Outcome:
        if len(ran) == len(STAGES) + 1:
            raise process.Interrupted(130)
        return _run(ran=ran)(job, *rest)

    monkeypatch.setattr(Processes, "run", staticmethod(stopped))
    monkeypatch.setattr(os, "cpu_count", lambda: 1)

    with pytest.raises(process.Interrupted):
        _made(grid, dataset)

    more: list[Job] = []
    monkeypatch.setattr(Processes, "run", staticmethod(_run(ran=more)))
    _made(grid, dataset)
    assert len(more) == len(grid) * len(STAGES) - len(ran)


@pytest.mark.parametrize(
    ("stage", "metrics", "unavailable", "failure"),
    [
        ("vela", {"sram_bytes": None}, {"sram_bytes": "two graphs"}, "two graphs"),
        ("vela", {"sram_bytes": None}, {}, "its SRAM is not known"),
        ("accuracy", {"scores": {"quantized": None}}, {"scores.quantized": "no test set"}, "no test set"),
        ("accuracy", {"scores": {}}, {}, "its accuracy is not known"),
    ],
)
def test_what_is_not_known_of_a_point_is_a_failure_and_no_zero(
    grid: list[Point], stage: str, metrics: dict[str, Any], unavailable: dict[str, str], failure: str
) -> None:
    records = {
        name: a_record(
            stage=name,
            metrics={**METRICS.get(name, {}), **(metrics if name == stage else {})},
            unavailable=unavailable if name == stage else {},
        )
        for name in STAGES
    }
    row = make._row(grid[0], records, None)
    assert (row.failure, row.records) == (failure, {})
