"""What an experiment came to, as rows of plain text: the end of a build, for a person."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipeline import tasks
from pipeline.engine.job_graph import Job
from pipeline.engine.results.record import Record
from pipeline.metrics import costs
from pipeline.text.tables import kib, percent, seconds
from pipeline.views import accuracies, metric_rows, verified
from pipeline.views.accuracies import FLOAT, QUANTIZED, Rung
from pipeline.views.metric_rows import Rows


def rows(jobs: Sequence[Job], records: Sequence[Record]) -> Rows:
    """Return the summary of an experiment whose jobs all have results."""
    pairs = list(zip(jobs, records, strict=True))
    by_stage = {record.stage: (job, record) for job, record in pairs}
    table = [row for stage, tell in _TOLD if stage in by_stage for row in tell(*by_stage[stage])]
    inferences = next((each for record in records if (each := record.metrics.get("inferences_per_sequence"))), 1)
    for job, record in pairs:
        table += metric_rows.rows(job, record, inferences)
        table += _scores_of_target(job, record) if job.target else []
    table += [("warning", f"{job.name}: {text}", "") for job, record in pairs for text in record.warnings]
    return [*table, ("files", f"build/{jobs[0].experiment}/", "")]


def line(jobs: Sequence[Job], records: Sequence[Record]) -> str:
    """Return the summary in one line, for a build of several experiments."""
    pairs = list(zip(jobs, records, strict=True))
    costs = [f"{job.target} {_first_cost(job, record)}" for job, record in pairs if job.compiles]
    proofs = {verified.result(record) for job, record in pairs if job.verifies}
    warned = "; see its warnings" if any(record.warnings for record in records) else ""
    return f"{jobs[0].experiment}: {_score_in_short(records)}; {'; '.join([*costs, *sorted(proofs)])}{warned}"


def _score_in_short(records: Sequence[Record]) -> str:
    record = accuracies.scored_record(records)
    score = accuracies.score(record.metrics) if record else None
    if record is None or score is None:
        return "accuracy not available"
    metric, beside = accuracies.headline(record.metrics), accuracies.beside_float(record.metrics)
    return f"{accuracies.name_of(QUANTIZED, record.metrics)} {metric.quantity.show(score)} ({beside})"


def _scores(job: Job, record: Record) -> Rows:
    """Tell every rung, with what quantizing changed behind those of the whole test set."""
    rungs = accuracies.ladder([(job, record)])
    return [
        (f"{rung.name} {tasks.of_result(record.metrics).headline.title}", _shown(rung, rungs[0]), _basis_of(rung))
        for rung in rungs
    ]


def _scores_of_target(job: Job, record: Record) -> Rows:
    """Tell the scores of what was compiled for a target, over as many samples as went through it."""
    return [
        (
            f"{job.target}: {tasks.of_result(record.metrics).headline.title}",
            f"{rung.shown} over {rung.samples:,} samples",
            rung.basis,
        )
        for rung in accuracies.ladder([(job, record)])
        if rung.score is not None
    ]


def _basis_of(rung: Rung) -> str:
    return "" if rung.score is None else rung.basis


def _changes(_job: Job, record: Record) -> Rows:
    """Tell how many predictions quantizing changed, of those that were made."""
    metrics = record.metrics
    by = accuracies.name_of(QUANTIZED, metrics)
    first = tasks.of_result(metrics).changes[0]
    changed = first.of(metrics)
    if changed is None:
        return []
    return [(f"{first.title} by {by}", f"{first.cell(changed)} of {metrics['test_samples']:,}", first.basis)]


def _unavailable(_job: Job, record: Record) -> Rows:
    """Say which forms of a model that was made elsewhere have no score."""
    task = tasks.of_result(record.metrics)
    return [
        (f"{accuracies.name_of(form, record.metrics)} {task.headline.title}", f"not available: {why}", "")
        for form in (FLOAT, QUANTIZED)
        if (why := accuracies.headline(record.metrics, form).why_not(record.unavailable))
    ]


def _first_cost(job: Job, record: Record) -> str:
    """Tell what a target costs first of all, in one line with other targets."""
    metric = costs(job.stage.metrics)[0]
    value = metric.of(record.metrics)
    return f"{metric.title} not known" if value is None else metric.told(value)


def _shown(rung: Rung, first: Rung) -> str:
    if rung.score is None:
        return f"not known: {rung.reason}"
    beside = rung.beside(first)
    return f"{rung.shown} ({beside})" if beside else rung.shown


def _weakest_role(_job: Job, quantized: Record) -> Rows:
    """Name the role of a tied graph that quantizing hurts most; where its noise comes from stands in ``roles.json``."""
    found = quantized.metrics
    if "weakest_role" not in found:
        return []
    noise = f"{found['weakest_role']}, noise {percent(found['weakest_role_noise'])}"
    return [("weakest role", noise, "measured")]


def _streaming(_job: Job, record: Record) -> Rows:
    """Say of a model with state what cutting its sequences changes."""
    metrics = record.metrics
    if "sequences_in_a_row" not in metrics:
        return []
    table: Rows = []
    if "streaming_identical" in metrics:
        same = f"{metrics['streaming_identical']:,} of {metrics['test_samples']:,} byte-identical"
        table.append(("whole, in pieces, step by step", same, "measured"))
    headline, in_a_row = tasks.of_result(metrics).headline, metrics["scores_in_a_row"]
    scores = ", ".join(
        f"{headline.cell(headline.of(in_a_row[name]))} {words}"
        for name, words in (("with_reset", "with reset"), ("without_reset", "without"))
    )
    resets = ", ".join(f"{name} = {value}" for name, value in metrics["reset_bytes"].items())
    return [*table, (f"{metrics['sequences_in_a_row']} sequences in a row", scores, "measured"), ("reset", resets, "")]


def times(jobs: Sequence[Job], records: Sequence[Record]) -> Rows:
    """Return how long each stage's process took when it was made, and how much of that was imports."""
    return [
        (job.name, seconds(record.seconds), f"{seconds(record.seconds_importing)} importing")
        for job, record in zip(jobs, records, strict=True)
    ]


def _data(_job: Job, record: Record) -> Rows:
    name = record.metrics["dataset"]
    size = f"{record.metrics['train_samples']:,} to train, {record.metrics['test_samples']:,} to test"
    return [("data", f"STAND-IN {name}, not the data asked for; {size}" if record.stand_in else f"{name}; {size}", "")]


def rows_per_step(unrolled: Mapping[str, Any]) -> int:
    """Return how many rows of the data set make one time step, by the metrics of the unrolled graph."""
    return int(unrolled.get("rows_per_step", 1))


def _time_step(_job: Job, unrolled: Record) -> Rows:
    """Say what a time step is where it is not a row of the data set: steps and states are counted in it."""
    found = unrolled.metrics
    if rows_per_step(found) == 1:
        return []
    step = f"{rows_per_step(found)} rows of the data; {found['time_steps']} steps a sequence"
    if found["inferences_per_sequence"] > 1:
        step += f", {found['steps_per_inference']} an inference"
    return [("time step", step, "")]


def _weights(_job: Job, record: Record) -> Rows:
    return [("trained weights", kib(record.metrics["weights_bytes"]), "measured")]


def _model(_job: Job, record: Record) -> Rows:
    return [(f"{record.metrics['activations']} model", kib(record.metrics["model_bytes"]), "measured")]


_TOLD: Sequence[tuple[str, Callable[[Job, Record], Rows]]] = (
    ("dataset", _data),
    ("unrolled", _time_step),
    ("accuracy", _scores),
    ("accuracy", _changes),
    ("accuracy", _streaming),
    ("quantized", _unavailable),
    ("quantized", _weakest_role),
    ("network", _weights),
    ("quantized", _model),
)
"""Stage -> what its result has to say, in the order of the summary; an experiment need not have them all."""
