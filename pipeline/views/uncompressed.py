"""What compressing the weights pays back: an experiment against its twin, the same without ``[compress]``.

The twin (``pipeline.experiments.twin``) is an experiment like any other, except that it has no file. Its stages are
built, or restored, since their keys are those of any experiment with these settings: where ``mnist-gru`` was built,
the twin of ``mnist-gru-fast`` costs nothing. Hence every number before is of a model that was really made, measured
and compiled.
"""

from collections.abc import Mapping, Sequence

import msgspec

from pipeline.engine.job_graph import Job
from pipeline.engine.results.record import Record
from pipeline.text import tables
from pipeline.views.summary import quantized_accuracy

WORTH_SAYING = 0.02
"""A gain below this share of the cycles is called none."""
CAVEAT = (
    "Vela charges compressed weights only as bandwidth: what a target does not wait for, it does not gain, and"
    " silicon may differ either way"
)


class Payback(msgspec.Struct, frozen=True, kw_only=True):
    """One target: what the model costs and how accurate it is, before and now."""

    target: str
    before: dict[str, float]
    """``accuracy`` (of the quantized model), and of ``COMPARED`` what Vela found, without ``[compress]``."""
    now: dict[str, float]

    @property
    def gains_cycles(self) -> bool:
        """Tell whether compressing saves cycles on this target."""
        if "cycles_total" not in self.now or "cycles_total" not in self.before:
            return False
        return 1 - self.now["cycles_total"] / max(self.before["cycles_total"], 1) >= WORTH_SAYING


COMPARED: Mapping[str, tuple[str, str, str]] = {
    "accuracy": ("accuracy", "", "measured"),
    "encoded_weight_bytes": ("encoded weights", "smaller", "estimated"),
    "flash_bytes": ("flash", "smaller", "measured"),
    "cycles_total": ("cycles", "fewer", "estimated"),
    "inference_ms": ("inference", "faster", "estimated"),
}
"""Metric -> its name, how a gain is said, and what kind of number it is."""


Made = Sequence[tuple[Job, Record]]
"""Jobs of one experiment, each with its result."""


def paybacks(made: Made, twins: Made) -> list[Payback]:
    """Compare every target that both have a result for, if both have an accuracy."""
    accuracies = [record for results in (twins, made) for _, record in results if record.stage == "accuracy"]
    if len(accuracies) < 2:  # noqa: PLR2004 - of both
        return []
    before, now = ({"accuracy": quantized_accuracy(record.metrics)} for record in accuracies)
    compiled = {job.target: record for job, record in twins if job.compiles}
    return [
        Payback(
            target=job.target,
            before=before | _costs(compiled[job.target]),
            now=now | _costs(record),
        )
        for job, record in made
        if job.compiles and job.target and job.target in compiled
    ]


def _costs(record: Record) -> dict[str, float]:
    return {name: record.metrics[name] for name in COMPARED if record.metrics.get(name) is not None}


HEADER = ("", "before", "now", "gain", "")


def cells(found: Payback) -> list[tuple[str, ...]]:
    """Return the payback on one target as text, under ``HEADER``."""
    return [
        (name, _shown(metric, found.before[metric]), _shown(metric, found.now[metric]), _gain(metric, found), basis)
        for metric, (name, _, basis) in COMPARED.items()
        if metric in found.before and metric in found.now
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


def _shown(metric: str, value: float) -> str:
    if metric == "accuracy":
        return tables.percent(value)
    if metric == "inference_ms":
        return f"{tables.milliseconds(value)} ms"
    return tables.kib(value) if metric.endswith("bytes") else f"{value:,.0f}"


def _gain(metric: str, found: Payback) -> str:
    before, now = found.before[metric], found.now[metric]
    if metric == "accuracy":
        return tables.points(100 * (now - before))
    if not now or not before or round(before / now, 2) == 1:
        return "="
    return (
        f"{tables.times(before / now)} {COMPARED[metric][1]}" if before >= now else f"{tables.times(now / before)} more"
    )
