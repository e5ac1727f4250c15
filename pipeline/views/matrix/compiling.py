"""What a model costs at every point of the matrix: each point is a job of the stage ``vela``, kept like any other."""

import os
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import msgspec

from pipeline.engine import schedule
from pipeline.engine.build import Build
from pipeline.engine.group_progress import one_bar
from pipeline.engine.job_graph import Job
from pipeline.engine.results.record import Record
from pipeline.engine.results.store import resolve
from pipeline.engine.running.fork_server import one_a_thread
from pipeline.folders import BUILD
from pipeline.npu import points
from pipeline.npu.boards import Board
from pipeline.npu.points import Impossible, Point
from pipeline.stages import vela

PRELOADED = ("pipeline.stages.vela", "pipeline.npu.compiler", "pipeline.npu.totals", "ethosu.vela.vela")


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One point and what came of it."""

    point: Point
    link: Path
    """Where its result shows."""
    target: str | None
    """The experiment's own target, where the point is one."""
    record: Record | None
    failure: str | None
    """Why there is no result, in a sentence."""

    @property
    def mac_utilization(self) -> float | None:
        """Share of the multiplications that the accelerator could have done in the estimated cycles."""
        found = self.record.metrics if self.record else {}
        possible = (found.get("cycles_total") or 0) * self.point.macs_per_cycle
        return found["macs"] / possible if possible else None


class Matrix(msgspec.Struct, frozen=True, kw_only=True):
    """Every point, and the pairs that are none."""

    experiment: str
    rows: tuple[Row, ...]
    variants: tuple[Row, ...]
    """Compiles that only serve to explain the others: the same with clustered weights."""
    boards: tuple[tuple[Board, Row], ...]
    """Each board with the compile for it."""
    impossible: tuple[Impossible, ...]

    @property
    def failed(self) -> bool:
        """Tell whether a compile failed, of a point or of a trial."""
        return any(row.failure for row in self.compiles)

    @property
    def compiles(self) -> tuple[Row, ...]:
        """Return every row: of points, of trials and of boards."""
        return (*self.rows, *self.variants, *(row for _, row in self.boards))

    @property
    def stand_in(self) -> str | None:
        """Return the data set that took the place of the one asked for, if one did."""
        return next((row.record.stand_in for row in self.compiles if row.record and row.record.stand_in), None)

    def row(self, point: Point) -> Row | None:
        """Return the row of a point."""
        return next((row for row in (*self.rows, *self.variants) if row.point == point), None)


def jobs_of(chosen: Sequence[Point], needed: Job) -> list[Job]:
    """Return the jobs that compile the model of ``needed``, a job of ``quantized``, at these points."""
    return [
        Job(
            stage=vela.STAGE,
            experiment=needed.experiment,
            target=point.name,
            sections=point.sections(),
            needs={"quantized": needed},
            name=f"matrix:{needed.experiment}:{point.name}",
            link=needed.root / BUILD / needed.experiment / "matrix" / point.name,
            root=needed.root,
        )
        for point in chosen
    ]


def compile_all(build: Build, jobs: Sequence[Job]) -> dict[str, str]:
    """Make the results that are missing or stale, on all cores; one that fails leaves the others unharmed.

    Returns:
        Name of a job that failed -> why.

    Raises:
        process.Interrupted: the build was told to stop.

    """
    stale = [job for job in jobs if not build.state(job).fresh]
    if not stale:
        return {}
    if build.begin():  # whoever had the lock may have done the work
        stale = [job for job in stale if not build.state(job).fresh]
    reason = f"{len(stale)} {'point' if len(stale) == 1 else 'points'} to compile or restore"
    workers = min(os.cpu_count() or 1, len(stale))
    ended = count(1)
    with one_bar(build, "matrix", jobs[0].experiment, reason) as advance, one_a_thread(*PRELOADED) as starter:
        # The largest accelerators take longest; begun first, they leave no core idle at the end.
        largest_first = stale[::-1]
        return schedule.make_all(build, largest_first, starter, workers, lambda _: advance(next(ended), len(stale)))


def rows(build: Build, jobs: Sequence[Job], failures: dict[str, str], targets: dict[str, Point]) -> tuple[Row, ...]:
    """Return the rows of jobs that were made, or failed."""
    own = {point: name for name, point in targets.items()}
    found = []
    for job in jobs:
        point = points.of_config(job.config)
        state = None if job.name in failures else build.known(job)
        found.append(
            Row(
                point=point,
                link=resolve(job.link),
                target=own.get(point),
                record=state.record if state and state.in_place else None,
                failure=failures.get(job.name),
            )
        )
    return tuple(found)
