"""What a person sees of a run in a terminal, and what the run leaves for others: lock, events, record.

doit calls the hooks of ``ConsoleReporter`` in the order in which they stand here.
"""

import sys
from collections.abc import Iterable, Mapping

from doit import reporter
from doit.exceptions import BaseFail, UnmetDependency
from doit.task import Task

from pipeline.command_line.progress import ProgressView
from pipeline.engine.build import Build
from pipeline.engine.job_graph import Job
from pipeline.engine.results.record import Record
from pipeline.experiments.experiment import TWIN
from pipeline.verification.verdicts import PROVED, SEVEREST
from pipeline.views import summary, uncompressed, verified
from pipeline.views.gates import proof

MOST_SUMMARIES = 10


class ConsoleReporter(reporter.ConsoleReporter):  # type: ignore[misc] # doit has no types
    """doit's reporter: one line a stage, the bar of the one that runs, the summary at the end."""

    desc = "one line a stage, progress, and a summary"

    def __init__(self, build: Build, jobs: Mapping[str, Job]) -> None:
        """Report of a build and its jobs, by name."""
        super().__init__(sys.stdout, {})
        self.build = build
        self.jobs = jobs

    def initialize(self, tasks: Mapping[str, Task], selected_tasks: list[str]) -> None:
        """Watch the build, and let Ctrl-C and SIGTERM end its stages.

        Who asks for a single target to be verified gets its gate, too: doit runs what is added to the selection here.
        """
        asked = [self.jobs[name] for name in selected_tasks if name in self.jobs]
        selected_tasks += [f"proof:{job.experiment}:{job.target}" for job in asked if job.verifies]
        self.build.plan = lambda: [name for name in _needed(tasks, selected_tasks) if name in self.jobs]
        answers = [tasks[name] for name in selected_tasks if (tasks[name].meta or {}).get("answers")]
        self._answers = bool(answers)
        as_json = any((task.options or {}).get("as_json") for task in answers)
        self._view = ProgressView(sys.__stderr__ if as_json else sys.__stdout__)
        self._seen: list[str] = []
        self._executed: set[str] = set()
        self._failed: dict[str, str] = {}
        self._codes: set[int] = set()
        self.build.watcher = self._view.show
        self.build.on_wait = self._view.say
        self.build.processes.stop_on_signals()

    def get_status(self, task: Task) -> None:
        """Note every stage that this run looks at."""
        if task.name in self.jobs:
            self._seen.append(task.name)

    def execute_task(self, task: Task) -> None:
        """Note what is done; the view shows it when the stage itself reports."""
        if task.name in self.jobs:
            self._executed.add(task.name)

    def add_success(self, task: Task) -> None:
        """Say nothing: the view shows what finished when the stage itself reports."""

    def add_failure(self, task: Task, fail: BaseFail) -> None:
        """Keep the sentence for the end."""
        unmet = isinstance(fail, UnmetDependency)
        if fail.report and not (unmet and not task.actions):  # of a group, what it waited for says it all
            self._failed[task.name] = fail.get_msg().strip()
        if not unmet:
            self._codes.add(getattr(fail, "code", 1))

    def skip_uptodate(self, task: Task) -> None:
        """Say nothing of each: the end says it of all."""

    def skip_ignore(self, task: Task) -> None:
        """Say that the user's ``doit ignore`` is why nothing happens."""
        self._view.say(f"ignored: {task.name} (doit forget {task.name} ends that)")

    def complete_run(self) -> None:
        """End the display with failures, or the summary, or that there was nothing to do."""
        self._view.close()
        for warning in self.build.warnings:
            self._view.say(f"warning: {warning}")
        self.build.end(list(self._failed))
        made = not self._failed or self._less_proved  # what a gate alone refuses is there to be seen
        if not made:
            self._say_warnings(self._seen)  # of a stage before, it may be the reason
        elif not self._answers and sys.exc_info()[0] is None:  # the answer is all that was asked for
            self._say_what_came_of_it()
        for name, sentence in self._failed.items():
            self._view.fail(name, sentence)
        for error in self.runtime_errors:
            self._view.say(error)
        if self._less_proved and sys.exc_info()[0] is None:  # else stopped, or a defect that doit is about to show
            raise SystemExit(proof.severest(self._codes))  # doit's own codes end at 3

    @property
    def _less_proved(self) -> bool:
        """Tell whether nothing failed but that less is proved than is required."""
        return bool(self._codes) and self._codes <= set(SEVEREST) - {1}

    def _say_what_came_of_it(self) -> None:
        experiments = list(dict.fromkeys(self.jobs[name].experiment for name in self._seen))
        experiments = [
            name
            for name in experiments
            if name.removesuffix(TWIN) == name or name.removesuffix(TWIN) not in experiments
        ]
        if self._seen and not self._executed:
            self._say_up_to_date(experiments)
        else:
            for name in experiments[:MOST_SUMMARIES]:
                self._show_summary(name, whole=len(experiments) == 1)
            if len(experiments) > MOST_SUMMARIES:
                self._view.say(f"... and {len(experiments) - MOST_SUMMARIES} more: doit status")

    def _say_up_to_date(self, experiments: list[str]) -> None:
        what = experiments[0] if len(experiments) == 1 else f"all of {len(experiments)} experiments"
        stages = f"{len(self._seen)} stage{'s' if len(self._seen) > 1 else ''}"
        self._view.say(f"{what}: up to date, nothing to do ({stages})")
        for name in experiments:
            self._say_stand_in(name)
            self._say_less_proved(name)

    def _say_stand_in(self, experiment: str) -> None:
        data = self.jobs.get(f"dataset:{experiment}")  # a model that was made elsewhere has none
        record = self.build.known(data).record if data else None
        if record and record.stand_in:
            asked = record.inputs["config"]["dataset"]["name"]
            self._view.warn(
                f"{experiment} stands on the stand-in {record.stand_in}: {asked} could not be had."
                " Set UNROLL_DATA or dataset.path to real data and run doit again."
            )

    def _say_less_proved(self, experiment: str) -> None:
        """Say what is not proved where nothing was made, and no summary says it."""
        if self._less_proved:  # the gate is about to
            return
        for job, record in self._made(self.jobs[name] for name in self._seen):
            if job.verifies and job.experiment == experiment and verified.verdict(record) != PROVED:
                self._view.warn(f"{job.name}: {verified.verdict(record)} ({'; '.join(verified.lacking(record))})")

    def _show_summary(self, experiment: str, *, whole: bool) -> None:
        jobs = self._jobs_of(experiment)
        made = self._made(jobs)
        records = [record for _, record in made]
        if len(made) == len(jobs) and not whole:
            self._view.say(summary.line(jobs, records))
        elif len(made) == len(jobs):
            pays = uncompressed.rows(uncompressed.paybacks(made, self._made(self._jobs_of(experiment + TWIN))))
            self._view.table(experiment, [*summary.rows(jobs, records), *pays], summary.times(jobs, records))
        else:
            self._say_warnings([job.name for job in jobs])
        self._say_stand_in(experiment)

    def _say_warnings(self, names: Iterable[str]) -> None:
        """Say what the stages that this run made warn of, where no summary does."""
        for name in names:
            if (
                name in self._executed
                and name not in self._failed
                and (record := self.build.known(self.jobs[name]).record)
            ):
                for text in record.warnings:
                    self._view.warn(f"{name}: {text}")

    def _jobs_of(self, experiment: str) -> list[Job]:
        return [job for job in self.jobs.values() if job.experiment == experiment]

    def _made(self, jobs: Iterable[Job]) -> list[tuple[Job, Record]]:
        """Return the jobs whose results are in place, with these."""
        states = [(job, self.build.known(job)) for job in jobs]
        return [(job, state.record) for job, state in states if state.in_place and state.record]


def _needed(tasks: Mapping[str, Task], selected: list[str]) -> list[str]:
    """Return the names of the selected tasks and all they depend on, each after what it needs."""
    found: dict[str, None] = {}

    def visit(name: str) -> None:
        if name not in found:
            for need in tasks[name].task_dep:
                visit(need)
            found[name] = None

    for name in selected:
        visit(name)
    return list(found)
