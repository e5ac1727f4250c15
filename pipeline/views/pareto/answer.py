"""``doit pareto``: build a grid, and show what accuracy costs: as a table, as plots, as JSON and as a picture."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from doit.exceptions import TaskFailed

from pipeline.engine.job_graph import provider
from pipeline.experiments.schema import Experiment
from pipeline.folders import BUILD
from pipeline.metrics import Metric, costs, told
from pipeline.stages.catalogue import STAGES
from pipeline.text import tables
from pipeline.text.nearest import did_you_mean
from pipeline.views import accuracies
from pipeline.views.accuracies import FLOAT, QUANTIZED
from pipeline.views.matrix.answer import Asked
from pipeline.views.pareto import axes, front, picture
from pipeline.views.pareto.axes import AXES, GridError
from pipeline.views.pareto.make import TRADED, Row, make_all
from pipeline.views.report.write import write_whole

SCHEMA = 2


def _counted(row: Row, cost: Metric) -> float:
    """Return a cost to compare with; what runs on the CPU is in no cycles, and without bound for all that is known."""
    on_cpu = row.records["vela"].metrics["cpu_operators"]
    return math.inf if cost.per_inference and on_cpu else row.costs[cost.name]


class Found:
    """A grid with its fronts."""

    def __init__(self, asked: Asked, base: Experiment, target: str, rows: Sequence[Row]) -> None:
        """Sort the points that have a result by their first cost, and find what no other point beats."""
        self.experiment = asked.experiment
        self.target = target
        self.config = asked.targets[target].as_config()
        self.base = {name: axes.own(base, name) for name in AXES}
        self.made = sorted(
            (row for row in rows if row.records), key=lambda row: (row.costs[TRADED[0].name], -row.accuracy)
        )
        self.failed = [row for row in rows if row.failure]
        self.impossible = [row.point for row in rows if row.point.impossible]
        self.fronts = {
            cost.name: {
                self.made[index].point.name
                for index in front.front([(_counted(row, cost), row.accuracy) for row in self.made])
            }
            for cost in TRADED
        }

    @property
    def stand_in(self) -> str | None:
        """Return the data set that took the place of the one asked for, if one did."""
        return next((record.stand_in for row in self.made for record in row.records.values() if record.stand_in), None)

    @property
    def rung(self) -> str:
        """Return ``int8`` or ``int16``."""
        return accuracies.name_of(QUANTIZED, self.made[0].records["accuracy"].metrics if self.made else {})

    def letter(self, row: Row) -> str:
        """Return the letter of a point in table and plots."""
        return tables.letter(self.made.index(row))

    def best(self, row: Row) -> list[str]:
        """Return the names of the costs by which no other point beats this one."""
        return [cost for cost, names in self.fronts.items() if row.point.name in names]


def answer_pareto(
    asked: Asked,
    base: Experiment,
    as_json: bool,  # noqa: FBT001 - doit calls it with this name
    target: str,
    **options: str,
) -> TaskFailed | None:
    """Build the grid of an experiment, print it, and write ``pareto.json`` and ``pareto.svg`` beside its results."""
    name = target or next(iter(asked.targets))
    if name not in asked.targets:
        return TaskFailed(f"--target {target}: {did_you_mean(target, list(asked.targets))}")
    try:
        grid = list(axes.points(base, axes.chosen(base, options), asked.build.project.root))
    except GridError as error:
        return TaskFailed(str(error))
    dataset = provider(asked.jobs, "dataset")
    found = Found(asked, base, name, make_all(asked.build, grid, dataset, name))
    folder = asked.build.project.build / asked.experiment
    written = json.dumps(as_document(found), indent=1, ensure_ascii=False)
    write_whole(folder / "pareto.json", written + "\n")
    write_whole(folder / "pareto.svg", picture.as_svg(title(found), panels(found)))
    print(written if as_json else "\n".join(lines(found)))  # noqa: T201 - what was asked for
    return TaskFailed("", report=False) if found.failed or not found.made else None


def title(found: Found) -> str:
    """Return what the table and the picture show."""
    number = f"{len(found.made)} point{'' if len(found.made) == 1 else 's'}"
    return f"{found.experiment}: {found.rung} accuracy against cost on {found.target}, {number}"


def panels(found: Found) -> list[picture.Panel]:
    """Return a plot for each cost."""
    return [
        picture.Panel(
            title=f"{found.rung} accuracy (%) by {cost.title}",
            dots=[
                picture.Dot(
                    found.letter(row),
                    row.costs[cost.name] / cost.quantity.plotted_in,
                    100 * row.accuracy,
                    cost.name in found.best(row),
                    _told(row),
                )
                for row in found.made
            ],
            show=cost.quantity.tick,
        )
        for cost in TRADED
    ]


def _told(row: Row) -> str:
    shown = ", ".join(f"{cost.title} {cost.quantity.show(row.costs[cost.name])}" for cost in TRADED)
    return f"{row.point.label}: {tables.percent(row.accuracy)}, {shown}"


def lines(found: Found) -> list[str]:
    """Return plots, table and what is missing as lines of text."""
    text = [title(found)]
    text += [f"WARNING: the models were trained on the stand-in {found.stand_in}"] * bool(found.stand_in)
    if found.made:
        header = (
            "",
            *(AXES[name].heading for name in _varied(found)),
            found.rung,
            "float",
            *(metric.column for metric in _columns(found)),
            "best by",
            "",
        )
        right = range(1, len(header) - 2)
        text += [line for panel in panels(found) for line in ["", *picture.as_text(panel)]]
        text += ["", *tables.plain(header, [_cells(found, row) for row in found.made], right)]
        text += ["", "best by: no other point is as accurate for as little.", _bases(found)]
    text += ["", *_missing(found)] * bool(found.impossible or found.failed)
    return [*text, "", *(f"{BUILD}/{found.experiment}/pareto.{kind}" for kind in ("json", "svg"))]


def _missing(found: Found) -> list[str]:
    """Return the points without a result, those of one reason in one line."""
    reasons: dict[str, list[str]] = {}
    for point in found.impossible:
        reasons.setdefault(f"not possible: {point.impossible}", []).append(point.label)
    for row in found.failed:
        reasons.setdefault(f"failed: {row.failure}", []).append(row.point.label)
    return [f"{reason} ({'; '.join(labels)})" for reason, labels in reasons.items()]


def _varied(found: Found) -> list[str]:
    """Return the axes on which the points differ, or something else than nothing is chosen."""
    return [name for name in AXES if any(row.point.settings[name] for row in found.made)]


def _bases(found: Found) -> str:
    """Say what kind of numbers the columns hold."""
    columns = _columns(found)
    measured = [metric.column for metric in columns if metric.basis == "measured"]
    estimated = [metric.column for metric in columns if metric.basis == "estimated"]
    of_sequence = [metric.column for metric in columns if metric.per_inference]
    return (
        f"Measured: accuracy, {', '.join(measured)}. Estimated by Vela: {', '.join(estimated)}."
        f" Of a whole sequence: {', '.join(of_sequence)}."
    )


def _columns(found: Found) -> list[Metric]:
    """Return what a point costs beside what the remarks tell."""
    of_all = costs(STAGES["vela"].metrics)
    compiled = [row.records["vela"].metrics for row in found.made]
    return told((metric for metric in of_all if not metric.worded), compiled)


def _cells(found: Found, row: Row) -> tuple[str, ...]:
    compiled = row.records["vela"].metrics
    score = accuracies.headline(row.records["accuracy"].metrics)
    remarks = [f"on the CPU, not counted: {compiled['cpu_operators']:,}"] * bool(compiled["cpu_operators"])
    remarks += [f"<- {found.experiment}"] if row.point.settings == found.base else []
    return (
        found.letter(row),
        *(f"{row.point.settings[name]:g}" for name in _varied(found)),
        score.cell(row.accuracy),
        score.cell(accuracies.score(row.records["accuracy"].metrics, FLOAT)),
        *(metric.cell(row.of_sequence(metric)) for metric in _columns(found)),
        ", ".join(cost.title for cost in TRADED if cost.name in found.best(row)),
        "; ".join(remarks),
    )


def as_document(found: Found) -> dict[str, Any]:
    """Return the grid for scripts."""
    return {
        "schema": SCHEMA,
        "experiment": found.experiment,
        "target": found.target,
        "config": found.config,
        "stand_in": found.stand_in,
        "points": [
            *(_as_json(row.point, row, found.best(row)) for row in found.made),
            *(_as_json(row.point, row, []) for row in found.failed),
            *(_as_json(point, None, []) for point in found.impossible),
        ],
        "fronts": {
            cost: [row.point.name for row in found.made if row.point.name in names]
            for cost, names in found.fronts.items()
        },
        "basis": {"accuracy": "measured", **{cost.name: cost.basis for cost in TRADED}},
    }


def _as_json(point: axes.Point, row: Row | None, best: Sequence[str]) -> dict[str, Any]:
    made: Mapping[str, Any] = row.records if row else {}
    return {
        "name": point.name,
        "settings": {f"{AXES[name].section}.{AXES[name].key}": value for name, value in point.settings.items()},
        "impossible": point.impossible,
        "failure": row.failure if row else None,
        "accuracy": row.accuracy if row and made else None,
        "costs": row.costs if row and made else None,
        "best_by": list(best),
        "keys": {stage: record.key for stage, record in made.items()},
        "metrics": {stage: record.metrics for stage, record in made.items() if stage in {"accuracy", "vela"}},
    }
