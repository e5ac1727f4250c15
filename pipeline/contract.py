"""What a stage is given and what it returns."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Work:
    """All that a stage may know. It writes its artefacts into ``into`` and nowhere else."""

    config: Mapping[str, Any]
    """Its part of the experiment."""
    inputs: Mapping[str, Path]
    """Stage name -> the folder of its result."""
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
