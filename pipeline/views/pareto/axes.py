"""What a grid varies, and the experiments that come of it."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from pipeline.errors import UnrollError
from pipeline.experiments import experiment
from pipeline.experiments.experiment import ExperimentError
from pipeline.experiments.schema import Experiment


class Axis(NamedTuple):
    """A key of the experiment, and how its values are read and shown."""

    section: str
    key: str
    kind: type[int] | type[float]
    heading: str
    """Of its column in a table."""
    label: str
    """Names a value: ``4 rows``."""


AXES: Mapping[str, Axis] = {
    "rows_per_step": Axis("model", "rows_per_step", int, "rows/step", "rows"),
    "units": Axis("model", "units", int, "units", "units"),
    "sparsity": Axis("compress", "sparsity", float, "sparsity", "sparsity"),
    "clusters": Axis("compress", "clusters", int, "values", "values"),
}
"""Key of ``[grid]`` and option of ``doit pareto`` -> what it varies. The last one varies fastest."""

COMPRESSION = "compress"
"""The section that an experiment need not have, and whose axes have a 0 for not doing that."""

Values = Mapping[str, Sequence[float]]
"""Axis -> the values it takes."""


class GridError(UnrollError):
    """An option that can't be read, in a sentence."""


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One choice of values, and the experiment that it makes."""

    settings: Mapping[str, float]
    """Axis -> value."""
    experiment: Experiment | None
    impossible: str | None
    """Why there is no such experiment."""

    @property
    def name(self) -> str:
        """Name it as a task and a folder: ``4-rows.64-units.16-values``; what is 0 is left out."""
        return ".".join(f"{value}-{AXES[name].label}" for name, value in self.settings.items() if value)

    @property
    def label(self) -> str:
        """Name it for a person: ``4 rows, 64 units, 16 values``."""
        return ", ".join(
            f"{value} {AXES[name].label.removesuffix('s') if value == 1 else AXES[name].label}"
            for name, value in self.settings.items()
            if value
        )


def read(option: str, text: str) -> list[float]:
    """Return the values of an option: numbers separated by commas.

    Raises:
        GridError: it is something else.

    """
    kind = AXES[option].kind
    try:
        return [kind(word) for word in text.split(",")]
    except ValueError:
        example = "1,2,4" if kind is int else "0,0.9"
        message = f"--{option.replace('_', '-')} {text}: give numbers separated by commas, such as {example}"
        raise GridError(message) from None


def chosen(base: Experiment, options: Mapping[str, str]) -> Values:
    """Return the values of every axis: of the option, else of ``[grid]``, else the experiment's own.

    Raises:
        GridError: an option can't be read.

    """
    written = base.grid.as_dict()
    if base.grid.units is None:
        written["units"] = [max(base.model.units // 2, 1), base.model.units]
    values: dict[str, list[float]] = {}
    for name in AXES:
        asked = read(name, options[name]) if options.get(name) else written[name]
        values[name] = list(dict.fromkeys(asked)) or [own(base, name)]
    return values


def own(base: Experiment, axis: str) -> float:
    """Return the value that an experiment itself has on an axis; 0 for what it does not do."""
    section = getattr(base, AXES[axis].section, None)
    return getattr(section, AXES[axis].key, None) or 0


def points(base: Experiment, values: Values, root: Path = Path()) -> Iterator[Point]:
    """Yield every combination of the values; one that is no experiment says why. ``root`` is the project's."""
    for combination in product(*values.values()):
        settings = dict(zip(values, combination, strict=True))
        try:
            yield Point(settings=settings, experiment=_varied(base, settings, root), impossible=None)
        except ExperimentError as error:
            yield Point(settings=settings, experiment=None, impossible=str(error))


def _varied(base: Experiment, settings: Mapping[str, float], root: Path) -> Experiment:
    """Return the experiment with other choices and no budget; a compression that neither shares nor prunes is none."""
    document: dict[str, Any] = msgspec.to_builtins(base)
    del document["budget"]  # part of it may ask for what a variant has not
    for name, value in settings.items():
        axis = AXES[name]
        document[axis.section] = {**(document.get(axis.section) or {}), axis.key: value}
        if axis.section == COMPRESSION and not value:
            del document[axis.section][axis.key]
    if not any(value for name, value in settings.items() if AXES[name].section == COMPRESSION):
        del document[COMPRESSION]
    return experiment.checked(document, root)
