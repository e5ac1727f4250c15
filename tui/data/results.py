"""Results side by side: those shown now and those the store remembers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.engine.results.record import Record
from pipeline.npu import points
from pipeline.text.tables import figure
from pipeline.views.accuracies import MICRO
from pipeline.views.summary import accuracy_record, quantized_rung
from tui.data import formats
from tui.data.costs import COSTS, Cost
from tui.data.project import Snapshot

OF_TARGETS = ("vela", "verify")


@dataclass(frozen=True, slots=True)
class Result:
    """One model: what it was made of, how accurate it is, and what it costs on each target."""

    key: str
    """The key of the result that tells the accuracy, or why there is none; it tells results apart."""
    experiment: str
    finished: float
    """Seconds since the epoch."""
    current: bool
    """Whether an experiment shows it now; otherwise only the store remembers it."""
    stand_in: str | None
    settings: Mapping[str, Any]
    """``section.key`` -> value."""
    metrics: Mapping[str, Any]
    """Of that result."""
    targets: Mapping[str, Mapping[str, Any]]
    """``u55-128 Shared_Sram`` -> the metrics of its compilation, and of what was verified of that."""


def catalogue(snapshot: Snapshot) -> list[Result]:
    """Return every result there is: shown ones first, then by age, the youngest first."""
    kept = sorted(snapshot.project.store.records(), key=lambda record: -record.finished)
    results: list[Result] = []
    for experiment in snapshot.experiments:
        own = [stage.record for stage in experiment.stages if stage.record]
        accuracy = accuracy_record(own)
        results += [_result(accuracy, experiment.name, own, kept)] if accuracy else []
    current_keys = {result.key for result in results}
    results += [
        _result(record, record.experiment, [], kept)
        for record in kept
        if accuracy_record([record]) and record.key not in current_keys
    ]
    return sorted(results, key=lambda result: (not result.current, -result.finished, result.experiment))


def _result(accuracy: Record, name: str, own: Sequence[Record], kept: Sequence[Record]) -> Result:
    """Join the stages of one model: an artefact's sha256 says which result made it.

    Where several fit, since other settings or another Vela came to the same, those shown beside the
    accuracy count first, then the youngest, of those that an artefact may come from the youngest before it.
    """
    model = _model(accuracy)
    makers: dict[tuple[str, str], Record] = {}
    for record in [*own, *sorted(kept, key=lambda record: record.finished > accuracy.finished)]:
        for output in record.outputs.values():
            makers.setdefault((record.stage, output["sha256"]), record)
    chain: dict[str, Record] = {}
    todo = [accuracy]
    while todo:
        for file, sha256 in todo.pop().inputs["files"].items():
            maker = makers.get((file.partition("/")[0], sha256))
            if maker and maker.stage not in chain:
                chain[maker.stage] = maker
                todo.append(maker)
    settings = {
        f"{section}.{key}": value
        for record in sorted(chain.values(), key=lambda record: record.finished)
        for section, table in record.inputs["config"].items()
        for key, value in table.items()
    }
    targets: dict[str, dict[str, Any]] = {}
    for record in [*own, *(record for record in kept if not _is_of_the_matrix(record))]:
        if record.stage in OF_TARGETS and record.inputs["files"].get("quantized/quantized.tflite") == model:
            metrics = targets.setdefault(target_name(record.inputs["config"]), {})
            metrics |= {metric: value for metric, value in record.metrics.items() if metric not in metrics}
    return Result(
        key=accuracy.key,
        experiment=name,
        finished=accuracy.finished,
        current=bool(own),
        stand_in=accuracy.stand_in,
        settings=settings,
        metrics=accuracy.metrics,
        targets=targets,
    )


def _model(record: Record) -> str | None:
    """Return the sha256 of the quantized model that a result is about, or is itself."""
    own = record.outputs.get("quantized.tflite")
    sha256: str | None = own["sha256"] if own else record.inputs["files"].get("quantized/quantized.tflite")
    return sha256


def _is_of_the_matrix(record: Record) -> bool:
    """Tell the compiles of ``doit matrix``, too many to stand side by side: they go by the name of their point."""
    return record.stage == "vela" and record.target == points.of_config(record.inputs["config"]).name


def target_name(config: Mapping[str, Any]) -> str:
    """Name what was compiled for, alike in every experiment; a high-end system goes without saying."""
    parts = [config["accelerator"].removeprefix("ethos-"), config["memory_mode"]]
    system = config["system_config"].split("_", 2)[-1]
    if not system.startswith("High_End"):
        parts.append(system)
    if config.get("optimise", "Performance") != "Performance":
        parts.append(config["optimise"])
    return " ".join(parts)


def target_names(results: Iterable[Result]) -> list[str]:
    """Return the targets that any of the results has, the commonest first."""
    counts: dict[str, int] = {}
    for result in results:
        for name in result.targets:
            counts[name] = counts.get(name, 0) + 1
    return sorted(counts, key=lambda name: (-counts[name], name))


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """One line of a comparison."""

    name: str
    cells: tuple[str, ...]
    """One for each result, the first of which the others are compared with."""
    better: tuple[bool | None, ...]
    """Whether a cell is better than the first result's; None when equal or a matter of taste."""


def side_by_side(results: Sequence[Result]) -> list[ComparedRow]:
    """Compare results with the first of them: settings that differ, accuracies, costs on common targets."""
    if not results:
        return []
    rows = [
        ComparedRow(
            name.rpartition(".")[2],
            tuple(_setting(result.settings.get(name)) for result in results),
            (None,) * len(results),
        )
        for name in sorted({name for result in results for name in result.settings})
        if len({repr(result.settings.get(name)) for result in results}) > 1
    ]
    rows.append(_accuracy_row("float accuracy", [result.metrics.get("float_accuracy") for result in results]))
    quantized = [result.metrics.get(f"{quantized_rung(result.metrics)}_accuracy") for result in results]
    rows.append(_accuracy_row("quantized accuracy", quantized))
    rows.append(_accuracy_row(f"{MICRO} accuracy", [result.metrics.get("micro_accuracy") for result in results]))
    for target in target_names(results):
        rows.append(ComparedRow(target, ("",) * len(results), (None,) * len(results)))
        for metric, cost in COSTS.items():
            values = [result.targets.get(target, {}).get(metric) for result in results]
            rows.append(_cost_row(cost, values))
        compiled = [result.targets.get(target, {}).get("compiled_accuracy") for result in results]
        if any(value is not None for value in compiled):
            rows.append(_accuracy_row("  compiled accuracy", compiled))
    return rows


def _setting(value: Any) -> str:
    return "-" if value is None else str(value)


def _accuracy_row(name: str, values: Sequence[float | None]) -> ComparedRow:
    first = values[0]
    cells = [
        formats.percent(value)
        if index == 0 or value is None or first is None
        else f"{formats.percent(value)} ({formats.points(value - first).removesuffix(' points')})"
        for index, value in enumerate(values)
    ]
    better = [None if value is None or first is None or value == first else value > first for value in values]
    return ComparedRow(name, tuple(cells), tuple(better))


def _factor(ratio: float) -> str:
    return f"{figure(ratio, 2)}x"


def _cost_row(cost: Cost, values: Sequence[float | None]) -> ComparedRow:
    first = values[0]
    cells = []
    for index, value in enumerate(values):
        if value is None:
            cells.append("-")
        elif index == 0 or not first or value == first:
            cells.append(cost.show(value))
        else:
            cells.append(f"{cost.show(value)} ({_factor(value / first)})")
    better = [None if value is None or first is None or value == first else value < first for value in values]
    return ComparedRow(f"  {cost.title}", tuple(cells), tuple(better))
