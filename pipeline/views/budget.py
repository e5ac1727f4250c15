"""What a result may cost against what it costs: one verdict for each budget of an experiment."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from pipeline.engine.job_graph import Job
from pipeline.engine.results.record import Record
from pipeline.experiments.schema import Budget
from pipeline.metrics import Metric
from pipeline.stages.catalogue import STAGES
from pipeline.text import tables
from pipeline.text.quantities import POINTS, SHARE
from pipeline.views import accuracies
from pipeline.views.accuracies import COMPRESSION_DROP, DROP, scored_record


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


def _limits() -> dict[str, Metric]:
    """Collect what is limited, in the order of the schema."""
    of_stages = (metric for stage in STAGES.values() for metric in stage.metrics)
    limited = {metric.budget: metric for metric in (*of_stages, DROP, COMPRESSION_DROP) if metric.budget}
    return {name: limited[name] for name in Budget.__struct_fields__}


LIMITS: Mapping[str, Metric] = _limits()
"""Key of ``[budget]`` -> what it limits: at least so much where more is better, else at most."""


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
    for name, metric in LIMITS.items():
        allowed = getattr(budget, name)
        if allowed is None:
            continue
        of_jobs = [
            (job.target, record)
            for job, record in zip(jobs, records, strict=True)
            if job.target and metric in job.stage.metrics
        ]
        if of_jobs or _is_of_targets(metric):
            yield from (
                _verdict(name, allowed, target, record, metric.of(record.metrics)) for target, record in of_jobs
            )
        else:
            record = scored_record(records)
            yield _verdict(name, allowed, None, record, _of_scores(metric, record, scored_record(twins)))


def _is_of_targets(metric: Metric) -> bool:
    return any(stage.per_target and metric in stage.metrics for stage in STAGES.values())


def _of_scores(metric: Metric, record: Record | None, uncompressed: Record | None) -> float | None:
    if record is None:
        return None
    if metric is DROP:
        return accuracies.drop(record.metrics)
    if metric is COMPRESSION_DROP:
        before = accuracies.score(uncompressed.metrics) if uncompressed else None
        return accuracies.drop_between(before, accuracies.score(record.metrics))
    return metric.of(record.metrics)


def _verdict(name: str, allowed: float, target: str | None, record: Record | None, value: float | None) -> Verdict:
    metric = LIMITS[name]
    margin = None if value is None else (value - allowed if metric.better == "more" else allowed - value)
    why = None
    if record and value is None:
        why = metric.why_not(record.unavailable) if target else accuracies.why_no_score(record)
    return Verdict(
        budget=name,
        target=target,
        allowed=allowed,
        value=value,
        margin=margin,
        passed=margin is not None and margin >= 0,
        basis=metric.basis,
        unavailable=None if value is not None else why or _why(metric),
        not_counted=_not_counted(metric, record) if value is not None else None,
    )


def _not_counted(metric: Metric, record: Record | None) -> str | None:
    """Say that what runs on the CPU is in no cycles of Vela's."""
    on_cpu = record.metrics.get("cpu_operators") if record and metric.per_inference else None
    return f"without the {on_cpu:,} on the CPU" if on_cpu else None


def _why(metric: Metric) -> str:
    if metric is COMPRESSION_DROP:
        return "there is no result without [compress] to compare with"
    return f"the result has no {metric.name.rpartition('.')[2]}"


HEADER = ("budget", "target", "allowed", "is", "margin", "", "")


def cells(verdict: Verdict) -> tuple[str, ...]:
    """Return a verdict as text, under ``HEADER``."""
    metric = LIMITS[verdict.budget]
    value = "-" if verdict.value is None else metric.exactly(verdict.value)
    margin = "-" if verdict.margin is None else _margin(verdict.margin, verdict.allowed, metric)
    basis = ", ".join(filter(None, [verdict.unavailable or verdict.basis, verdict.not_counted]))
    return (verdict.budget, verdict.target or "", allowed(verdict), value, margin, _word(verdict, metric), basis)


def allowed(verdict: Verdict) -> str:
    """Say what is allowed."""
    metric = LIMITS[verdict.budget]
    return f"{'at least' if metric.better == 'more' else 'at most'} {metric.exactly(verdict.allowed)}"


def _word(verdict: Verdict, metric: Metric) -> str:
    if verdict.passed:
        return "ok"
    if verdict.value is None:
        return "NOT KNOWN"
    return "FAILED" if metric.better == "more" else "OVER"


def _margin(margin: float, allowed: float, metric: Metric) -> str:
    """Show what is left in the unit of the budget and, but for points, as a share of it."""
    if metric.quantity is SHARE:
        return metric.quantity.difference(0, margin)
    if metric.quantity is POINTS:
        return tables.points(margin)
    share = f" ({tables.figure(100 * margin / allowed, 0, '+', 1)} %)" if allowed else ""
    shown = f"{metric.quantity.exact(abs(margin))} {metric.quantity.unit}".rstrip()
    return f"{'+' if margin >= 0 else '-'}{shown}{share}"


def sentence(verdict: Verdict) -> str:
    """Say in words which budget was not kept and by how much."""
    metric, target = LIMITS[verdict.budget], f" on {verdict.target}" if verdict.target else ""
    if verdict.value is None:
        return f"{verdict.budget}{target} can't be checked: {verdict.unavailable}"
    return f"{verdict.budget}{target}: {metric.exactly(verdict.value)}, {allowed(verdict)} allowed"
