"""The metrics of a result in words: one row for each group of those that its stage declares."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipeline.engine.job_graph import Job
from pipeline.engine.results.record import Record
from pipeline.metrics import SCORES, Metric, by_group, compared
from pipeline.npu import on_cpu
from pipeline.views import verified

Rows = list[tuple[str, str, str]]
"""Name, value, and what kind of number it is."""


def rows(job: Job, record: Record, inferences: int = 1, *, worded: bool = True) -> Rows:
    """Return a row for each group of a result's metrics but the scores, which the ladder tells.

    Args:
        job: whose result it is.
        record: of the result.
        inferences: of a sequence.
        worded: whether to tell the groups that have a sentence of their own.

    """
    prefix = f"{job.target}: " if job.target else ""
    table: Rows = []
    for group, metrics in by_group(compared(job.stage.metrics)):
        if metrics[0].name.startswith(f"{SCORES}."):
            continue
        if metrics[0].worded:
            if not worded:
                continue
            table += [(f"{prefix}{name}", text, basis) for name, text, basis in WORDED[group](record)]
        elif any(metric.of(record.metrics) is not None or metric.why_not(record.unavailable) for metric in metrics):
            first = metrics[0].of(record.metrics)
            basis = "" if first is None else metrics[0].basis
            table.append((f"{prefix}{group}", sentence(metrics, record, inferences), basis))
    return table


def sentence(metrics: Sequence[Metric], record: Record, inferences: int = 1) -> str:
    """Tell metrics of one group beside its name, with the reason for those that could not be had."""
    text = known(metrics, record).removeprefix(f"{metrics[0].row} ")
    first = next((metric for metric in metrics if metric.per_inference and metric.is_told(record.metrics)), None)
    if first and inferences > 1:
        text += f"; {inferences} a sequence: {first.told(inferences * (first.of(record.metrics) or 0))}"
    if first and record.metrics.get("cpu_operators"):
        text += "; the CPU's time is not counted"
    unknown = [metric for metric in metrics if metric.of(record.metrics) is None]
    if not unknown:
        return text
    why = unknown[0].why_not(record.unavailable) or "the result does not tell"
    return (
        f"{text}; {' and '.join(metric.title for metric in unknown)} not known: {why}" if text else f"not known: {why}"
    )


def known(metrics: Sequence[Metric], record: Record) -> str:
    """Tell those of some metrics that could be had."""
    values = ((metric, metric.of(record.metrics)) for metric in metrics if metric.is_told(record.metrics))
    return ", ".join(metric.told(value) for metric, value in values if value is not None)


def placement(metrics: Mapping[str, Any], *, in_full: bool = False) -> str:
    """Say how many operators are on either side, by the compiled file, and in how many streams if not in one."""
    npu, streams = metrics["npu_operators"], metrics["command_streams"]
    split = f" in {streams:,} command streams" if streams > 1 else ""
    on_npu = "not known how many" if npu is None else f"{npu:,}"
    noun = (" operator" if npu == 1 else " operators") if in_full else ""
    return f"{on_npu}{noun} on the NPU{split}, {metrics['cpu_operators']:,} on the CPU"


def _operators(record: Record) -> Rows:
    stay = record.metrics["cpu_operators_by_name"]
    return [
        ("operators", placement(record.metrics), "counted"),
        *(("on the CPU", on_cpu.line(row), "") for row in stay),
    ]


def _compiled_file(record: Record) -> Rows:
    """Say what came of emulating a compiled file; what is not verified stands among the warnings."""
    table = [("compiled file", verified.result(record), "emulated")]
    if record.metrics["checks"]:
        table.append(("for every input", verified.for_every_input(record.metrics), "emulated"))
    return table


WORDED: Mapping[str, Callable[[Record], Rows]] = {"operators": _operators, "compiled file": _compiled_file}
"""Groups that a list of numbers would not tell well."""
