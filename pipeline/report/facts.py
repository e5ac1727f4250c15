"""All that the report says, as plain data that both templates show."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from pipeline import answers, budget, events, payback, proof, reason, tables
from pipeline.answers import Asked
from pipeline.budget import Verdict
from pipeline.graph import Job
from pipeline.ladder import Rung, ladder
from pipeline.matrix import Matrix
from pipeline.placement import on_cpu
from pipeline.record import Record
from pipeline.schema import Budget
from pipeline.summary import (
    accuracy_drop,
    accuracy_record,
    has_accuracy,
    quantized_accuracy,
    quantized_rung,
    rows_per_step,
    why_no_accuracy,
)

MOST_CURVE_POINTS = 400


def collect(asked: Asked, description: str, allowed: Budget, found: Matrix) -> dict[str, Any]:
    """Return the facts of an experiment whose jobs all have results."""
    jobs = [job for job in asked.jobs if asked.build.known(job).record]
    records = [record for job in jobs if (record := asked.build.known(job).record)]
    made = list(zip(jobs, records, strict=True))  # a record's own target is that of whoever made it first
    by_stage = {record.stage: record for record in records}
    twins = [(job, record) for job in asked.twin if (record := asked.build.known(job).record)]
    verdicts = budget.verdicts(allowed, jobs, records, [record for _, record in twins])
    pays = payback.paybacks(made, twins)
    told = accuracy_record(records)
    target = next(iter(asked.targets))
    about = found.row(asked.targets[target])
    stand_in = next((record.stand_in for record in records if record.stand_in), None)
    return {
        "experiment": asked.experiment,
        "description": description,
        "finished": _clock(max(record.finished for record in records)),
        "warnings": _warnings(stand_in, verdicts, found, made),
        "cards": _cards(told, target, next(record for job, record in made if job.compiles and job.target == target)),
        "settings": _settings(made),
        "stages": [_stage(job, record) for job, record in made],
        "curve": _curve(by_stage.get("weights")),
        "accuracy": _accuracy(asked, told),
        "ladder": _ladder(ladder(made)),
        "quantization": _numbers(by_stage["quantized"]),
        "rows_per_step": rows_per_step(by_stage["unrolled"].metrics) if "unrolled" in by_stage else 1,
        "targets": [_target(asked, job, found, _proof(made, job)) for job in jobs if job.compiles],
        "matrix": _matrix(found),
        "boards": {
            "header": (*answers.BOARD_HEADER, "sources"),
            "rows": [
                (*cells, "; ".join(f"{key}: {source}" for key, source in board.sources.items()))
                for cells, (board, _) in zip(answers.board_cells(found), found.boards, strict=True)
            ],
        },
        "reason": {
            "target": target,
            "claims": [msgspec.to_builtins(claim) for claim in (reason.claims(found, about) if about else [])],
        },
        "payback": {
            "header": payback.HEADER,
            "targets": [(each.target, payback.cells(each)) for each in pays],
            "sentences": payback.sentences(pays),
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
            said.append(f"{count} operators stay on the CPU on {job.target}; their time is in no number here.")
        said += [f"{job.name}: {text}." for text in record.warnings]
    return said + [f"No result for {row.point.name}: {row.failure}" for row in found.compiles if row.failure]


def _cards(accuracy: Record | None, target: str, compiled: Record) -> list[tuple[str, str, str]]:
    cards = []
    if accuracy:
        name = f"{quantized_rung(accuracy.metrics)} accuracy"
        if has_accuracy(accuracy.metrics):
            shown = tables.percent(quantized_accuracy(accuracy.metrics))
            cards.append((name, shown, f"measured, {-accuracy_drop(accuracy.metrics) + 0.0:+.2f} points"))
        else:
            cards.append((name, "-", "not available"))
    numbers = compiled.metrics
    return [
        *cards,
        ("inference", f"{numbers['inference_ms']:,.2f} ms", f"estimated, {target}"),
        ("cycles", f"{numbers['cycles_total']:,.0f}", f"estimated, {target}"),
        ("SRAM", tables.kib(numbers["sram_bytes"]), f"estimated, {target}"),
        ("flash", tables.kib(numbers["flash_bytes"]), "measured, as it is flashed"),
        (
            "operators on the CPU",
            f"{numbers['cpu_operators']}",
            f"of {numbers['cpu_operators'] + numbers['npu_operators']}",
        ),
    ]


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
        "seconds": f"{record.seconds:.1f} s",
        "key": record.key[:12],
        "tools": ", ".join(f"{tool} {version}" for tool, version in record.inputs.get("tools", {}).items()),
        "made_on": ", ".join(_machine(record.inputs.get("made_on", {}))),
        "outputs": [(name, tables.kib(facts["bytes"]), facts["sha256"][:12]) for name, facts in record.outputs.items()],
    }


def _machine(made_on: Mapping[str, Any]) -> list[str]:
    words = [str(made_on[name]) for name in ("platform",) if name in made_on]
    words += [f"Python {made_on['python']}"] if "python" in made_on else []
    return [*words, "in a container"] if made_on.get("container") else words


def _curve(weights: Record | None) -> dict[str, Any] | None:
    """Return loss and accuracy over the steps of the training that made this result, if its events are still there."""
    if weights is None:
        return None
    runs: dict[str, list[tuple[int, float, float]]] = {}
    made_in = None
    for event in events.Follower().new():
        if event.get("stage") != "weights" or event.get("experiment") != weights.experiment:
            continue
        if event["event"] == "stage_progress" and "loss" in event and "accuracy" in event:
            point = (event["done"], float(event["loss"]), float(event["accuracy"]))
            runs.setdefault(event["run"], []).append(point)
        elif event["event"] == "stage_done" and event.get("metrics") == weights.metrics:
            made_in = event["run"]
    points = runs.get(made_in or "", [])
    if len(points) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    points = points[:: -(-len(points) // MOST_CURVE_POINTS)]
    return {
        "steps": points[-1][0],
        "loss": _line([(step, loss) for step, loss, _ in points]),
        "accuracy": _line([(step, accuracy) for step, _, accuracy in points], top=1.0),
        "first_loss": f"{max(loss for _, loss, _ in points):.3g}",
        "last_loss": f"{points[-1][1]:.3g}",
        "last_accuracy": tables.percent(points[-1][2]),
    }


def _line(points: Sequence[tuple[int, float]], top: float | None = None) -> str:
    """Return points as an SVG polyline in a box of 600 x 160."""
    right = max(step for step, _ in points)
    highest = top or max(value for _, value in points) or 1.0
    return " ".join(f"{600 * step / right:.1f},{160 * (1 - value / highest):.1f}" for step, value in points)


def _accuracy(asked: Asked, record: Record | None) -> dict[str, Any] | None:
    if record is None:
        return None
    if not has_accuracy(record.metrics):
        return {"unavailable": why_no_accuracy(record)}
    found = record.metrics
    job = next(job for job in asked.jobs if job.stage.name == "accuracy")
    matrices = msgspec.json.decode((job.link / "confusion.json").read_bytes())
    rung = quantized_rung(found)
    confusion = matrices[rung]
    most = max((count for row in confusion for count in row), default=1) or 1
    names = ("float_accuracy_by_class", f"{rung}_accuracy_by_class")
    return {
        "unavailable": None,
        "rung": rung,
        "rows": [
            ("test samples", f"{found['test_samples']:,}"),
            (f"predictions changed by {rung}", f"{found['changed_predictions']:,}"),
        ],
        "classes": [
            (number, *(tables.percent(share) if share is not None else "-" for share in shares))
            for number, shares in enumerate(zip(*(found[name] for name in names), strict=True))
        ],
        "confusion": [[(count, round(count / most, 3)) for count in row] for row in confusion],
    }


def _numbers(record: Record) -> list[tuple[str, str, str]]:
    """Return the metrics of a stage as text; those that are tables in words of their own."""
    return [
        (name, shown, record.basis.get(metric, ""))
        for metric, value in record.metrics.items()
        for name, shown in _worded(metric.replace("_", " "), value)
    ]


def _worded(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield a metric under its name; a table of tables, such as those of inputs by name, as a row for each."""
    if isinstance(value, dict) and any(isinstance(part, dict) for part in value.values()):
        for key, part in value.items():
            yield from _worded(f"{name.removesuffix('s')} {key}", part)
    elif isinstance(value, dict):
        yield (
            name,
            ", ".join(f"{key.replace('_', ' ')} {_plain(part)}" for key, part in value.items() if part is not None),
        )
    elif value is not None and not isinstance(value, list):
        yield name, f"{value:,}" if _is_number(value) else str(value)


def _plain(value: Any) -> str:
    return f"{value:.6g}" if _is_number(value) else str(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _ladder(rungs: Sequence[Rung]) -> list[tuple[str, str, str, str]]:
    """Return every rung: name, accuracy, difference from float, and its basis or why there is none."""
    rows = []
    for rung in rungs:
        difference = rung.difference(rungs[0]) if rung is not rungs[0] else None
        points = "" if difference is None else f"{100 * difference + 0.0:+.2f} points"
        shown = "-" if rung.accuracy is None else tables.percent(rung.accuracy)
        rows.append((rung.name, shown, points, rung.basis if rung.accuracy is not None else rung.reason))
    return rows


def _proof(made: Sequence[tuple[Job, Record]], compiled: Job) -> dict[str, Any] | None:
    """Return what was verified of a target's compiled file."""
    found = next((record for job, record in made if job.stage.name == "verify" and job.target == compiled.target), None)
    if found is None:
        return None
    return {
        "identity": proof.identity(found),
        "checks": [
            (check["name"], f"{check['checked']:,} {check['unit']}", f"{check['failed']:,}")
            for check in found.metrics["checks"]
        ],
        "only_by_samples": found.metrics["only_by_samples"],
        "not_verified": found.metrics["not_verified"],
    }


def _target(asked: Asked, job: Job, found: Matrix, verified: dict[str, Any] | None) -> dict[str, Any]:
    row = found.row(asked.targets[job.target or ""])
    here = reason.read(row) if row and row.record else None
    shares = here.bound_by if here else []
    total = sum(cycles for _, cycles in shares) or 1
    return {
        "name": job.target,
        "proof": verified,
        "config": ", ".join(str(value) for value in job.config.values()),
        "numbers": answers.cells(row)[2:9] if row else (),
        "bounds": [(name, cycles / total, f"{cycles:,}") for name, cycles in shares],
        "roles": [(name, cycles / total, f"{cycles:,}") for name, cycles in (here.by_role if here else [])],
        "on_cpu": [str(operator) for operator in on_cpu(asked.build, job)],
        "layers": [
            (
                layer["name"],
                layer["operator"],
                role.name,
                role.step or "",
                layer["target"],
                f"{layer['cycles']:,}",
                reason.bound(layer) if layer["cycles"] else "",
            )
            for layer, role in (zip(here.layers, here.roles, strict=True) if here else ())
        ],
    }


def _matrix(found: Matrix) -> dict[str, Any]:
    systems: dict[str, list[tuple[str, ...]]] = {}
    for row in found.rows:
        systems.setdefault(row.point.system_config, []).append(answers.cells(row))
    return {
        "header": answers.HEADER,
        "systems": systems,
        "impossible": answers.impossible_lines(found),
    }


def write(path: Path, text: str) -> None:
    """Write a file in one step, so that a reader never sees half of it."""
    scratch = path.with_name(f".{path.name}")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(path)
