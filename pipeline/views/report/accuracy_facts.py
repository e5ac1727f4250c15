"""What the report says of training, quantizing, and how accurate each rung of the ladder is."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from pipeline import tasks
from pipeline.engine.events import Events
from pipeline.engine.results.record import Record
from pipeline.metrics import SCORES
from pipeline.tasks.classification import BY_CLASS, CONFUSION
from pipeline.text import tables
from pipeline.views import accuracies
from pipeline.views.accuracies import FLOAT, QUANTIZED, Rung
from pipeline.views.matrix.answer import Asked

MOST_CURVE_POINTS = 400


def curve(weights: Record | None, events: Events) -> dict[str, Any] | None:
    """Return loss and accuracy over the steps of the training that made this result, if its events are still there."""
    if weights is None:
        return None
    runs: dict[str, list[tuple[int, float, float]]] = {}
    made_in = None
    for event in events.follow().new():
        if event.get("stage") != "network" or event.get("experiment") != weights.experiment:
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


def accuracy(asked: Asked, record: Record | None) -> dict[str, Any] | None:
    """Return accuracy by class and the confusion matrix of the quantized model, or why there is none."""
    if record is None:
        return None
    if accuracies.score(record.metrics) is None:
        return {"unavailable": accuracies.why_no_score(record)}
    metrics = record.metrics
    job = next(job for job in asked.jobs if job.stage.name == record.stage)
    confusion = msgspec.json.decode((job.link / CONFUSION).read_bytes())[QUANTIZED]
    most = max((count for row in confusion for count in row), default=1) or 1
    by_class = (metrics[SCORES][form][BY_CLASS] for form in (FLOAT, QUANTIZED))
    name = accuracies.name_of(QUANTIZED, metrics)
    first = tasks.of_result(metrics).changes[0]
    return {
        "unavailable": None,
        "rung": name,
        "rows": [
            ("test samples", f"{metrics['test_samples']:,}"),
            (f"{first.title} by {name}", first.cell(first.of(metrics))),
        ],
        "classes": [
            (number, *(tables.percent(share) if share is not None else "-" for share in shares))
            for number, shares in enumerate(zip(*by_class, strict=True))
        ],
        "confusion": [[(count, round(count / most, 3)) for count in row] for row in confusion],
    }


def numbers(record: Record) -> list[tuple[str, str, str]]:
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
        known = [f"{key.replace('_', ' ')} {_plain(part)}" for key, part in value.items() if part is not None]
        if known:
            yield name, ", ".join(known)
    elif value is not None and not isinstance(value, list):
        yield name, f"{value:,}" if _is_number(value) else str(value)


def _plain(value: Any) -> str:
    return f"{value:.6g}" if _is_number(value) else str(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def rungs(ladder: Sequence[Rung]) -> list[tuple[str, str, str, str]]:
    """Return every rung: name, score, difference from float, and its basis or why there is none."""
    return [
        (rung.name, rung.shown, rung.beside(ladder[0]), rung.basis if rung.score is not None else rung.reason)
        for rung in ladder
    ]
