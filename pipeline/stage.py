"""What a stage declares of itself, what it is given and what it returns.

A stage is a pure function: its part of the experiment, the results that it reads, its own sources and the versions of
its tools go in, one folder of results comes out. All that is known of one stands in its file in ``pipeline/stages/``.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from pipeline.metrics import Metric

Config = TypeVar("Config")
"""A struct with a field for each section of the experiment that a stage reads; ``target`` is one of the targets."""


@dataclass(frozen=True, kw_only=True)
class Work(Generic[Config]):
    """All that a stage may know. It writes its artefacts into ``into`` and nowhere else."""

    config: Config
    """Its part of the experiment."""
    inputs: Mapping[str, Path]
    """What it needs -> the folder of the result that provides it."""
    into: Path
    """An empty folder; every file left in it is an output."""
    report: Callable[..., None]
    """Append a progress event; use ``Work.progress``, which is never too often."""

    def progress(self, done: int, total: int, **facts: float | str) -> None:
        """Say how far the work is, at most ten times a second and always at the end."""
        now = time.monotonic()
        if done < total and now - _last_report.get("time", 0.0) < _PROGRESS_SECONDS:
            return
        _last_report["time"] = now
        self.report(done=done, total=total, **facts)


_PROGRESS_SECONDS = 0.1
_last_report: dict[str, float] = {}


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a stage found out about its result."""

    metrics: Mapping[str, Any]
    """Metric -> value of a JSON type; None needs a reason in ``unavailable``."""
    unavailable: Mapping[str, str] = field(default_factory=dict)
    basis: Mapping[str, str] = field(default_factory=dict)
    """Metric -> ``measured`` (a clock, an accuracy), ``estimated`` (Vela) or ``emulated``."""
    warnings: Sequence[str] = ()
    """Sentences for whoever relies on the result."""
    stand_in: str | None = None
    """The data set that was used because the one asked for could not be had."""


@dataclass(frozen=True, kw_only=True)
class Stage(Generic[Config]):
    """A kind of result. Declared in a module of ``pipeline.stages`` that loads libraries only when it makes one."""

    name: str
    """Of its tasks and folders. Stages of one name make the same kind of result, in different ways: an experiment has
    the one whose sections it has."""
    summary: str
    config: type[Config]
    """The sections of the experiment that it reads; nothing else in the file can make it stale. An experiment that
    lacks one of them, or has another kind of it, does not have the stage."""
    make: Callable[[Work[Config]], Found]
    needs: tuple[str, ...] = ()
    """What it reads, as others provide it. Where nobody does, an experiment does not have the stage."""
    provides: str = ""
    """What others need it for; its name by default. Of several stages that provide the same, the last one wins: who
    needs what it provides itself takes it from the one before."""
    metrics: tuple[Metric, ...] = ()
    """What it finds out, in the order in which tables show it."""
    tools: tuple[str, ...] = ()
    """Distributions whose versions matter to the result."""
    on_crash: str = ""
    """What the user should know when the process dies of a segmentation fault."""

    def __post_init__(self) -> None:
        """Let a stage provide what it is called."""
        object.__setattr__(self, "provides", self.provides or self.name)

    @property
    def module(self) -> str:
        """Return the dotted name of the module that declares it."""
        return self.make.__module__

    @property
    def sections(self) -> tuple[str, ...]:
        """Return the names of the sections that it reads."""
        return tuple(self.config.__annotations__)

    @property
    def per_target(self) -> bool:
        """Tell whether it is made once for each target, and not once for the experiment."""
        return "target" in self.sections
