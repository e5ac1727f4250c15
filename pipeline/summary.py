"""What an experiment came to, as rows of plain text: the end of a build, for a person."""

from collections.abc import Sequence

from pipeline.graph import Job
from pipeline.store import Record

Rows = list[tuple[str, str, str]]
"""Name, value, and what kind of number it is."""


def rows(jobs: Sequence[Job], records: Sequence[Record]) -> Rows:
    """Return the summary of an experiment whose jobs all have results."""
    by_stage = {record.stage: record for record in records}
    data, accuracy = by_stage["dataset"], by_stage["accuracy"].metrics
    changed = f"{accuracy['changed_predictions']:,} of {accuracy['test_samples']:,}"
    table: Rows = [
        ("data", _data(data), ""),
        ("float accuracy", _percent(accuracy["float_accuracy"]), "measured"),
        ("int8 accuracy", f"{_percent(accuracy['int8_accuracy'])} ({_points(accuracy)})", "measured"),
        ("predictions changed by int8", changed, "measured"),
        ("trained weights", _kib(by_stage["weights"].metrics["weights_bytes"]), "measured"),
        ("int8 model", _kib(by_stage["quantized"].metrics["model_bytes"]), "measured"),
    ]
    for job, record in zip(jobs, records, strict=True):
        if job.target:
            table += _target_rows(job.target, record)
    table.append(("files", f"build/{jobs[0].experiment}/", ""))
    return table


def line(jobs: Sequence[Job], records: Sequence[Record]) -> str:
    """Return the summary in one line, for a build of several experiments."""
    accuracy = next(record.metrics for record in records if record.stage == "accuracy")
    cycles = (
        f"{job.target} {record.metrics['cycles_total']:,.0f} cycles"
        for job, record in zip(jobs, records, strict=True)
        if job.target
    )
    return (
        f"{jobs[0].experiment}: int8 {_percent(accuracy['int8_accuracy'])} ({_points(accuracy)}); {'; '.join(cycles)}"
    )


def times(jobs: Sequence[Job], records: Sequence[Record]) -> Rows:
    """Return how long each stage's process took when it was made, and how much of that was imports."""
    return [
        (job.name, f"{record.seconds:.1f} s", f"{record.seconds_importing:.1f} s importing")
        for job, record in zip(jobs, records, strict=True)
    ]


def _data(record: Record) -> str:
    name = record.metrics["dataset"]
    size = f"{record.metrics['train_samples']:,} to train, {record.metrics['test_samples']:,} to test"
    return f"STAND-IN {name}, not the data asked for; {size}" if record.stand_in else f"{name}; {size}"


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _points(accuracy: dict[str, float]) -> str:
    difference = 100 * (accuracy["int8_accuracy"] - accuracy["float_accuracy"])
    return f"{difference:+.2f} points"


def _target_rows(target: str, record: Record) -> Rows:
    found = record.metrics
    cycles = f"{found['cycles_total']:,.0f} cycles, {found['inference_ms']:.2f} ms"
    memory = f"SRAM {_kib(found['sram_bytes'])}, flash {_kib(found['flash_bytes'])}"
    if found["dram_bytes"]:
        memory += f", DRAM {_kib(found['dram_bytes'])}"
    placement = f"{found['npu_operators']} on the NPU, {found['cpu_operators']} on the CPU"
    on_cpu = (
        (f"{target}: on the CPU", f"{operator['operator']} {operator['name']}: {operator['reason']}", "")
        for operator in found["cpu_operators_by_name"]
    )
    return [
        (f"{target}: inference", cycles, "estimated"),
        (f"{target}: memory", memory, "estimated"),
        (f"{target}: operators", placement, "estimated"),
        *on_cpu,
    ]


def _kib(size: float) -> str:
    return f"{size / 1024:,.1f} KiB"
