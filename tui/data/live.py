"""The run that is going on, and the last word of every stage, folded from ``build/events.jsonl``."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from pipeline.engine.events import job_name, said

MOST_POINTS = 2000
"""Points of a training curve that are kept."""
STAGE_EVENTS = tuple(f"stage_{kind}" for kind in ("started", "progress", "done", "restored", "failed"))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stage is, and how it came there."""

    done: int
    total: int
    time: float
    began: tuple[int, float] | None = None
    """Done and time of the first report, from which the rate is taken."""
    report: tuple[tuple[str, Any], ...] = ()
    """What the stage says of itself: epoch, loss, accuracy."""
    losses: tuple[float, ...] = ()
    accuracies: tuple[float, ...] = ()

    @property
    def share(self) -> float:
        """What is done of 1."""
        return self.done / self.total if self.total else 0.0

    def remaining(self, now: float) -> float | None:
        """Return the seconds still to go at the rate so far, or None while that is unknown."""
        if self.began is None or self.done <= self.began[0] or self.time <= self.began[1]:
            return None
        rate = (self.done - self.began[0]) / (self.time - self.began[1])
        return max((self.total - self.done) / rate - (now - self.time), 0.0)


@dataclass(frozen=True, slots=True)
class Latest:
    """The last that was heard of a stage."""

    kind: str
    """``running done restored failed stopped``."""
    run: str
    time: float
    started: float
    reasons: tuple[str, ...] = ()
    progress: Progress | None = None
    message: str = ""
    log: str = ""
    ended: str | None = None
    """How its process ended, if it failed: ``exit code 1``, ``signal SIGSEGV``."""


@dataclass(frozen=True, slots=True)
class Run:
    """One doit that had something to do."""

    id: str
    pid: int
    host: str
    command: tuple[str, ...]
    plan: tuple[str, ...]
    """Jobs it was asked for, each after those it needs."""
    started: float
    ended: float | None = None
    failed: tuple[str, ...] = ()


class Live:
    """Folds events; those it does not know are passed over, so that a newer build may say more."""

    def __init__(self) -> None:
        """Have heard nothing."""
        self.run: Run | None = None
        self.latest: dict[str, Latest] = {}

    def take(self, events: Iterable[dict[str, Any]]) -> bool:
        """Fold events in their order; return whether there was any."""
        taken = False
        for event in events:
            taken = True
            try:
                self._take(event)
            except (KeyError, TypeError, ValueError, OverflowError):
                continue  # not written by us
        return taken

    def _take(self, event: dict[str, Any]) -> None:
        if event["event"] == "run_started":
            self.run = Run(
                id=str(event["run"]),
                pid=_process_number(event["pid"]),
                host=str(event.get("host", "")),
                command=tuple(map(str, event["command"])),
                plan=tuple(map(str, event.get("plan", ()))),
                started=float(event["time"]),
            )
        elif event["event"] == "run_ended":
            if self.run and self.run.id == event["run"]:
                self.run = replace(self.run, ended=float(event["time"]), failed=tuple(map(str, event["failed"])))
        elif event["event"] in STAGE_EVENTS:
            name = job_name(event)
            self.latest[name] = self._stage(event, self.latest.get(name))

    def _stage(self, event: dict[str, Any], before: Latest | None) -> Latest:
        kind = event["event"].removeprefix("stage_")
        time, run = float(event["time"]), str(event["run"])
        if kind == "started":
            return Latest("running", run, time, time, reasons=tuple(event["reasons"]))
        same = before if before and before.run == run else Latest("running", run, time, time)
        if kind == "progress":
            return replace(same, time=time, progress=_advanced(same.progress, event))
        if kind == "failed":
            message = str(event["message"])
            kind = "stopped" if message == "stopped" else "failed"
            return replace(same, kind=kind, time=time, message=message, log=str(event["log"]), ended=event.get("ended"))
        return replace(same, kind=kind, time=time)


def _process_number(field: Any) -> int:
    """Return a number that a signal may be sent to: 0 and below would be a whole group, or everything."""
    number = int(field)
    if number <= 0:
        raise ValueError
    return number


def _advanced(before: Progress | None, event: dict[str, Any]) -> Progress:
    done, total, time = int(event["done"]), int(event["total"]), float(event["time"])
    losses = before.losses if before else ()
    accuracies = before.accuracies if before else ()
    return Progress(
        done=done,
        total=total,
        time=time,
        began=(before.began if before else None) or (done, time),
        report=tuple(said(event)),
        losses=(*losses, float(event["loss"]))[-MOST_POINTS:] if "loss" in event else losses,
        accuracies=(*accuracies, float(event["accuracy"]))[-MOST_POINTS:] if "accuracy" in event else accuracies,
    )
