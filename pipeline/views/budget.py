"""What a result may cost against what it costs: one verdict for each budget of an experiment."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from pipeline.engine.job_graph import Job
from pipeline.engine.results.record import Record
from pipeline.experiments.schema import Budget
from pipeline.text import tables
from pipeline.text.tables import percent
from pipeline.views.summary import (
    accuracy_drop,
    accuracy_record,
    has_accuracy,
    quantized_accuracy,
    quantized_rung,
    why_no_accuracy,
)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One budget, held against one value."""

    budget: str
    """Its key in ``[budget]``."""
    target: str | None
    """The target it was held against; None for what all targets share."""
    allowed: float
    value: float | None
    """None when it could not be had."""
    margin: float | None
    """What is left, in the unit of the budget; negative when it is exceeded."""
    passed: bool
    basis: str
    """``measured`` or ``estimated``."""
    unavailable: str | None = None
    """Why there is no value."""
    not_counted: str | None = None
    """What the value leaves out."""


class Limit(NamedTuple):
    """What a budget limits, and how it is said."""

    metric: str
    show: Callable[[float], str]
    at_least: bool = False


def _size(size: float) -> str:
    return f"{size:,.0f} B"


def _points(points: float) -> str:
    return tables.points(points).lstrip("+")


LIMITS: Mapping[str, Limit] = {
    "accuracy_min": Limit("accuracy", percent, at_least=True),
    "accuracy_drop_max": Limit("accuracy_drop", _points),
    "compression_drop_max": Limit("compression_drop", _points),
    "cycles_max": Limit("cycles_total", lambda cycles: f"{cycles:,.0f} cycles"),
    "inference_ms_max": Limit("inference_ms", lambda ms: f"{tables.exact(ms)} ms"),
    "sram_max": Limit("sram_bytes", _size),
    "flash_max": Limit("flash_bytes", _size),
    "cpu_operators_max": Limit("cpu_operators", lambda count: f"{count:,.0f} on the CPU"),
}
"""Key of ``[budget]`` -> what it limits; a test compares the keys with the schema's."""

OF_ACCURACY = ("accuracy_min", "accuracy_drop_max", "compression_drop_max")
OF_SAMPLES = ("accuracy", "accuracy_drop", "compression_drop")


def verdicts(
    budget: Budget, jobs: Sequence[Job], records: Sequence[Record], twins: Sequence[Record] = ()
) -> list[Verdict]:
    """Hold every budget of an experiment against the results of its jobs, each target by itself.

    ``twins`` are the results of the same experiment without ``[compress]``.
    """
    return list(_verdicts(budget, jobs, records, twins))


def _verdicts(
    budget: Budget, jobs: Sequence[Job], records: Sequence[Record], twins: Sequence[Record]
) -> Iterator[Verdict]:
    for name in LIMITS:
        allowed = getattr(budget, name)
        if allowed is None:
            continue
        if name in OF_ACCURACY:
            yield _verdict(name, allowed, None, accuracy_record(records), accuracy_record(twins))
        else:
            pairs = zip(jobs, records, strict=True)
            yield from (_verdict(name, allowed, job.target, record) for job, record in pairs if job.compiles)


def _verdict(
    name: str, allowed: float, target: str | None, record: Record | None, dense: Record | None = None
) -> Verdict:
    limit = LIMITS[name]
    value = _value(limit.metric, record, dense)
    margin = None if value is None else (value - allowed if limit.at_least else allowed - value)
    why = None
    if record:
        why = why_no_accuracy(record) if name in OF_ACCURACY else record.unavailable.get(limit.metric)
    return Verdict(
        budget=name,
        target=target,
        allowed=allowed,
        value=value,
        margin=margin,
        passed=margin is not None and margin >= 0,
        basis=_basis(limit.metric, record),
        unavailable=None if value is not None else why or _why(limit.metric),
        not_counted=_not_counted(limit.metric, record) if value is not None else None,
    )


def _not_counted(metric: str, record: Record | None) -> str | None:
    """Say that what runs on the CPU is in no cycles of Vela's."""
    on_cpu = record.metrics.get("cpu_operators") if record and metric in ("cycles_total", "inference_ms") else None
    if not on_cpu:
        return None
    return f"without the {on_cpu:,} on the CPU"


def _why(metric: str) -> str:
    if metric == "compression_drop":
        return "there is no result without [compress] to compare with"
    return f"the result has no {metric}"


def _value(metric: str, record: Record | None, dense: Record | None) -> float | None:
    found: Mapping[str, Any] = record.metrics if record else {}
    if metric not in OF_SAMPLES:
        value: float | None = found.get(metric)
        return value
    if not has_accuracy(found):
        return None
    if metric == "accuracy":
        return quantized_accuracy(found)
    if metric == "compression_drop":
        before = None if dense is None else quantized_accuracy(dense.metrics)
        return None if before is None else round(100 * (before - quantized_accuracy(found)), 9)
    return accuracy_drop(found)


def _basis(metric: str, record: Record | None) -> str:
    if record and metric in OF_SAMPLES:
        metric = f"{quantized_rung(record.metrics)}_accuracy"
    return record.basis.get(metric, "estimated") if record else "measured"


HEADER = ("budget", "target", "allowed", "is", "margin", "", "")


def cells(verdict: Verdict) -> tuple[str, ...]:
    """Return a verdict as text, under ``HEADER``."""
    limit = LIMITS[verdict.budget]
    sign = "at least" if limit.at_least else "at most"
    is_ = "-" if verdict.value is None else limit.show(verdict.value)
    margin = "-" if verdict.margin is None else _margin(verdict, limit)
    word = "ok" if verdict.passed else "NOT KNOWN" if verdict.value is None else "FAILED" if limit.at_least else "OVER"
    allowed = f"{sign} {limit.show(verdict.allowed)}"
    basis = ", ".join(filter(None, [verdict.unavailable or verdict.basis, verdict.not_counted]))
    return (verdict.budget, verdict.target or "", allowed, is_, margin, word, basis)


def _margin(verdict: Verdict, limit: Limit) -> str:
    """Show what is left in the unit of the budget and as a share of it."""
    margin = verdict.margin or 0.0
    if verdict.budget in OF_ACCURACY:
        return tables.points(100 * margin if limit.at_least else margin)
    share = f" ({tables.figure(100 * margin / verdict.allowed, 0, '+', 1)} %)" if verdict.allowed else ""
    return f"{'+' if margin >= 0 else '-'}{limit.show(abs(margin)).removesuffix(' on the CPU')}{share}"


def sentence(verdict: Verdict) -> str:
    """Say in words which budget was not kept and by how much."""
    limit, target = LIMITS[verdict.budget], f" on {verdict.target}" if verdict.target else ""
    if verdict.value is None:
        return f"{verdict.budget}{target} can't be checked: {verdict.unavailable}"
    sign = "at least" if limit.at_least else "at most"
    return f"{verdict.budget}{target}: {limit.show(verdict.value)}, {sign} {limit.show(verdict.allowed)} allowed"
