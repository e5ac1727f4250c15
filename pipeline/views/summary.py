"""What an experiment came to, as rows of plain text: the end of a build, for a person."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pipeline.engine.job_graph import Job
from pipeline.engine.results.record import Record
from pipeline.npu import on_cpu
from pipeline.text.tables import kib, milliseconds, percent, points, seconds
from pipeline.views import verified
from pipeline.views.accuracies import MICRO, Rung, measured

Rows = list[tuple[str, str, str]]
"""Name, value, and what kind of number it is."""


def rows(jobs: Sequence[Job], records: Sequence[Record]) -> Rows:
    """Return the summary of an experiment whose jobs all have results."""
    by_stage = {record.stage: record for record in records}
    table = [row for stage, say in _SAYINGS if stage in by_stage for row in say(by_stage[stage])]
    inferences = next((each for record in records if (each := record.metrics.get("inferences_per_sequence"))), 1)
    for job, record in zip(jobs, records, strict=True):
        if job.compiles:
            table += _target_rows(job, record, inferences)
        elif job.verifies:
            table += _proof_rows(job, record)
    table += [
        ("warning", f"{job.name}: {text}", "")
        for job, record in zip(jobs, records, strict=True)
        for text in record.warnings
    ]
    table.append(("files", f"build/{jobs[0].experiment}/", ""))
    return table


def line(jobs: Sequence[Job], records: Sequence[Record]) -> str:
    """Return the summary in one line, for a build of several experiments."""
    pairs = list(zip(jobs, records, strict=True))
    cycles = [f"{job.target} {_cycles(record)}" for job, record in pairs if job.compiles]
    proofs = {verified.result(record) for job, record in pairs if job.verifies}
    warned = "; see its warnings" if any(record.warnings for record in records) else ""
    return f"{jobs[0].experiment}: {_accuracy_in_short(records)}; {'; '.join([*cycles, *sorted(proofs)])}{warned}"


def accuracy_record(records: Iterable[Record | None]) -> Record | None:
    """Return the record that tells the accuracies of an experiment, or why there are none: its last one that does."""
    return next((record for record in reversed(list(records)) if record and "float_accuracy" in record.metrics), None)


def quantized_rung(accuracy: Mapping[str, Any]) -> str:
    """Return what the quantized model's activations are stored in, by the metrics of its accuracy."""
    return next((rung for rung in ("int16", "uint8") if f"{rung}_accuracy" in accuracy), "int8")


def has_accuracy(accuracy: Mapping[str, Any]) -> bool:
    """Tell whether the accuracies could be had."""
    return accuracy.get(f"{quantized_rung(accuracy)}_accuracy") is not None


def why_no_accuracy(record: Record) -> str:
    """Return why the quantized accuracy could not be had."""
    return record.unavailable.get(f"{quantized_rung(record.metrics)}_accuracy", "")


def quantized_accuracy(accuracy: Mapping[str, Any]) -> float:
    """Return the accuracy of the quantized model, whatever its activations are stored in."""
    return float(accuracy[f"{quantized_rung(accuracy)}_accuracy"])


def accuracy_drop(accuracy: Mapping[str, Any]) -> float:
    """Return by how many percentage points the quantized model is below float; negative when it is above.

    Rounded to far less than one sample: 98.25 - 97.75 is a limit's 0.5, though not in binary fractions.
    """
    return round(100 * (float(accuracy["float_accuracy"]) - quantized_accuracy(accuracy)), 9)


def _accuracy_in_short(records: Sequence[Record]) -> str:
    found = accuracy_record(records)
    if found is None or not has_accuracy(found.metrics):
        return "accuracy not available"
    return f"{quantized_rung(found.metrics)} {_quantized(found.metrics)}"


def _accuracies(record: Record) -> Rows:
    accuracy = record.metrics
    rung = quantized_rung(accuracy)
    changed = f"{accuracy['changed_predictions']:,} of {accuracy['test_samples']:,}"
    return [
        ("float accuracy", percent(accuracy["float_accuracy"]), "measured"),
        (f"{rung} accuracy", _quantized(accuracy), "measured"),
        (f"predictions changed by {rung}", changed, "measured"),
        *_micro_rows(measured(record)),
        *_streaming_rows(accuracy),
    ]


def _quantized(accuracy: Mapping[str, Any]) -> str:
    return f"{percent(quantized_accuracy(accuracy))} ({_points(accuracy)})"


def _unavailable(record: Record) -> Rows:
    return [(name.replace("_", " "), f"not available: {why}", "") for name, why in record.unavailable.items()]


def _micro_rows(rungs: Sequence[Rung]) -> Rows:
    """Say what TensorFlow Lite Micro's kernels come to, whose bytes the compiled file is compared with."""
    return [
        (f"{rung.name} accuracy", _shown(rung, rungs[0]), rung.basis if rung.accuracy is not None else "")
        for rung in rungs
        if rung.name == MICRO
    ]


def _shown(rung: Rung, first: Rung) -> str:
    if rung.accuracy is None:
        return f"not known: {rung.reason}"
    difference = rung.difference(first)
    return percent(rung.accuracy) + ("" if difference is None else f" ({points(100 * difference)})")


def _weakest_role(quantized: Record) -> Rows:
    """Name the role of a tied graph that quantizing hurts most; where its noise comes from stands in ``roles.json``."""
    found = quantized.metrics
    if "weakest_role" not in found:
        return []
    noise = f"{found['weakest_role']}, noise {percent(found['weakest_role_noise'])}"
    return [("weakest role", noise, "measured")]


def _streaming_rows(accuracy: Mapping[str, Any]) -> Rows:
    """Say of a model with state what cutting its sequences changes."""
    if "streaming_sequences_in_a_row" not in accuracy:
        return []
    found: Rows = []
    if "streaming_identical" in accuracy:
        same = f"{accuracy['streaming_identical']:,} of {accuracy['test_samples']:,} byte-identical"
        found.append(("whole, in pieces, step by step", same, "measured"))
    row = accuracy["streaming_sequences_in_a_row"]
    with_reset, without = (accuracy[f"streaming_accuracy_{name}"] for name in ("with_reset", "without_reset"))
    found.append(
        (f"{row} sequences in a row", f"{percent(with_reset)} with reset, {percent(without)} without", "measured")
    )
    resets = ", ".join(f"{name} = {value}" for name, value in accuracy["reset_bytes"].items())
    return [*found, ("reset", resets, "")]


def times(jobs: Sequence[Job], records: Sequence[Record]) -> Rows:
    """Return how long each stage's process took when it was made, and how much of that was imports."""
    return [
        (job.name, seconds(record.seconds), f"{seconds(record.seconds_importing)} importing")
        for job, record in zip(jobs, records, strict=True)
    ]


def _data(record: Record) -> Rows:
    name = record.metrics["dataset"]
    size = f"{record.metrics['train_samples']:,} to train, {record.metrics['test_samples']:,} to test"
    return [("data", f"STAND-IN {name}, not the data asked for; {size}" if record.stand_in else f"{name}; {size}", "")]


def rows_per_step(unrolled: Mapping[str, Any]) -> int:
    """Return how many rows of the data set make one time step, by the metrics of the unrolled graph."""
    return int(unrolled.get("rows_per_step", 1))


def _time_step(unrolled: Record) -> Rows:
    """Say what a time step is where it is not a row of the data set: steps and states are counted in it."""
    found = unrolled.metrics
    if rows_per_step(found) == 1:
        return []
    step = f"{rows_per_step(found)} rows of the data; {found['time_steps']} steps a sequence"
    if found["inferences_per_sequence"] > 1:
        step += f", {found['steps_per_inference']} an inference"
    return [("time step", step, "")]


def _points(accuracy: Mapping[str, Any]) -> str:
    return points(-accuracy_drop(accuracy))


def _weights(record: Record) -> Rows:
    return [("trained weights", kib(record.metrics["weights_bytes"]), "measured")]


def _model(record: Record) -> Rows:
    return [(f"{record.metrics['activations']} model", kib(record.metrics["model_bytes"]), "measured")]


_SAYINGS: Sequence[tuple[str, Callable[[Record], Rows]]] = (
    ("dataset", _data),
    ("unrolled", _time_step),
    ("accuracy", _accuracies),
    ("quantized", _unavailable),
    ("quantized", _weakest_role),
    ("network", _weights),
    ("quantized", _model),
)
"""Stage -> what its result has to say, in the order of the summary; an experiment need not have them all."""


def _proof_rows(job: Job, record: Record) -> Rows:
    """Say what came of emulating a compiled file; what is not verified stands among the warnings."""
    found, target = record.metrics, job.target
    result: Rows = [(f"{target}: compiled file", verified.result(record), "emulated")]
    if found.get("compiled_accuracy") is not None:
        over = f"{percent(found['compiled_accuracy'])} over {found['emulated_samples']:,} samples"
        result.append((f"{target}: accuracy", over, "emulated"))
    if found["checks"]:
        result.append((f"{target}: for every input", verified.for_every_input(found), "emulated"))
    return result


def _target_rows(job: Job, record: Record, inferences: int) -> Rows:
    found, target = record.metrics, job.target
    return [
        (f"{target}: inference", _inference(record, inferences), _basis(record, "cycles_total")),
        (f"{target}: memory", _memory(record), _basis(record, "sram_bytes")),
        (f"{target}: operators", placement(found), "counted"),
        *((f"{target}: on the CPU", on_cpu.line(row), "") for row in found["cpu_operators_by_name"]),
    ]


def _basis(record: Record, metric: str) -> str:
    return "" if record.metrics[metric] is None else "estimated"


def _inference(record: Record, inferences: int) -> str:
    found = record.metrics
    if found["cycles_total"] is None:
        return f"not known: {record.unavailable['cycles_total']}"
    shown = f"{found['cycles_total']:,.0f} cycles, {milliseconds(found['inference_ms'])} ms"
    if inferences > 1:
        shown += f"; {inferences} a sequence: {inferences * found['cycles_total']:,.0f} cycles"
    return f"{shown}; the CPU's time is not counted" if found["cpu_operators"] else shown


def _memory(record: Record) -> str:
    found = record.metrics
    flash = f"flash {kib(found['flash_bytes'])}"
    if found["sram_bytes"] is None or found["dram_bytes"] is None:
        return f"{flash}; SRAM and DRAM not known: {record.unavailable['sram_bytes']}"
    dram = f", DRAM {kib(found['dram_bytes'])}" if found["dram_bytes"] else ""
    return f"SRAM {kib(found['sram_bytes'])}, {flash}{dram}"


def _cycles(compiled: Record) -> str:
    cycles = compiled.metrics["cycles_total"]
    return "cycles not known" if cycles is None else f"{cycles:,.0f} cycles"


def placement(compiled: Mapping[str, Any], *, in_full: bool = False) -> str:
    """Say how many operators are on either side, by the compiled file, and in how many streams if not in one."""
    npu, streams = (
        compiled["npu_operators"],
        compiled.get("command_streams", 1),
    )  # an earlier version did not count them
    split = f" in {streams:,} command streams" if streams > 1 else ""
    on_npu = "not known how many" if npu is None else f"{npu:,}"
    noun = (" operator" if npu == 1 else " operators") if in_full else ""
    return f"{on_npu}{noun} on the NPU{split}, {compiled['cpu_operators']:,} on the CPU"
