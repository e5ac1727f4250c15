"""Make many jobs in one go: each after those it needs, several at a time."""

import heapq
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter

from pipeline.engine.build import Build
from pipeline.engine.digests.fingerprint import digest
from pipeline.engine.job_graph import Job
from pipeline.engine.running import process
from pipeline.errors import UnrollError


def make_all(
    build: Build,
    jobs: Sequence[Job],
    starter: process.Starter,
    workers: int,
    on_end: Callable[[Job], None],
) -> dict[str, str]:
    """Make what is not fresh; a job that fails leaves unharmed all that does not need it.

    Args:
        build: what makes them.
        jobs: those that come first are begun first, as soon as what they need of the others is made. Of jobs of the
            same choices the first is made, and the others then find its result in the store.
        starter: starts the processes of the stages.
        workers: how many jobs are at work at the same time.
        on_end: is told of every job when it is made, has failed or was left out, in the thread that called this.

    Returns:
        Name of a job without a result -> why: it failed, or one that it needs.

    Raises:
        process.Interrupted: the build was told to stop; what finished stays.

    """
    by_name = {job.name: job for job in jobs}
    places = {name: place for place, name in enumerate(by_name)}
    graph = TopologicalSorter(_predecessors(by_name))
    graph.prepare()
    ready: list[tuple[int, str]] = []
    running: dict[Future[str | None], Job] = {}
    failures: dict[str, str] = {}

    def end(job: Job, failure: str | None) -> None:
        if failure is not None:
            failures[job.name] = failure
        graph.done(job.name)
        on_end(job)

    pool = ThreadPoolExecutor(max(1, workers))
    try:
        while graph.is_active():
            for name in graph.get_ready():
                heapq.heappush(ready, (places[name], name))
            if ready and len(running) < max(1, workers):
                job = by_name[heapq.heappop(ready)[1]]
                missing = next((failures[need.name] for need in job.needs.values() if need.name in failures), None)
                if missing is None:
                    running[pool.submit(_make, build, job, starter)] = job
                else:
                    end(job, missing)
                continue
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                end(running.pop(future), future.result())
    finally:
        pool.shutdown(cancel_futures=True)
    return failures


def identity(job: Job) -> str:
    """Return a digest of all choices that go into a job: jobs of equal ones make the same."""
    return digest([job.stage.name, dict(job.config), [identity(need) for need in job.needs.values()]])


def _predecessors(jobs: Mapping[str, Job]) -> dict[str, list[str]]:
    """Return what each job comes after: what it needs of the others, and the one before of the same choices."""
    last: dict[str, str] = {}
    predecessors: dict[str, list[str]] = {}
    for name, job in jobs.items():
        choices = identity(job)
        same = [last[choices]] if choices in last else []
        predecessors[name] = [need.name for need in job.needs.values() if need.name in jobs] + same
        last[choices] = name
    return predecessors


def _make(build: Build, job: Job, starter: process.Starter) -> str | None:
    """Make a job that is not fresh; return why it failed."""
    try:
        if not build.state(job).fresh:
            build.make(job, starter)
    except UnrollError as error:
        return str(error)
    return None
