"""What compressing the weights pays back: an experiment against its twin, the same without ``[compress]``.

The twin (``pipeline.experiments.twin``) is an experiment like any other, except that it has no file. Its stages are
built, or restored, since their keys are those of any experiment with these settings: where ``mnist-gru`` was built,
the twin of ``mnist-gru-fast`` costs nothing. Hence every number before is of a model that was really made, measured
and compiled.
"""

from collections.abc import Sequence

import msgspec

from pipeline.engine.job_graph import Job
from pipeline.engine.results.record import Record
from pipeline.metrics import Metric
from pipeline.text import tables
from pipeline.views.accuracies import headline, score, scored_record

CAVEAT = (
    "Vela charges compressed weights only as bandwidth: what a target does not wait for, it does not gain, and"
    " silicon may differ either way"
)


class Payback(msgspec.Struct, frozen=True, kw_only=True):
    """One target: what the model costs and how accurate it is, before and now."""

    target: str
    metrics: tuple[Metric, ...]
    """What is compared: the quantized model's score, and what compressing the weights is meant to save."""
    before: dict[str, float]
    """Name of a metric -> its value without ``[compress]``, where it is known."""
    now: dict[str, float]

    @property
    def gains_cycles(self) -> bool:
        """Tell whether compressing saves cycles on this target."""
        if "cycles_total" not in self.now or "cycles_total" not in self.before:
            return False
        return 1 - self.now["cycles_total"] / max(self.before["cycles_total"], 1) >= tables.WORTH_SAYING


Made = Sequence[tuple[Job, Record]]
"""Jobs of one experiment, each with its result."""


def paybacks(made: Made, twins: Made) -> list[Payback]:
    """Compare every target that both have a result for, if both have a score."""
    scored = [scored_record(record for _, record in results) for results in (twins, made)]
    if any(record is None or score(record.metrics) is None for record in scored):
        return []
    before, now = ([(headline(record.metrics), record)] for record in scored if record)
    compiled = {job.target: (job, record) for job, record in twins if job.compiles}
    return [
        Payback(
            target=job.target,
            metrics=tuple(metric for metric, _ in [*now, *_saved(job, record)]),
            before=_values([*before, *_saved(*compiled[job.target])]),
            now=_values([*now, *_saved(job, record)]),
        )
        for job, record in made
        if job.compiles and job.target and job.target in compiled
    ]


def _saved(job: Job, record: Record) -> list[tuple[Metric, Record]]:
    return [(metric, record) for metric in job.stage.metrics if metric.of_weights]


def _values(metrics: Sequence[tuple[Metric, Record]]) -> dict[str, float]:
    values = {metric.name: metric.of(record.metrics) for metric, record in metrics}
    return {name: value for name, value in values.items() if value is not None}


HEADER = ("", "before", "now", "gain", "")


def cells(payback: Payback) -> list[tuple[str, ...]]:
    """Return the payback on one target as text, under ``HEADER``."""
    both = [metric for metric in payback.metrics if metric.name in payback.before and metric.name in payback.now]
    return [
        (
            metric.title,
            metric.quantity.show(payback.before[metric.name]),
            metric.quantity.show(payback.now[metric.name]),
            _gain(metric, payback.before[metric.name], payback.now[metric.name]),
            metric.basis,
        )
        for metric in both
    ]


def rows(found: Sequence[Payback]) -> list[tuple[str, str, str]]:
    """Return the payback as rows of a summary: name, value, what kind of number it is."""
    table = [
        (f"{each.target}: {name} before, now", f"{before} -> {now} ({gain})", basis)
        for each in found
        for name, before, now, gain, basis in cells(each)
    ]
    return [*table, *(("payback", sentence, "") for sentence in sentences(found))]


def sentences(found: Sequence[Payback]) -> list[str]:
    """Say where compressing gains no cycles, and what no number here can tell."""
    if not found:
        return []
    idle = ", ".join(each.target for each in found if "cycles_total" in each.now and not each.gains_cycles)
    nothing = (
        f"it gains no cycles on {idle}, which does not wait for weights (so it is with constants in SRAM, Sram_Only,"
        " on a U55 or U65); bytes are all that it saves there"
    )
    return [nothing, CAVEAT] if idle else [CAVEAT]


def _gain(metric: Metric, before: float, now: float) -> str:
    if metric.better == "more":
        return metric.quantity.difference(before, now)
    if not now or not before or round(before / now, 2) == 1:
        return "="
    fewer = metric.quantity.fewer
    return f"{tables.times(before / now)} {fewer}" if before >= now else f"{tables.times(now / before)} more"
