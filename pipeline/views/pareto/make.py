"""Make every point of a grid: jobs like any other, kept and restored, several at a time where there are the cores."""

import os
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from pipeline.engine import job_graph, schedule
from pipeline.engine.build import Build
from pipeline.engine.group_progress import Advance, one_bar
from pipeline.engine.job_graph import Job
from pipeline.engine.results.record import Record
from pipeline.engine.running.fork_server import one_a_thread
from pipeline.engine.schedule import identity
from pipeline.folders import BUILD
from pipeline.metrics import Metric
from pipeline.stages.catalogue import STAGES
from pipeline.views import accuracies
from pipeline.views.pareto.axes import Point

CORES_A_POINT = 2
"""A small network's training keeps no more of them busy."""
PRELOADED = (
    "pipeline.training.train",
    "pipeline.compression.fine_tune",
    "pipeline.lowering.deploy",
    "pipeline.quantization.quantize",
    "pipeline.scoring.forms",
    "pipeline.npu.totals",
    "ethosu.vela.vela",
)
TRADED = tuple(metric for metric in STAGES["vela"].metrics if metric.traded)
"""What accuracy is traded for."""
TRAINING = ("network", "compressed")
TRAINING_SHARE = 10.0
"""How many times longer than another stage one that trains takes, for the time to go."""

Chains = Mapping[str, Sequence[Job]]
"""Name of a point -> its jobs, each after those it needs."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A point and what came of it."""

    point: Point
    records: Mapping[str, Record]
    """Stage -> its result; empty when there is none for every stage."""
    failure: str | None
    """Why there is none, in a sentence."""

    @property
    def accuracy(self) -> float:
        """Return the accuracy of the quantized model, a share of 1, of a point that has not failed."""
        return _known(accuracies.score(self.records["accuracy"].metrics))

    @property
    def costs(self) -> dict[str, float]:
        """Return what it costs by the name of the metric; what each inference takes, of a whole sequence."""
        return {metric.name: _known(self.of_sequence(metric)) for metric in TRADED}

    def of_sequence(self, metric: Metric) -> float | None:
        """Return a metric of what was compiled; what each inference takes, of a whole sequence."""
        inferences = self.records["unrolled"].metrics["inferences_per_sequence"] if metric.per_inference else 1
        value = metric.of(self.records["vela"].metrics)
        return None if value is None else inferences * value


def jobs_of(point: Point, dataset: Job, target: str) -> list[Job]:
    """Return the jobs of a possible point beyond the data set, which all share; of the targets only one.

    Nothing is verified: a grid compares, and what is chosen of it becomes an experiment.
    """
    assert point.experiment  # noqa: S101 - it is possible
    name, root = dataset.experiment, dataset.root
    folder = root / BUILD / name / "grid" / point.name
    made = job_graph.jobs(f"{name}.{point.name}", point.experiment, folder, {"dataset": dataset}, root)
    return [job for job in made if job.target in {None, target} and job.stage.name != "verify"]


def make_all(build: Build, grid: Sequence[Point], dataset: Job, target: str) -> tuple[Row, ...]:
    """Make what is missing or stale; a point that fails leaves the others unharmed.

    Raises:
        process.Interrupted: the build was told to stop; what finished stays.

    """
    possible = {point.name: point for point in grid if point.experiment}
    chains = {name: jobs_of(point, dataset, target) for name, point in possible.items()}
    failures = _make_stale(build, possible, chains, dataset.experiment)
    return tuple(_row(point, _records(build, chains.get(point.name, [])), failures.get(point.name)) for point in grid)


def _row(point: Point, records: dict[str, Record], failure: str | None) -> Row:
    """Return a point with its results; one whose accuracy or costs are not known has failed for that."""
    for stage, metrics in (("accuracy", _scores(records)), ("vela", TRADED)):
        record = records.get(stage)
        unknown = [metric for metric in metrics if record and metric.of(record.metrics) is None]
        if record and unknown:
            failure = failure or unknown[0].why_not(record.unavailable) or f"its {unknown[0].title} is not known"
    return Row(point=point, records={} if failure else records, failure=failure)


def _scores(records: Mapping[str, Record]) -> tuple[Metric, ...]:
    return (accuracies.headline(records["accuracy"].metrics),) if "accuracy" in records else ()


def _known(value: float | None) -> float:
    """Return a number that a point which has not failed has."""
    assert value is not None  # noqa: S101 - see _row
    return value


def _records(build: Build, chain: Sequence[Job]) -> dict[str, Record]:
    return {job.stage.name: record for job in chain if (record := build.known(job).record)}


def _make_stale(build: Build, points: Mapping[str, Point], chains: Chains, experiment: str) -> dict[str, str]:
    stale = _stale(build, chains)
    if not stale:
        return {}
    if build.begin():  # whoever had the lock may have done the work
        stale = _stale(build, chains)
    reason = f"{len(chains)} points, {len(stale)} of them to make or restore"
    workers = (os.cpu_count() or 1) // CORES_A_POINT
    with one_bar(build, "pareto", experiment, reason) as advance, one_a_thread(*PRELOADED) as starter:
        progress = _Progress(build, {points[name].label: chain for name, chain in stale.items()}, advance)
        build.watcher = progress.watch
        jobs = [job for chain in stale.values() for job in chain]
        failed = schedule.make_all(build, jobs, starter, workers, progress.finish)
    failures = {name: [failed[job.name] for job in chain if job.name in failed] for name, chain in stale.items()}
    return {name: sentences[0] for name, sentences in failures.items() if sentences}


def _stale(build: Build, chains: Chains) -> Chains:
    return {name: chain for name, chain in chains.items() if not all(build.state(job).fresh for job in chain)}


class _Progress:
    """Sums up how far the points are: a job counts for about as long as it takes, and one that is kept not at all."""

    def __init__(self, build: Build, points: Chains, advance: Advance) -> None:
        """Take the chains of the points by label."""
        self._advance = advance
        self._telling = threading.Lock()
        """Jobs at work report from threads of their own; what is told never goes back."""
        self._shares: dict[str, float] = {}
        self._work: dict[str, float] = {}
        self._identities: dict[tuple[str, str], str] = {}
        self._places: dict[str, str] = {}
        for number, (label, chain) in enumerate(points.items(), 1):
            for job in chain:
                self._identities[job.stage.name, job.experiment] = identity(job)
                self._places[job.experiment] = f"point {number} of {len(points)}: {label}"
                if not (build.known(job).fresh or build.known(job).remembered):
                    self._work[identity(job)] = _work(job, chain)

    def watch(self, event: Mapping[str, Any]) -> None:
        """Take an event of one of the jobs."""
        made = self._identities[event["stage"], event["experiment"]]
        epoch = {"epoch": event["epoch"]} if "epoch" in event else {}
        with self._telling:
            if event["event"] == "stage_progress":
                self._shares[made] = event["done"] / event["total"]
            elif event["event"] in {"stage_done", "stage_restored"}:
                self._shares[made] = 1.0
            self._say(what=f"{self._places[event['experiment']]}; {event['stage']}", **epoch)

    def finish(self, job: Job) -> None:
        """Count a job as done, even if it failed."""
        with self._telling:
            self._shares[identity(job)] = 1.0
            self._say(what=self._places[job.experiment])

    def _say(self, **facts: str) -> None:
        whole = sum(self._work.values()) or 1.0
        done = sum(self._shares.get(name, 0.0) * work for name, work in self._work.items())
        self._advance(round(1000 * done / whole), 1000, **facts)


def _work(job: Job, chain: Sequence[Job]) -> float:
    """Return about how long a job takes: as long as there are time steps, and much longer where it trains."""
    rows = next(each.config["model"].get("rows_per_step", 1) for each in chain if "model" in each.config)
    return (TRAINING_SHARE if job.stage.name in TRAINING else 1.0) / float(rows)
