"""The graph: the jobs that an experiment asks for, and what each one needs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from pipeline.experiments.schema import AnyExperiment, Imported
from pipeline.folders import BUILD, LOGS
from pipeline.stages.catalogue import COMPRESSED, IMPORTED, STAGES, Stage


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One stage of one experiment and, where the stage is made for each target, of one of those."""

    stage: Stage
    experiment: str
    target: str | None
    config: Mapping[str, Any]
    """The part of the experiment that the stage reads, defaults filled in."""
    needs: tuple["Job", ...]
    name: str
    """The doit task: ``<stage>:<experiment>[:<target>]``."""
    link: Path
    """Where its result shows: ``build/<experiment>/<stage>[/<target>]`` in the project's root."""
    root: Path = Path()
    """Of the project; paths in ``config`` start from there."""

    @property
    def compiles(self) -> bool:
        """Whether it is Vela's, whose numbers say what a target costs."""
        return self.stage.name == "vela"

    @property
    def verifies(self) -> bool:
        """Whether its result says what is proved of a compiled file."""
        return self.stage.name == "verify"

    @property
    def log(self) -> Path:
        """What its process last wrote to stdout and stderr."""
        return self.root / self.shown_log

    @property
    def shown_log(self) -> Path:
        """The log's path as users know it, from the project's root."""
        return LOGS / f"{self.name.replace(':', '.')}.log"

    @property
    def shown_link(self) -> Path:
        """The link's path as users know it, from the project's root."""
        return self.link.relative_to(self.root)


def stages(experiment: AnyExperiment) -> Mapping[str, Stage]:
    """Return the stages that an experiment asks for."""
    if isinstance(experiment, Imported):
        return IMPORTED
    return {name: stage for name, stage in STAGES.items() if name != COMPRESSED or experiment.compress is not None}


def jobs(
    name: str,
    experiment: AnyExperiment,
    folder: Path | None = None,
    given: Mapping[str, Job] | None = None,
    root: Path = Path(),
) -> list[Job]:
    """Return the jobs of an experiment, each after those it needs.

    Without ``[compress]`` there is no job ``compressed``; with it, what reads the trained weights reads its weights.

    Args:
        name: of the experiment.
        experiment: all its choices.
        folder: where its results show; ``build/<name>`` by default.
        given: stages whose job is another experiment's, by name; they are not among those returned.
        root: of the project.

    """
    asked = stages(experiment)
    made: dict[tuple[str, str | None], Job] = {(stage, None): job for stage, job in (given or {}).items()}
    shown_in = str(folder or root / BUILD / name)
    found = []
    for stage in (stage for stage in asked.values() if stage.name not in (given or {})):
        for target, config in _configs(stage, experiment):
            needs = tuple(made[need, target if asked[need].per_target else None] for need in _needs(stage, made))
            words = [stage.name, name, target] if target else [stage.name, name]
            link = Path("/".join([shown_in, stage.name, *words[2:]]))
            job = Job(
                stage=stage,
                experiment=name,
                target=target,
                config=config,
                needs=needs,
                name=":".join(words),
                link=link,
                root=root,
            )
            made[stage.name, target] = job
            found.append(job)
    return found


def _needs(stage: Stage, made: Mapping[tuple[str, str | None], Job]) -> Sequence[str]:
    """Return the stages that a stage needs; the compressed weights, if there are any, take the place of ``weights``."""
    if (COMPRESSED, None) not in made:
        return stage.needs
    replaced = tuple(COMPRESSED if need == "weights" else need for need in stage.needs)
    return (*replaced, COMPRESSED) if stage.name == "quantized" else replaced


def _configs(stage: Stage, experiment: AnyExperiment) -> list[tuple[str | None, dict[str, Any]]]:
    """Return what a stage reads of an experiment: once, or once for each target."""
    sections = {section: getattr(experiment, section).as_dict() for section in stage.sections if section != "vela"}
    if not stage.per_target:
        return [(None, sections)]
    return [(name, {**target.as_dict(), **sections}) for name, target in experiment.vela.targets.items()]
