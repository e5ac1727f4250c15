"""The graph as doit tasks, and nothing else: experiments become ``<stage>:<experiment>``.

Nothing heavy is imported here: what runs TensorFlow is a process of its own (``pipeline.run``).
"""

from collections.abc import Iterator
from typing import Any

from doit.exceptions import TaskFailed

from pipeline import commands, experiment, folders, graph
from pipeline.build import Build
from pipeline.console import ConsoleReporter
from pipeline.errors import UnrollError

BUILD = Build()
ConsoleReporter.build = BUILD
commands.prepare_build_folder()

Task = dict[str, Any]


def _load() -> dict[str, list[graph.Job] | UnrollError]:
    loaded: dict[str, list[graph.Job] | UnrollError] = {}
    for name in experiment.names():
        try:
            loaded[name] = graph.jobs(name, experiment.load(name))
        except UnrollError as error:
            loaded[name] = error
    return loaded


EXPERIMENTS = _load()
ConsoleReporter.jobs = {
    job.name: job for jobs in EXPERIMENTS.values() if not isinstance(jobs, UnrollError) for job in jobs
}

DOIT_CONFIG = {
    "backend": "sqlite3",  # survives two readers and kill -9; dbm does neither
    "default_tasks": ["build:mnist-gru"],
    "dep_file": str(folders.BUILD / "state.db"),
    "par_type": "thread",  # a task only waits for its own process; forked workers outlive kill -9
    "reporter": ConsoleReporter,
    "verbosity": 2,
}


def _is_fresh(task: object, values: dict[str, Any], job: graph.Job) -> bool:
    del task  # doit finds the other arguments by these names and places
    return BUILD.state(job, recorded=bool(values)).fresh


def _make(job: graph.Job) -> dict[str, Any] | TaskFailed:
    try:
        return BUILD.make(job)
    except UnrollError as error:
        return TaskFailed(str(error))


def _fail(error: UnrollError) -> TaskFailed:
    return TaskFailed(str(error))


def _stage_task(job: graph.Job) -> Task:
    return {
        "name": job.name.split(":", 1)[1],
        "doc": job.stage.summary,
        "actions": [(_make, [job])],
        "uptodate": [(_is_fresh, [job])],
        "task_dep": [need.name for need in job.needs],
        "targets": [str(job.link / "stage.json")],
        "clean": [(commands.unlink, [job])],
        "io": {"capture": False},
    }


def _stage_tasks(stage: str) -> Iterator[Task]:
    for name, jobs in EXPERIMENTS.items():
        if isinstance(jobs, UnrollError):
            yield {"name": name, "doc": f"can't be built: {jobs}", "actions": [(_fail, [jobs])]}
        else:
            yield from (_stage_task(job) for job in jobs if job.stage.name == stage)


def task_dataset() -> Iterator[Task]:
    """Get the data set, check it, normalize it to [0, 1]."""
    yield from _stage_tasks("dataset")


def task_weights() -> Iterator[Task]:
    """Train the network with Keras."""
    yield from _stage_tasks("weights")


def task_unrolled() -> Iterator[Task]:
    """Rebuild the network with batch size 1 and unroll=True."""
    yield from _stage_tasks("unrolled")


def task_quantized() -> Iterator[Task]:
    """Quantize to int8 with TFLiteConverter."""
    yield from _stage_tasks("quantized")


def task_accuracy() -> Iterator[Task]:
    """Measure float and int8 accuracy over the whole test set."""
    yield from _stage_tasks("accuracy")


def task_vela() -> Iterator[Task]:
    """Compile for each Ethos-U target with Vela."""
    yield from _stage_tasks("vela")


def task_build() -> Iterator[Task]:
    """Build everything of an experiment."""
    for name, jobs in EXPERIMENTS.items():
        if isinstance(jobs, UnrollError):
            yield {"name": name, "doc": f"can't be built: {jobs}", "actions": [(_fail, [jobs])]}
        else:
            yield {
                "name": name,
                "doc": f"every stage of {name}",
                "actions": None,
                "task_dep": [job.name for job in jobs],
            }


def task_status() -> Task:
    """Say which stages are fresh or stale, and why (--json for scripts; exit code 1 when any is stale)."""
    return {
        "actions": [(commands.status, [EXPERIMENTS])],
        "params": [
            {"name": "as_json", "long": "json", "type": bool, "default": False, "help": "print JSON for scripts"}
        ],
        "pos_arg": "names",
        "uptodate": [False],
        "io": {"capture": False},
    }


def task_prune() -> Task:
    """Forget remembered results that nothing shows, the least recently used first."""
    return {
        "actions": [(commands.prune,)],
        "params": [
            {"name": "keep", "long": "keep", "type": str, "default": "5GB", "help": "how much may stay, e.g. 500MB"}
        ],
        "uptodate": [False],
        "io": {"capture": False},
    }
