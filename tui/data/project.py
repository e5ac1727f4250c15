"""The project at a glance: every experiment, how its stages stand, and what is going on meanwhile."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.engine import job_graph
from pipeline.engine.job_graph import Job
from pipeline.engine.project import Project
from pipeline.engine.results.record import Record
from pipeline.engine.status import Assessor, State
from pipeline.errors import UnrollError
from pipeline.experiments import experiment
from pipeline.experiments.schema import AnyExperiment
from pipeline.views import budget
from pipeline.views.accuracies import Rung, ladder
from pipeline.views.budget import Verdict
from pipeline.views.uncompressed import Payback, paybacks, with_twin
from tui.data.live import Latest, Live, Run

_JUST_STARTED_SECONDS = 3.0
"""A run that was announced so recently is believed in without a look at the lock."""

_DOWNSTREAM = "downstream of "

FRESH = ("fresh", "restored")
"""States in which a stage needs nothing."""

_Loaded = tuple[list[Job], AnyExperiment, list[Job]] | UnrollError
"""Jobs, document, and the jobs of the same experiment without ``[compress]``."""


@dataclass(frozen=True, slots=True)
class StageStatus:
    """How one stage of one experiment stands."""

    job: Job
    state: str
    """``fresh restored stale waiting running failed``; see ``formats.GLYPHS``."""
    reasons: tuple[str, ...]
    """Why it is stale."""
    record: Record | None
    """The result shown, fresh or not."""
    remembered: bool
    """Stale, but the store can bring its result back."""
    latest: Latest | None
    """The last that was heard of it."""

    @property
    def fresh(self) -> bool:
        """Whether the result shown is the one that its inputs ask for."""
        return self.state in FRESH

    @property
    def note(self) -> str:
        """Say in one line what there is to know beside the state."""
        if self.state == "failed" and self.latest:
            return self.latest.message
        if "never built" in self.reasons:
            parts = ["never built"]
        else:
            parts = [why for why in self.reasons if not why.startswith(_DOWNSTREAM)]
            upstream = [why.removeprefix(_DOWNSTREAM) for why in self.reasons if why.startswith(_DOWNSTREAM)]
            parts += [f"{_DOWNSTREAM}{', '.join(upstream)}"] if upstream else []
        if self.state == "stale" and self.latest and self.latest.kind in {"stopped", "running"}:
            parts.append("stopped before it finished")
        if self.remembered:
            parts.append("remembered: will be restored")
        return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class ExperimentStatus:
    """How one experiment stands."""

    name: str
    description: str
    stages: tuple[StageStatus, ...]
    problem: str | None = None
    """What is wrong with its file; then it has no stages."""
    matrix: Latest | None = None
    """The last that was heard of compiling its matrix."""
    paybacks: tuple[Payback, ...] = ()
    """What compressing the weights pays back on each target, where that is known."""
    verdicts: tuple[Verdict, ...] = ()
    """Every budget of the experiment, held against the results that are shown."""

    @property
    def state(self) -> str:
        """The state that most deserves to be seen."""
        states = {stage.state for stage in self.stages}
        if self.problem:
            return "invalid"
        return next((state for state in ("running", "failed", "waiting", "stale") if state in states), "fresh")

    @property
    def stale(self) -> int:
        """How many stages are not fresh."""
        return sum(not stage.fresh for stage in self.stages)

    @property
    def stand_in(self) -> str | None:
        """The data set that some result used in place of the one asked for."""
        return next((stage.record.stand_in for stage in self.stages if stage.record and stage.record.stand_in), None)

    @property
    def ladder(self) -> list[Rung]:
        """The accuracies from the trained network to what runs on the NPU."""
        return ladder((stage.job, stage.record) for stage in self.stages)

    def stage(self, name: str) -> StageStatus | None:
        """Return a stage by the name of its kind; the first target's, where it is made for each."""
        return next((stage for stage in self.stages if stage.job.stage.name == name), None)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything at one moment."""

    experiments: tuple[ExperimentStatus, ...] = ()
    run: Run | None = None
    """The last run, over or not."""
    running: bool = False
    """Whether that run is going on."""
    project: Project = field(default_factory=Project)

    @property
    def stale(self) -> int:
        """How many stages of all experiments are not fresh."""
        return sum(experiment.stale for experiment in self.experiments)

    def experiment(self, name: str) -> ExperimentStatus | None:
        """Return an experiment by name."""
        return next((experiment for experiment in self.experiments if experiment.name == name), None)

    def stage(self, name: str) -> StageStatus | None:
        """Return a stage by the name of its job."""
        return next((stage for stage in self.stages() if stage.job.name == name), None)

    def stages(self) -> tuple[StageStatus, ...]:
        """Return all stages of all experiments."""
        return tuple(stage for experiment in self.experiments for stage in experiment.stages)

    def next_stage(self) -> StageStatus | None:
        """Return the stage that the run turns to next."""
        waiting = {stage.job.name: stage for stage in self.stages() if stage.state == "waiting"}
        plan = self.run.plan if self.run else ()
        return next((waiting[name] for name in plan if name in waiting), None)


class ProjectWatcher:
    """Watches a project: ``poll`` is cheap and hears of the run, ``assess`` looks at the files."""

    def __init__(self, now: Callable[[], float] = time.time, project: Project | None = None) -> None:
        """Know nothing yet of a project; the one in the current folder by default."""
        self.now = now
        self.project = project or Project()
        self._live = Live()
        self._follower = self.project.events.follow()
        self._assessor = Assessor(self.project)
        self._stamps: dict[str, tuple[int, int]] = {}
        self._loaded: dict[str, _Loaded] = {}
        self._states: dict[str, State] = {}
        self._assessed = 0.0
        self._builder: tuple[str, int] | None = None

    @property
    def assessed(self) -> bool:
        """Whether the files were looked at yet."""
        return self._assessed > 0

    def poll(self) -> bool:
        """Take in the events since the last call; return whether there were any."""
        if not self.project.events.file.exists():
            self._live = Live()  # whoever removes build/ wants to hear no more of it
        return self._live.take(self._follower.new())

    def files_changed(self) -> bool:
        """Tell whether an experiment was edited, added or removed since they were last assessed."""
        return _stamps(self.project.experiments) != self._stamps

    def assess(self) -> None:
        """Look at every experiment, its results, our sources and the tools."""
        began = self.now()
        self._load()
        self._assessor.look_again()
        states: dict[str, State] = {}
        for loaded in self._loaded.values():
            if isinstance(loaded, tuple):
                for job in (*loaded[0], *loaded[2]):
                    states[job.name] = self._assessor.assess(job, states)
        self._states, self._assessed = states, began
        self._builder = self.project.lock.held_by()

    def _load(self) -> None:
        stamps = _stamps(self.project.experiments)
        self._loaded = {
            name: self._loaded[name] if self._stamps.get(name) == stamp else _read(self.project, name)
            for name, stamp in stamps.items()
        }
        self._stamps = stamps

    def snapshot(self) -> Snapshot:
        """Put together what is known."""
        run = self._live.run
        recent = run is not None and self.now() - run.started < _JUST_STARTED_SECONDS
        running = run is not None and run.ended is None and (recent or self._builder == (run.host, run.pid))
        going = run if running else None
        experiments = tuple(self._experiment(name, going) for name in self._loaded)
        return Snapshot(experiments, run, running, self.project)

    def _experiment(self, name: str, going: Run | None) -> ExperimentStatus:
        loaded = self._loaded[name]
        if isinstance(loaded, UnrollError):
            return ExperimentStatus(name, "", (), str(loaded))
        jobs, document, twins = loaded
        stages = tuple(self._stage(job, going) for job in jobs if job.name in self._states)
        heard = self._live.latest.get(f"matrix:{name}")
        if heard and heard.kind == "running" and (going is None or going.id != heard.run):
            heard = None  # whoever said so is gone
        of_twins = self._in_place(twins)
        return ExperimentStatus(
            name,
            document.description,
            stages,
            matrix=heard,
            paybacks=tuple(paybacks(self._in_place(jobs), of_twins)),
            verdicts=_verdicts(document, stages, [record for _, record in of_twins]),
        )

    def _in_place(self, jobs: list[Job]) -> list[tuple[Job, Record]]:
        """Return the jobs whose results are in place, with these."""
        states = [(job, self._states[job.name]) for job in jobs if job.name in self._states]
        return [(job, state.record) for job, state in states if state.in_place and state.record]

    def _stage(self, job: Job, going: Run | None) -> StageStatus:
        state, latest = self._states[job.name], self._live.latest.get(job.name)
        word = self._word(job, state, latest, going)
        fresh = word in FRESH
        return StageStatus(
            job=job,
            state=word,
            reasons=() if fresh else state.reasons,
            record=state.record,
            remembered=state.remembered and not fresh,
            latest=latest,
        )

    def _word(self, job: Job, state: State, latest: Latest | None, going: Run | None) -> str:
        finished = latest is not None and latest.kind in {"done", "restored"}
        fresh = state.fresh or (finished and latest is not None and latest.time > self._assessed)
        of_this_run = latest is not None and going is not None and latest.run == going.id
        if of_this_run and latest and latest.kind == "running":
            return "running"
        if fresh:
            return "restored" if latest and latest.kind == "restored" else "fresh"
        if latest and latest.kind == "failed" and (going is None or of_this_run or job.name not in going.plan):
            return "failed"
        return "waiting" if going and job.name in going.plan and not of_this_run else "stale"


def _stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """Return a mark of each experiment's file that changes with its content."""
    stamps: dict[str, tuple[int, int]] = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            stat = path.stat()
        except OSError:
            continue  # removed this very moment
        stamps[path.stem] = (stat.st_ctime_ns, stat.st_size)
    return stamps


def _verdicts(document: AnyExperiment, stages: Sequence[StageStatus], twins: Sequence[Record]) -> tuple[Verdict, ...]:
    results = [(stage.job, stage.record) for stage in stages if stage.record]
    jobs, records = [job for job, _ in results], [record for _, record in results]
    return tuple(budget.verdicts(document.budget, jobs, records, twins))


def _read(project: Project, name: str) -> _Loaded:
    try:
        document = experiment.load(name, project.experiments)
    except UnrollError as error:
        return error
    pair = with_twin(name, document)
    jobs, *twins = (job_graph.jobs(*each, root=project.root) for each in pair)
    return jobs, document, [job for twin in twins for job in twin]
