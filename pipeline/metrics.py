"""The catalogue's type: what a metric of a result is called, how it is shown, and which way is better.

Each stage declares its metrics in its own file (``Stage.metrics``); every table, budget, comparison and plot goes
through them, so that a metric that is declared is shown everywhere, and no view names it.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec

from pipeline.text.quantities import Quantity

Basis = Literal["measured", "estimated", "emulated"]

SCORES = "scores"
"""The metric that holds the scores of a model by its form: ``{"float": {"accuracy": 0.98, ...}, ...}``."""


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One number of a result."""

    name: str
    """Its key among the ``metrics`` of ``stage.json``; with dots where it is a part of a table."""
    title: str
    quantity: Quantity
    basis: Basis
    better: Literal["more", "less"] | None = None
    """None where that is a matter of taste."""
    group: str = ""
    """What is told together in one row, under this name; its title by default."""
    worded: bool = False
    """Whether a sentence of the group's own tells it (``summary.WORDED``), so that lists of numbers leave it out."""
    heading: str = ""
    """Of its column; its title by default."""
    phrase: str = ""
    """How a sentence tells it, ``{}`` being the value; behind its title by default."""
    noun: str | None = None
    """What stands behind an exact number; the quantity's unit by default."""
    budget: str | None = None
    """The key of ``[budget]`` that limits it."""
    per_inference: bool = False
    """Whether a sequence takes it once for each of its inferences, of the NPU's part alone."""
    zero_is_none: bool = False
    """Whether 0 means that there is nothing to tell."""
    of_weights: bool = False
    """Whether compressing the weights is meant to save it."""
    traded: bool = False
    """Whether it is what ``doit pareto`` trades accuracy for."""
    detail: bool = False
    """Whether it stands only where all of a result is listed."""

    @property
    def column(self) -> str:
        """Return the heading of its column."""
        return self.heading or self.title

    @property
    def row(self) -> str:
        """Return the name of the row that tells its group."""
        return self.group or self.title

    def of(self, metrics: Mapping[str, Any]) -> float | None:
        """Return its value among the metrics of a result; None where there is none, or no number."""
        value: Any = metrics
        for part in self.name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None

    def why_not(self, unavailable: Mapping[str, str]) -> str | None:
        """Return why it could not be had; the reason may be that of the table it is a part of."""
        parts = self.name.split(".")
        names = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
        return next((unavailable[name] for name in names if name in unavailable), None)

    def is_told(self, metrics: Mapping[str, Any]) -> bool:
        """Tell whether there is something to say of it: it could be had, and is not a zero that means nothing."""
        value = self.of(metrics)
        return value is not None and not (self.zero_is_none and value == 0)

    def exactly(self, value: float) -> str:
        """Show a value to the last digit that matters, with its unit."""
        return f"{self.quantity.exact(value)} {self.quantity.unit if self.noun is None else self.noun}".rstrip()

    def told(self, value: float) -> str:
        """Tell a value in a sentence: ``SRAM 3.0 KiB``, ``6,218,057 cycles``."""
        shown = self.quantity.show(value)
        return self.phrase.format(shown) if self.phrase else f"{self.title} {shown}"

    def cell(self, value: float | None) -> str:
        """Show a value under the heading of its column, or a dash where there is none to tell."""
        return "-" if value is None or (self.zero_is_none and value == 0) else self.quantity.cell(value)

    def brief(self, value: float | None) -> str:
        """Show a value in a narrow column, likewise."""
        return "-" if value is None or (self.zero_is_none and value == 0) else self.quantity.brief(value)


def compared(metrics: Iterable[Metric]) -> list[Metric]:
    """Return those that tables show and results are compared by."""
    return [metric for metric in metrics if not metric.detail]


def costs(metrics: Iterable[Metric]) -> list[Metric]:
    """Return those that tell what a result costs: the less, the better."""
    return [metric for metric in compared(metrics) if metric.better == "less"]


def told(metrics: Iterable[Metric], results: Iterable[Mapping[str, Any]]) -> list[Metric]:
    """Return those that a table of results has a column for: of zeros that mean nothing there is none."""
    results = list(results)
    return [metric for metric in metrics if not metric.zero_is_none or any(metric.is_told(each) for each in results)]


def by_group(metrics: Iterable[Metric]) -> Iterator[tuple[str, list[Metric]]]:
    """Yield the groups by name, each with its metrics, in the order in which they are declared."""
    groups: dict[str, list[Metric]] = {}
    for metric in metrics:
        groups.setdefault(metric.row, []).append(metric)
    yield from groups.items()


def nulls(unavailable: Iterable[str]) -> dict[str, Any]:
    """Return metrics that could not be had as a result holds them: None, in the table that a dotted name is of."""
    metrics: dict[str, Any] = {}
    for name in unavailable:
        table, _, key = name.rpartition(".")
        (metrics.setdefault(table, {}) if table else metrics)[key] = None
    return metrics
