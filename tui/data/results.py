"""Results side by side: those shown now and those the store remembers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.engine.results.record import Record
from pipeline.metrics import SCORES, Metric, compared, costs, told
from pipeline.npu import points
from pipeline.stages.catalogue import STAGES
from pipeline.tasks.task import TITLES
from pipeline.text.tables import figure
from pipeline.views.accuracies import scored_record
from tui.data.project import Snapshot

OF_TARGETS = frozenset(stage.name for stage in STAGES.values() if stage.per_target)


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
        accuracy = scored_record(own)
        results += [_result(accuracy, experiment.name, own, kept)] if accuracy else []
    current_keys = {result.key for result in results}
    results += [
        _result(record, record.experiment, [], kept)
        for record in kept
        if scored_record([record]) and record.key not in current_keys
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
            metrics = targets.setdefault(target_name(record.inputs["config"]["target"]), {})
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
    rows += _score_rows([result.metrics for result in results], _of_models())
    for target in target_names(results):
        rows.append(ComparedRow(target, ("",) * len(results), (None,) * len(results)))
        of_target = [result.targets.get(target, {}) for result in results]
        for metric in told(costs(_of_targets()), of_target):
            rows.append(_cost_row(metric, [metric.of(metrics) for metrics in of_target]))
        rows += _score_rows(of_target, _of_targets(), indented="  ")
    return rows


def _of_models() -> list[Metric]:
    return [metric for stage in STAGES.values() if not stage.per_target for metric in compared(stage.metrics)]


def _of_targets() -> list[Metric]:
    return [metric for stage in STAGES.values() if stage.per_target for metric in compared(stage.metrics)]


def _score_rows(metrics: Sequence[Mapping[str, Any]], of: Sequence[Metric], indented: str = "") -> list[ComparedRow]:
    """Compare the scores of every form that any of the results has."""
    return [
        _score_row(f"{indented}{TITLES[metric.name.split('.')[1]]} {metric.title}", metric, values)
        for metric in of
        if metric.name.startswith(f"{SCORES}.")
        for values in ([metric.of(each) for each in metrics],)
        if any(value is not None for value in values) or not indented
    ]


def _setting(value: Any) -> str:
    return "-" if value is None else str(value)


def _score_row(name: str, metric: Metric, values: Sequence[float | None]) -> ComparedRow:
    first = values[0]
    cells = [
        metric.cell(value)
        if index == 0 or value is None or first is None
        else f"{metric.cell(value)} ({metric.quantity.difference(first, value).removesuffix(' points')})"
        for index, value in enumerate(values)
    ]
    return ComparedRow(name, tuple(cells), _better(metric, values))


def _better(metric: Metric, values: Sequence[float | None]) -> tuple[bool | None, ...]:
    first = values[0]
    return tuple(
        None if value is None or first is None or value == first else (value > first) == (metric.better == "more")
        for value in values
    )


def _factor(ratio: float) -> str:
    return f"{figure(ratio, 2)}x"


def _cost_row(metric: Metric, values: Sequence[float | None]) -> ComparedRow:
    first = values[0]
    cells = []
    for index, value in enumerate(values):
        if value is None:
            cells.append("-")
        elif index == 0 or not first or value == first:
            cells.append(metric.quantity.show(value))
        else:
            cells.append(f"{metric.quantity.show(value)} ({_factor(value / first)})")
    return ComparedRow(f"  {metric.title}", tuple(cells), _better(metric, values))
