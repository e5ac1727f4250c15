"""The answer to most runs, that there is nothing to do; and the short way to it.

doit makes a task of every stage, and asks for each. Over many experiments that takes several times as long as looking
at the results, so a run of builds looks first, with the same eyes (``Build.state``), and ends if that is all.
"""

from collections.abc import Iterable, Sequence

from pipeline.command_line.progress import ProgressView
from pipeline.engine.build import Build
from pipeline.engine.job_graph import Job
from pipeline.engine.project import Project
from pipeline.experiments.experiment import TWIN
from pipeline.verification.verdicts import PROVED
from pipeline.views import verified


def is_so(project: Project, build: Build, jobs: Iterable[Job]) -> bool:
    """Tell whether doit would find every job up to date, ignoring none of them."""
    ignored = project.ignored.names()
    return all(job.name not in ignored and build.state(job).fresh for job in jobs)


def say(view: ProgressView, build: Build, jobs: Sequence[Job], *, less_proved_is_said: bool = False) -> None:
    """Say that there is nothing to do, and what must not be forgotten of what is there.

    Args:
        view: where to say it.
        build: what is known of the results.
        jobs: all that were looked at.
        less_proved_is_said: a gate says what is not proved.

    """
    experiments = shown({job.experiment: None for job in jobs})
    what = experiments[0] if len(experiments) == 1 else f"all of {len(experiments)} experiments"
    view.say(f"{what}: up to date, nothing to do ({len(jobs)} stage{'s' if len(jobs) > 1 else ''})")
    of_experiment: dict[str, list[Job]] = {name: [] for name in experiments}
    for job in jobs:
        if job.experiment in of_experiment:
            of_experiment[job.experiment].append(job)
    for its_jobs in of_experiment.values():
        say_stand_in(view, build, its_jobs)
        if not less_proved_is_said:
            _say_less_proved(view, build, its_jobs)


def shown(experiments: Iterable[str]) -> list[str]:
    """Return the experiments of a run without the twins of those that are in it."""
    there = list(experiments)
    return [name for name in there if name.removesuffix(TWIN) == name or name.removesuffix(TWIN) not in there]


def say_stand_in(view: ProgressView, build: Build, jobs: Iterable[Job]) -> None:
    """Say which data an experiment stands on, if they are not those that it asks for."""
    for job in jobs:
        if (record := build.known(job).record) and record.is_stand_in:
            wanted = record.inputs["config"]["dataset"]["name"]
            view.warn(
                f"{job.experiment} stands on the stand-in {record.stand_in}: {wanted} could not be had."
                " Set UNROLL_DATA or dataset.path to real data and run doit again."
            )


def _say_less_proved(view: ProgressView, build: Build, jobs: Iterable[Job]) -> None:
    """Say what is not proved where nothing was made, and no summary says it."""
    for job in jobs:
        state = build.known(job)
        if job.verifies and state.in_place and state.record and verified.verdict(state.record) != PROVED:
            view.warn(f"{job.name}: {verified.verdict(state.record)} ({'; '.join(verified.lacking(state.record))})")
