"""The ladder of scores: float, quantized, TensorFlow Lite Micro, and the compiled file of every target."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from pipeline import tasks
from pipeline.engine.job_graph import Job
from pipeline.engine.results.record import Record
from pipeline.metrics import SCORES, Metric
from pipeline.tasks.task import TITLES, scored
from pipeline.text.quantities import POINTS

Metrics = Mapping[str, Any]
"""The metrics of a result, as ``stage.json`` holds them."""
FLOAT, QUANTIZED = "float", "quantized"

DROP = Metric(
    name="accuracy_drop",
    title="accuracy drop",
    quantity=POINTS,
    basis="measured",
    better="less",
    budget="accuracy_drop_max",
)
"""By how much quantized is below float."""
COMPRESSION_DROP = Metric(
    name="compression_drop",
    title="compression drop",
    quantity=POINTS,
    basis="measured",
    better="less",
    budget="compression_drop_max",
)
"""By how much quantized is below that without ``[compress]``."""


class Rung(msgspec.Struct, frozen=True, kw_only=True):
    """One step from the trained network to what runs on the NPU."""

    name: str
    """``float``, ``int8``, ``TFLite Micro``, ``compiled for u55-128``."""
    metric: Metric
    """The task's headline, as this form of the model has it."""
    score: float | None
    """None when it could not be had."""
    samples: int
    basis: str
    """``measured`` or ``emulated``."""
    reason: str = ""
    """Why there is no score."""

    @property
    def shown(self) -> str:
        """Return the score as text, or a dash."""
        return self.metric.cell(self.score)

    def beside(self, first: "Rung") -> str:
        """Say how far it is above or below another rung; nothing where it is that one, or they can't be compared."""
        if self is first or self.score is None or first.score is None or self.samples != first.samples:
            return ""
        return self.metric.quantity.difference(first.score, self.score)


def ladder(results: Iterable[tuple[Job, Record | None]]) -> list[Rung]:
    """Return every rung that the stages of an experiment report, in their order; none before there is a score."""
    pairs = [(job, record) for job, record in results if scores_of(job)]
    targets = sum(job.target is not None for job, _ in pairs)
    rungs = [rung for job, record in pairs for rung in _rungs(job, record, several=targets > 1)]
    return rungs if any(rung.score is not None for rung in rungs) else []


def scores_of(job: Job) -> list[Metric]:
    """Return the scores that a job's result tells of the forms that are deployed."""
    return [metric for metric in job.stage.metrics if metric.name.startswith(f"{SCORES}.") and not metric.detail]


def _rungs(job: Job, record: Record | None, *, several: bool) -> Iterator[Rung]:
    for metric in scores_of(job):
        form = metric.name.split(".")[1]
        metrics = record.metrics if record else {}
        name = f"{TITLES[form]} for {job.target}" if several and job.target else name_of(form, metrics)
        if record is None and job.target:
            yield Rung(name=name, metric=metric, score=None, samples=0, basis=metric.basis, reason="not verified yet")
        elif record and (job.target or form in _forms(metrics)):
            yield _rung(name, metric, record)


def _rung(name: str, metric: Metric, record: Record) -> Rung:
    samples = record.metrics.get("emulated_samples" if record.target else "test_samples") or 0
    return Rung(
        name=name,
        metric=metric,
        score=metric.of(record.metrics),
        samples=samples,
        basis=metric.basis,
        reason=metric.why_not(record.unavailable) or "",
    )


def _forms(metrics: Metrics) -> Mapping[str, Any]:
    forms = metrics.get(SCORES)
    return forms if isinstance(forms, Mapping) else {}


def name_of(form: str, metrics: Metrics) -> str:
    """Return what a form of a model is called; the quantized one goes by what its activations are stored in."""
    return str(metrics.get("activations", "int8")) if form == QUANTIZED else TITLES[form]


def scored_record(records: Iterable[Record | None]) -> Record | None:
    """Return the record that tells the scores of an experiment, or why there are none: its last one that does."""
    return next((record for record in reversed(list(records)) if record and QUANTIZED in _forms(record.metrics)), None)


def headline(metrics: Metrics, form: str = QUANTIZED) -> Metric:
    """Return the metric that tells how good a form of a model is, given the metrics of a result with scores."""
    return scored(form, tasks.of_result(metrics), "measured")


def score(metrics: Metrics, form: str = QUANTIZED) -> float | None:
    """Return how good a form of a model is; None where that could not be had."""
    return headline(metrics, form).of(metrics)


def why_no_score(record: Record) -> str:
    """Return why the quantized model has no score."""
    return headline(record.metrics).why_not(record.unavailable) or ""


def drop(metrics: Metrics) -> float | None:
    """Return by how many percentage points the quantized model is below float; negative when it is above.

    Rounded to far less than one sample: 98.25 - 97.75 is a limit's 0.5, though not in binary fractions.
    """
    return drop_between(score(metrics, FLOAT), score(metrics))


def drop_between(before: float | None, now: float | None) -> float | None:
    """Return by how many percentage points a share of 1 fell; None where one of them is not known."""
    return None if before is None or now is None else round(100 * (before - now), 9)


def beside_float(metrics: Metrics) -> str:
    """Say how far the quantized model is above or below float; empty where that is not known."""
    before, now = score(metrics, FLOAT), score(metrics)
    return "" if before is None or now is None else headline(metrics).quantity.difference(before, now)
