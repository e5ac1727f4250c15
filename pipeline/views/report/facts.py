"""All that the report says, as plain data that both templates show."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from pipeline.engine.job_graph import Job
from pipeline.engine.results.record import Record
from pipeline.experiments.schema import Budget
from pipeline.metrics import compared, costs
from pipeline.text import tables
from pipeline.views import accuracies, budget, uncompressed
from pipeline.views.accuracies import QUANTIZED, ladder, scored_record
from pipeline.views.budget import Verdict
from pipeline.views.matrix import explain
from pipeline.views.matrix.answer import Asked
from pipeline.views.matrix.compiling import Matrix
from pipeline.views.report import accuracy_facts, npu_facts
from pipeline.views.summary import rows_per_step


def collect(asked: Asked, description: str, allowed: Budget, found: Matrix) -> dict[str, Any]:
    """Return the facts of an experiment whose jobs all have results."""
    jobs = [job for job in asked.jobs if asked.build.known(job).record]
    records = [record for job in jobs if (record := asked.build.known(job).record)]
    made = list(zip(jobs, records, strict=True))  # a record's own target is that of whoever made it first
    by_stage = {record.stage: record for record in records}
    twins = [(job, record) for job in asked.twin if (record := asked.build.known(job).record)]
    verdicts = budget.verdicts(allowed, jobs, records, [record for _, record in twins])
    pays = uncompressed.paybacks(made, twins)
    told = scored_record(records)
    target = next(iter(asked.targets))
    about = found.row(asked.targets[target])
    stand_in = next((record.stand_in for record in records if record.stand_in), None)
    return {
        "experiment": asked.experiment,
        "description": description,
        "finished": _clock(max(record.finished for record in records)),
        "warnings": _warnings(stand_in, verdicts, found, made),
        "cards": _cards(told, *next(pair for pair in made if pair[0].compiles and pair[0].target == target)),
        "settings": _settings(made),
        "stages": [_stage(job, record) for job, record in made],
        "curve": accuracy_facts.curve(by_stage.get("network"), asked.build.project.events),
        "accuracy": accuracy_facts.accuracy(asked, told),
        "ladder": accuracy_facts.rungs(ladder(made)),
        "quantization": accuracy_facts.numbers(by_stage["quantized"]),
        "rows_per_step": rows_per_step(by_stage["unrolled"].metrics) if "unrolled" in by_stage else 1,
        "targets": [npu_facts.target(asked, job, found, npu_facts.verified(made, job)) for job in jobs if job.compiles],
        "matrix": npu_facts.matrix(found),
        "boards": npu_facts.boards(found),
        "reason": {
            "target": target,
            "claims": [msgspec.to_builtins(claim) for claim in (explain.claims(found, about) if about else [])],
        },
        "payback": {
            "header": uncompressed.HEADER,
            "targets": [(each.target, uncompressed.cells(each)) for each in pays],
            "sentences": uncompressed.sentences(pays),
        },
        "budgets": {"header": budget.HEADER, "rows": [budget.cells(each) for each in verdicts]},
    }


def _clock(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(seconds))


def _warnings(
    stand_in: str | None, verdicts: Sequence[Verdict], found: Matrix, made: Sequence[tuple[Job, Record]]
) -> list[str]:
    said = [f"The data set is the stand-in {stand_in}, not the one asked for."] if stand_in else []
    said += [f"Budget not kept: {budget.sentence(verdict)}." for verdict in verdicts if not verdict.passed]
    for job, record in made:
        if count := record.metrics.get("cpu_operators"):
            stay = "operator stays" if count == 1 else "operators stay"
            said.append(f"{count:,} {stay} on the CPU on {job.target}; their time is in no number here.")
        if job.compiles:
            said += [
                f"Not known on {job.target}: {', '.join(names)}; {why}." for why, names in _unknown(job, record).items()
            ]
        said += [f"{job.name}: {text}." for text in record.warnings]
    return said + [f"No result for {row.point.name}: {row.failure}" for row in found.compiles if row.failure]


def _unknown(job: Job, record: Record) -> dict[str, list[str]]:
    """Return the metrics that could not be had by their reason."""
    titles: dict[str, list[str]] = {}
    for metric in compared(job.stage.metrics):
        if why := metric.why_not(record.unavailable):
            titles.setdefault(why, []).append(metric.title)
    return titles


def _cards(scored: Record | None, compiled: Job, record: Record) -> list[tuple[str, str, str]]:
    """Return what is seen first: the score of the quantized model, and what it costs on one target."""
    cards = [_score_card(scored)] if scored else []
    for metric in costs(compiled.stage.metrics):
        value = metric.of(record.metrics)
        if value is None:
            cards.append((metric.title, "-", f"not known, {compiled.target}"))
        elif metric.is_told(record.metrics):
            cards.append((metric.title, metric.quantity.show(value), f"{metric.basis}, {compiled.target}"))
    return cards


def _score_card(record: Record) -> tuple[str, str, str]:
    metric, score = accuracies.headline(record.metrics), accuracies.score(record.metrics)
    name = f"{accuracies.name_of(QUANTIZED, record.metrics)} {metric.title}"
    if score is None:
        return (name, "-", "not available")
    return (name, metric.quantity.show(score), f"{metric.basis}, {accuracies.beside_float(record.metrics)}")


def _settings(made: Sequence[tuple[Job, Record]]) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for job, record in made:
        for section, table in record.inputs["config"].items():
            prefix = f"vela.targets.{job.target}." if job.target else ""
            if isinstance(table, dict):
                found |= {f"{section}.{key}": _shown(value) for key, value in table.items() if value is not None}
            else:
                found[f"{prefix}{section}"] = _shown(table)
    return list(found.items())


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _stage(job: Job, record: Record) -> dict[str, Any]:
    return {
        "name": job.name,
        "finished": _clock(record.finished),
        "seconds": tables.seconds(record.seconds),
        "key": record.key[:12],
        "tools": ", ".join(f"{tool} {version}" for tool, version in record.inputs.get("tools", {}).items()),
        "made_on": ", ".join(_machine(record.inputs.get("made_on", {}))),
        "outputs": [(name, tables.kib(facts["bytes"]), facts["sha256"][:12]) for name, facts in record.outputs.items()],
    }


def _machine(made_on: Mapping[str, Any]) -> list[str]:
    words = [str(made_on[name]) for name in ("platform",) if name in made_on]
    words += [f"Python {made_on['python']}"] if "python" in made_on else []
    return [*words, "in a container"] if made_on.get("container") else words
