"""The graph: the jobs that an experiment asks for, and what each one needs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, get_type_hints

from pipeline.experiments.schema import AnyExperiment
from pipeline.folders import BUILD, LOGS
from pipeline.section import OwnFile, Section, own_files
from pipeline.stages.catalogue import STAGES, AnyStage


@dataclass(frozen=True, kw_only=True)
class Job:
    """One stage of one experiment and, where the stage is made for each target, of one of those."""

    stage: AnyStage
    experiment: str
    target: str | None
    sections: Mapping[str, Section]
    """What the stage reads of the experiment; ``target`` is one of the targets."""
    needs: Mapping[str, "Job"]
    """What the stage needs -> the job that provides it."""
    name: str
    """The doit task: ``<stage>:<experiment>[:<target>]``."""
    link: Path
    """Where its result shows: ``build/<experiment>/<stage>[/<target>]`` in the project's root."""
    root: Path = Path()
    """Of the project; paths in ``config`` start from there."""

    @cached_property
    def config(self) -> Mapping[str, Mapping[str, Any]]:
        """Return what the stage reads of the experiment as JSON types, defaults filled in."""
        return {title: section.as_dict() for title, section in self.sections.items()}

    @cached_property
    def own_files(self) -> Sequence[OwnFile]:
        """Return the user's own files that the stage reads."""
        return own_files(self.sections, self.root)

    @property
    def compiles(self) -> bool:
        """Whether its numbers say what a target costs."""
        return self.stage.provides == "compiled"

    @property
    def verifies(self) -> bool:
        """Whether its result says what is proved of a compiled file."""
        return self.stage.provides == "verified"

    @property
    def log(self) -> Path:
        """What its process last wrote to stdout and stderr."""
        return self.root / self.shown_log

    @property
    def shown_log(self) -> Path:
        """The log's path as users know it, from the project's root."""
        return LOGS / f"{self.name.replace(':', '.')}.log"

    @property
    def at_hand(self) -> str | None:
        """Name what a stand-in took the place of, if it can be had now."""
        return next(filter(None, (section.at_hand(self.root) for section in self.sections.values())), None)

    @property
    def shown_link(self) -> Path:
        """The link's path as users know it, from the project's root."""
        return self.link.relative_to(self.root)


def jobs(
    name: str,
    experiment: AnyExperiment,
    folder: Path | None = None,
    given: Mapping[str, Job] | None = None,
    root: Path = Path(),
) -> list[Job]:
    """Return the jobs of an experiment, each after those it needs.

    An experiment has the stages whose sections it has and whose needs are provided. Of several that provide the same,
    the last one is read by those after it: what reads a network reads the compressed one, if there is one.

    Args:
        name: of the experiment.
        experiment: all its choices.
        folder: where its results show; ``build/<name>`` by default.
        given: what is provided by another experiment's job; these jobs are not among those returned.
        root: of the project.

    """
    place = str(folder or root / BUILD / name)
    providers: dict[tuple[str, str | None], Job] = {(what, None): job for what, job in (given or {}).items()}
    provided = {what for what, _ in providers}
    made = []
    for stage in STAGES.values():
        if stage.provides in (given or {}) or not provided.issuperset(stage.needs):
            continue
        for target, sections in _sections(stage, experiment):
            needs = {need: providers.get((need, target)) or providers[need, None] for need in stage.needs}
            words = [name, target] if target else [name]
            job = Job(
                stage=stage,
                experiment=name,
                target=target,
                sections=sections,
                needs=needs,
                name=":".join([stage.name, *words]),
                link=Path("/".join([place, stage.name, *words[1:]])),
                root=root,
            )
            providers[stage.provides, target] = job
            provided.add(stage.provides)
            made.append(job)
    return made


def provider(jobs: Sequence[Job], what: str) -> Job:
    """Return the last job that provides something.

    Raises:
        StopIteration: none does.

    """
    return next(job for job in reversed(jobs) if job.stage.provides == what)


def _sections(stage: AnyStage, experiment: AnyExperiment) -> Iterator[tuple[str | None, dict[str, Section]]]:
    """Yield what a stage reads of an experiment: once, or for each target; nothing where that lacks a section."""
    kinds = _kinds(stage)
    shared: dict[str, Section] = {}
    for title, kind in kinds.items():
        section = getattr(experiment, title, None)
        if title != "target" and not isinstance(section, kind):
            return
        if section is not None:
            shared[title] = section
    if not stage.per_target:
        yield None, shared
        return
    yield from ((name, {"target": target, **shared}) for name, target in experiment.vela.targets.items())


@cache
def _kinds(stage: AnyStage) -> Mapping[str, Any]:
    return get_type_hints(stage.config)
