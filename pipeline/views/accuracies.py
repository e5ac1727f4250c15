"""The ladder of accuracies: float, quantized, TensorFlow Lite Micro, and the compiled file of every target."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from pipeline.engine.job_graph import Job
from pipeline.engine.results.record import Record

MICRO, COMPILED = "TFLite Micro", "compiled"
OF_ACCURACY: Mapping[str, str] = {
    "float_accuracy": "float",
    "int8_accuracy": "int8",
    "int16_accuracy": "int16",
    "micro_accuracy": MICRO,
}
"""Metrics of the accuracy stage, and the names of their rungs."""


class Rung(msgspec.Struct, frozen=True, kw_only=True):
    """One step from the trained network to what runs on the NPU."""

    name: str
    metric: str
    accuracy: float | None
    """None when it could not be had."""
    samples: int
    basis: str
    """``measured`` or ``emulated``."""
    reason: str = ""
    """Why there is no accuracy."""

    def difference(self, first: "Rung") -> float | None:
        """Return how far it is above (or below) another rung as a share of 1; None where they can't be compared."""
        if self.accuracy is None or first.accuracy is None or self.samples != first.samples:
            return None
        return self.accuracy - first.accuracy


def ladder(made: Iterable[tuple[Job, Record | None]]) -> list[Rung]:
    """Return every rung that the stages of an experiment report, in their order; none before there is an accuracy."""
    pairs = [(job, record) for job, record in made if job.stage.name in {"accuracy", "verify"}]
    targets = sum(job.stage.name == "verify" for job, _ in pairs)
    rungs = list(_rungs(pairs, several=targets > 1))
    return rungs if any(rung.accuracy is not None for rung in rungs) else []


def measured(accuracy: Record) -> list[Rung]:
    """Return the rungs that the accuracy stage reports."""
    samples = accuracy.metrics["test_samples"]
    return [
        _rung(name, metric, accuracy, samples) for metric, name in OF_ACCURACY.items() if metric in accuracy.metrics
    ]


def _rungs(pairs: Iterable[tuple[Job, Record | None]], *, several: bool) -> Iterator[Rung]:
    for job, record in pairs:
        if job.stage.name == "accuracy":
            yield from measured(record) if record else []
            continue
        name = f"{COMPILED} for {job.target}" if several else COMPILED
        if record is None:
            reason = "not verified yet"
            yield Rung(name=name, metric="compiled_accuracy", accuracy=None, samples=0, basis="emulated", reason=reason)
        else:
            yield _rung(name, "compiled_accuracy", record, record.metrics.get("emulated_samples") or 0)


def _rung(name: str, metric: str, record: Record, samples: int) -> Rung:
    value: Any = record.metrics.get(metric)
    return Rung(
        name=name,
        metric=metric,
        accuracy=value,
        samples=samples,
        basis=record.basis.get(metric, ""),
        reason=record.unavailable.get(metric, ""),
    )
