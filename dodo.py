"""The graph as doit tasks, and nothing else: experiments become ``<stage>:<experiment>``.

Nothing heavy is imported here: what runs TensorFlow is a process of its own (``pipeline.engine.running.run``).
"""

import gc
import inspect
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from doit import Globals
from doit.doit_cmd import DoitMain
from doit.exceptions import TaskFailed

from pipeline.command_line import commands, task_memory, up_to_date
from pipeline.command_line.console import ConsoleReporter
from pipeline.command_line.progress import ProgressView
from pipeline.engine import job_graph
from pipeline.engine.build import Build
from pipeline.engine.project import Project
from pipeline.errors import UnrollError
from pipeline.experiments import experiment
from pipeline.experiments.schema import Budget, Experiment, Grid
from pipeline.experiments.twin import with_twin
from pipeline.stages.catalogue import by_name
from pipeline.views.gates import placement, proof
from pipeline.views.subject import Subject

gc.disable()  # a short-lived process with many tasks; collecting takes a sixth of a no-op over 200 experiments

PROJECT = Project()
BUILD = Build(PROJECT)

DoitMain.BIN_NAME = "doit"  # started by python -m, it would call itself -m

Task = dict[str, Any]


DESCRIPTIONS: dict[str, str] = {}
BUDGETS: dict[str, Budget] = {}
REQUIRED: dict[str, str] = {}
GATES = ("placement", "proof")
"""Tasks that judge results which are there already."""
CHECKED: dict[str, Experiment] = {}


def _load() -> dict[str, list[job_graph.Job] | UnrollError]:
    loaded: dict[str, list[job_graph.Job] | UnrollError] = {}
    for name in experiment.names(PROJECT.experiments):
        try:
            for each, document in with_twin(name, experiment.load(name, PROJECT.experiments)):
                loaded[each] = job_graph.jobs(each, document, root=PROJECT.root)
                DESCRIPTIONS[each] = document.description
                BUDGETS[each] = document.budget
                REQUIRED[each] = document.verify.require
                if isinstance(document, Experiment):
                    CHECKED[each] = document
        except UnrollError as error:
            loaded[name] = error
    return loaded


EXPERIMENTS = _load()
JOBS = {job.name: job for jobs in EXPERIMENTS.values() if not isinstance(jobs, UnrollError) for job in jobs}


def _twin(name: str) -> list[job_graph.Job]:
    """Return the jobs of the same experiment without [compress]; none if it has no such section."""
    jobs = EXPERIMENTS.get(name + experiment.TWIN, [])
    return [] if isinstance(jobs, UnrollError) else jobs


DEFAULT = ["build:mnist-gru"]
DOIT_CONFIG = {
    **task_memory.CONFIG,
    "default_tasks": DEFAULT,
    "par_type": "thread",  # a task only waits for its own process; forked workers outlive kill -9
    "reporter": ConsoleReporter(BUILD, JOBS),
    "verbosity": 2,
}


def _is_fresh(job: job_graph.Job) -> bool:
    return BUILD.is_fresh(job)


# doit asks for the signature once for every task, which over 200 experiments is a tenth of a no-op.
_is_fresh.__signature__ = inspect.signature(_is_fresh)  # type: ignore[attr-defined] # read by inspect itself


def _make(job: job_graph.Job) -> TaskFailed | None:
    try:
        BUILD.make(job)
    except UnrollError as error:
        return TaskFailed(str(error))
    return None


def _fail(error: UnrollError) -> TaskFailed:
    return TaskFailed(str(error))


def _fresh(jobs: list[job_graph.Job]) -> bool:
    return all(BUILD.known(job).fresh for job in jobs)


def _job_task(job: job_graph.Job) -> Task:
    return {
        "basename": job.stage.name,
        "name": job.name.partition(":")[2],
        "doc": job.stage.summary,
        "actions": [(_make, [job])],
        "uptodate": [(_is_fresh, [job])],
        "task_dep": [need.name for need in job.needs.values()],
        "targets": [f"{job.link}/stage.json"],
        "clean": [(commands.unlink, [job])],
        "io": {"capture": False},
    }


def _group_task(basename: str, name: str | None, doc: str, jobs: list[job_graph.Job]) -> Task:
    """Group jobs; a group tells its own state, or doit would run what it has no action for."""
    return {
        "basename": basename,
        "name": name,
        "doc": doc,
        "actions": None,
        "task_dep": [job.name for job in jobs],
        "uptodate": [(_fresh, [jobs])],
    }


def _with_gates(group: Task, gates: Iterable[str], names: Iterable[str]) -> Task:
    """Let a group end with gates of some experiments, when all that they judge is made."""
    return {**group, "task_dep": [*group["task_dep"], *(f"{gate}:{name}" for name in names for gate in gates)]}


def _broken_task(basename: str, name: str, error: UnrollError) -> Task:
    return {"basename": basename, "name": name, "doc": f"can't be built: {error}", "actions": [(_fail, [error])]}


def _is_placed(jobs: list[job_graph.Job], allowed: int) -> bool:
    return not placement.surplus(BUILD, jobs, allowed)


def _placement_task(name: str, jobs: list[job_graph.Job]) -> Task:
    allowed = BUDGETS[name].cpu_operators_max or 0
    targets = [job for job in jobs if job.compiles]
    return {
        "basename": "placement",
        "name": name,
        "doc": f"fail when more than {allowed} operators of {name} stay on the CPU",
        "actions": [(placement.gate, [BUILD, targets, allowed])],
        "uptodate": [(_is_placed, [targets, allowed])],
        "task_dep": [job.name for job in targets],
        "io": {"capture": False},
    }


def _is_proved(jobs: list[job_graph.Job], require: str) -> bool:
    return not proof.short(BUILD, jobs, require)


def _proof_task(name: str, require: str, jobs: list[job_graph.Job]) -> Task:
    return {
        "basename": "proof",
        "name": name,
        "doc": f'fail when less is proved of {name} than verify.require = "{require}" asks for',
        "actions": [(proof.gate, [BUILD, jobs, require])],
        "uptodate": [(_is_proved, [jobs, require])],
        "task_dep": [job.name for job in jobs],
        "io": {"capture": False},
    }


def _proof_tasks(name: str, jobs: list[job_graph.Job]) -> Iterator[Task]:
    """Make the gate of an experiment, and one of each target, for whoever asks for that alone."""
    verified = [job for job in jobs if job.verifies]
    yield _proof_task(name, REQUIRED[name], verified)
    yield from (_proof_task(job.name.partition(":")[2], REQUIRED[name], [job]) for job in verified)


def _all_tasks() -> Iterator[Task]:
    whole = {name: jobs for name, jobs in EXPERIMENTS.items() if not isinstance(jobs, UnrollError)}
    for stage in by_name().values():
        mine = [job for jobs in whole.values() for job in jobs if job.stage.name == stage.name]
        gates = ["proof"] if stage.provides == "verified" else []
        yield _with_gates(_group_task(stage.name, None, stage.summary, mine), gates, whole)
        yield from (_job_task(job) for job in mine)
        if stage.per_target:
            for name in whole:
                of_targets = [job for job in mine if job.experiment == name]
                group = _group_task(stage.name, name, f"{stage.summary}; every target of {name}", of_targets)
                yield _with_gates(group, gates, [name])
    everything = _group_task(
        "build", None, "every stage of every experiment", [job for jobs in whole.values() for job in jobs]
    )
    yield _with_gates(everything, GATES, whole)
    targets, verified = (
        [job for jobs in whole.values() for job in jobs if getattr(job, of)] for of in ("compiles", "verifies")
    )
    yield _group_task(
        "placement", None, "fail when operators stay on the CPU that the experiment does not allow", targets
    )
    yield _group_task("proof", None, "fail when less is proved than the experiment requires", verified)
    for name, jobs in whole.items():
        yield _placement_task(name, jobs)
        yield from _proof_tasks(name, jobs)
        group = _group_task("build", name, DESCRIPTIONS[name] or f"every stage of {name}", [*jobs, *_twin(name)])
        yield _with_gates(group, GATES, [name])
    for name, error in EXPERIMENTS.items():
        if isinstance(error, UnrollError):
            yield from (_broken_task(basename, name, error) for basename in (*by_name(), "build"))


def task_stages() -> Iterator[Task]:
    """Make the tasks of every stage of every experiment, and ``build`` for all of each."""
    commands.prepare_build_folder(PROJECT)
    if _nothing_to_do(sys.argv[1:] or DEFAULT):
        sys.exit()
    task_memory.TaskMemory(PROJECT, JOBS).replace(Globals.dep_manager)
    return _all_tasks()


def _nothing_to_do(words: Sequence[str]) -> bool:
    """Tell whether a run of nothing but builds finds all of them up to date, and say so."""
    whole = {name: jobs for name, jobs in EXPERIMENTS.items() if not isinstance(jobs, UnrollError)}
    builds = {f"build:{name}": [name] for name in whole}
    if len(whole) == len(EXPERIMENTS):
        builds["build"] = list(whole)
    if not all(word in builds for word in words) or _is_configured():
        return False
    names = list(dict.fromkeys(name for word in words for name in builds[word]))
    jobs = list({job.name: job for name in names for job in [*whole[name], *_twin(name)]}.values())
    if not up_to_date.is_so(PROJECT, BUILD, jobs) or any(_refused(name, whole[name]) for name in names):
        return False
    up_to_date.say(ProgressView(), BUILD, jobs)
    return True


def _is_configured() -> bool:
    """Tell whether one of doit's own files may ask it for more than the command line does."""
    settings = PROJECT.root / "pyproject.toml"
    return (PROJECT.root / "doit.cfg").exists() or (settings.exists() and b"tool.doit" in settings.read_bytes())


def _refused(name: str, jobs: Sequence[job_graph.Job]) -> bool:
    """Tell whether a gate refuses what was made of an experiment."""
    compiled, verified = ([job for job in jobs if getattr(job, of)] for of in ("compiles", "verifies"))
    too_many = placement.surplus(BUILD, compiled, BUDGETS[name].cpu_operators_max or 0)
    return bool(too_many or proof.short(BUILD, verified, REQUIRED[name]))


# doit reads the source of each function that makes tasks to its end, to learn where it begins: these are short.
JSON = {"name": "as_json", "long": "json", "type": bool, "default": False, "help": "print JSON for scripts"}


def task_status() -> Task:
    """Say which stages are fresh or stale, and why (--json for scripts, --rehash; exit code 1 when any is stale)."""
    return {
        "actions": [(commands.status, [PROJECT, EXPERIMENTS])],
        "params": [
            JSON,
            {
                "name": "reread",
                "long": "rehash",
                "type": bool,
                "default": False,
                "help": "read every byte of what is shown again, and name what the disk lost",
            },
        ],
        "pos_arg": "names",
        "uptodate": [False],
        "io": {"capture": False},
    }


def _matrix(
    jobs: list[job_graph.Job],
    as_json: bool,  # noqa: FBT001 - doit calls it with this name
    every: bool,  # noqa: FBT001 - as above
    optimise: str,
    target: str,
) -> TaskFailed | None:
    from pipeline.views.matrix import answer  # noqa: PLC0415 - a no-op owes it nothing, as below

    return answer.answer_matrix(answer.Asked(BUILD, jobs), as_json, every, optimise, target)


def task_matrix() -> Iterator[Task]:
    """Say what a model costs on every Ethos-U and why (--json, --all, --optimise both, --target NAME)."""
    return _matrix_tasks()


def _matrix_tasks() -> Iterator[Task]:
    every = {"name": "every", "long": "all", "type": bool, "default": False}
    optimise = {"name": "optimise", "long": "optimise", "type": str, "default": "Performance"}
    target = {"name": "target", "long": "target", "type": str, "default": ""}
    for name, jobs in EXPERIMENTS.items():
        if isinstance(jobs, UnrollError):
            yield _broken_task("matrix", name, jobs)
            continue
        yield {
            "name": name,
            "doc": f"what {name} costs on every Ethos-U, and why",
            "actions": [(_matrix, [jobs])],
            "params": [
                JSON,
                {**every, "help": "every system configuration and memory mode, not only the usual ones"},
                {**optimise, "help": "Vela's strategy: Performance, Size or both"},
                {**target, "help": "the target whose cycles are explained; otherwise the first one"},
            ],
            "task_dep": [job_graph.provider(jobs, "quantized").name],
            "uptodate": [False],
            "clean": [(commands.unlink_all, [PROJECT, PROJECT.build / name / "matrix"])],
            "io": {"capture": False},
            "meta": {"answers": True},
        }


def _pareto(
    name: str,
    jobs: list[job_graph.Job],
    as_json: bool,  # noqa: FBT001 - doit calls it with this name
    target: str,
    **options: str,
) -> TaskFailed | None:
    from pipeline.views.matrix.answer import Asked  # noqa: PLC0415
    from pipeline.views.pareto.answer import answer_pareto  # noqa: PLC0415

    return answer_pareto(Asked(BUILD, jobs), CHECKED[name], as_json, target, **options)


def task_pareto() -> Iterator[Task]:
    """Build variants of a model and show what accuracy costs (--units 64,128, --rows-per-step, --target, --json)."""
    return _pareto_tasks()


def _pareto_tasks() -> Iterator[Task]:
    target = {"name": "target", "long": "target", "type": str, "default": ""}
    for name, jobs in EXPERIMENTS.items():
        if isinstance(jobs, UnrollError):
            yield _broken_task("pareto", name, jobs)
            continue
        if name not in CHECKED:
            elsewhere = UnrollError(f"the model of {name} was made elsewhere, so there is nothing to vary")
            yield _broken_task("pareto", name, elsewhere)
            continue
        yield {
            "name": name,
            "doc": f"what accuracy costs: variants of {name}, with their Pareto fronts",
            "actions": [(_pareto, [name, jobs])],
            "params": [
                JSON,
                *(
                    {"name": axis, "long": axis.replace("_", "-"), "type": str, "default": "", "help": f"{axis}: 1,2,4"}
                    for axis in Grid.__struct_fields__
                ),
                {**target, "help": "the target whose costs count; otherwise the first one"},
            ],
            "task_dep": [job_graph.provider(jobs, "dataset").name],
            "uptodate": [False],
            "clean": [(commands.unlink_all, [PROJECT, PROJECT.build / name / "grid"])],
            "io": {"capture": False},
            "meta": {"answers": True},
        }


def _check(subjects: list[Subject], as_json: bool, baseline: str) -> TaskFailed | None:  # noqa: FBT001 - as above
    from pipeline.views import check  # noqa: PLC0415

    return check.answer_check(BUILD, subjects, as_json, baseline)


def task_check() -> Iterator[Task]:
    """Hold results against budgets; exit code 1 when one is not kept (--json, --baseline FILE)."""
    return _check_tasks()


def _check_tasks() -> Iterator[Task]:
    baseline = {"name": "baseline", "long": "baseline", "type": str, "default": ""}
    subjects = {
        name: Subject(name, jobs, BUDGETS[name], _twin(name))
        for name, jobs in EXPERIMENTS.items()
        if not isinstance(jobs, UnrollError)
    }
    with_budget = [subject for subject in subjects.values() if subject.budget.limits_something]
    chosen = {"check": with_budget} | {f"check:{name}": [subject] for name, subject in subjects.items()}
    for task, asked in chosen.items():
        whose = asked[0].name if ":" in task else "every experiment that has a [budget]"
        yield {
            "basename": task,
            "doc": f"hold the results of {whose} against the budget (--json, --baseline FILE)",
            "actions": [(_check, [asked])],
            "params": [JSON, {**baseline, "help": "an earlier --json, to show what changed as a Markdown table"}],
            "task_dep": [job.name for subject in asked for job in subject.judged],
            "uptodate": [False],
            "io": {"capture": False},
            "meta": {"answers": True},
        }
    for name, error in EXPERIMENTS.items():
        if isinstance(error, UnrollError):
            yield {"basename": f"check:{name}", "doc": f"can't be checked: {error}", "actions": [(_fail, [error])]}


def _report(name: str, jobs: list[job_graph.Job]) -> TaskFailed | None:
    from pipeline.views.matrix.answer import Asked  # noqa: PLC0415
    from pipeline.views.report.write import answer_report  # noqa: PLC0415

    return answer_report(Asked(BUILD, jobs, _twin(name)), DESCRIPTIONS[name], BUDGETS[name])


def task_report() -> Iterator[Task]:
    """Write all that is known of an experiment as one HTML file, and as Markdown."""
    return _report_tasks()


def _report_tasks() -> Iterator[Task]:
    for name, jobs in EXPERIMENTS.items():
        if isinstance(jobs, UnrollError):
            yield _broken_task("report", name, jobs)
            continue
        yield {
            "name": name,
            "doc": f"write build/{name}/report.html and report.md",
            "actions": [(_report, [name, jobs])],
            "task_dep": [job.name for job in [*jobs, *_twin(name)]],
            "uptodate": [False],
            "io": {"capture": False},
            "meta": {"answers": True},
        }


def task_prune() -> Task:
    """Forget remembered results that nothing shows, the least recently used first (--keep, --check)."""
    return {
        "actions": [(commands.prune, [PROJECT])],
        "params": [
            {"name": "keep", "long": "keep", "type": str, "default": "5GB", "help": "how much may stay, e.g. 500MB"},
            {
                "name": "check",
                "long": "check",
                "type": bool,
                "default": False,
                "help": "read every byte of the store first; remove and name what is damaged",
            },
        ],
        "uptodate": [False],
        "io": {"capture": False},
    }


def task_image() -> Task:
    """Make the Docker image, if what goes into it changed."""
    return {"actions": [(commands.image, [PROJECT])], "uptodate": [False], "io": {"capture": False}}


def task_in_docker() -> Task:
    """Run doit in a container: in-docker build:tiny; options of doit after --, as in: in-docker -- -n 2 build."""
    return {
        "basename": "in-docker",
        "actions": [(commands.run_in_docker, [PROJECT])],
        "pos_arg": "words",
        "uptodate": [False],
        "io": {"capture": False},
    }
