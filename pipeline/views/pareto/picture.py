"""Plots of accuracy against a cost: for a terminal, and as an SVG file that needs nothing else."""

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

TEMPLATE = Path(__file__).parent
WIDTH, HEIGHT = 420, 260
"""Of one panel's frame in the SVG file, in pixels."""
COLUMNS, LINES = 78, 14
"""Of a plot in a terminal."""
MARGIN = 0.06
"""Share of the range that is left free on each side."""
ALONE = 0.01
"""Share of a value that is shown on each side of it where there is no other one."""


class Dot(NamedTuple):
    """A point of a plot."""

    letter: str
    cost: float
    """In the unit of its panel."""
    height: float
    """Accuracy in percent."""
    best: bool
    """Whether it is on the front."""
    told: str
    """All about it, for who points at it."""


class Panel(NamedTuple):
    """One plot."""

    title: str
    dots: Sequence[Dot]
    show: Callable[[float], str]
    """Writes a cost."""

    @property
    def front(self) -> list[Dot]:
        """Return the Pareto front by rising cost."""
        return sorted((dot for dot in self.dots if dot.best), key=lambda dot: dot.cost)


class Scale(NamedTuple):
    """A range and its round numbers; a logarithmic one where the numbers differ by more than a factor of 5."""

    low: float
    high: float
    ticks: list[float]
    logarithmic: bool

    def place(self, value: float) -> float:
        """Return where a value lies, 0 at the low end and 1 at the high one."""
        low, high, here = (math.log(number) if self.logarithmic else number for number in (self.low, self.high, value))
        return (here - low) / (high - low)


FACTOR = 5.0
MOST_TICKS = 7


def scale(values: Sequence[float]) -> Scale:
    """Return a scale that holds all values, none at its very end."""
    low, high = min(values), max(values)
    if low > 0 and high / low > FACTOR:
        room = (high / low) ** MARGIN
        low, high = low / room, high * room
        ticks = list(_one_two_five(low, high))
        ticks = ticks[:: -(-len(ticks) // MOST_TICKS)]
        return Scale(low, high, ticks, logarithmic=True)
    room = (high - low) * MARGIN or abs(high) * ALONE or 1.0
    low, high = low - room, high + room
    step = next(step for step in _one_two_five((high - low) / MOST_TICKS, high - low))
    first = math.ceil(low / step)
    ticks = [number * step for number in range(first, math.floor(high / step) + 1)]
    return Scale(low, high, ticks, logarithmic=False)


def _one_two_five(low: float, high: float) -> Iterator[float]:
    """Yield 1, 2 and 5 times the powers of ten between two numbers."""
    for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        yield from (digit * 10.0**power for digit in (1, 2, 5) if low <= digit * 10.0**power <= high)


def as_text(panel: Panel) -> list[str]:
    """Return a plot as lines of text."""
    import plotext  # noqa: PLC0415 - only who asks for a plot needs it

    costs, heights = scale([dot.cost for dot in panel.dots]), scale([dot.height for dot in panel.dots])
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plot_size(COLUMNS, LINES)
    plotext.title(f"{panel.title}; dots: Pareto front")
    front = [(costs.place(dot.cost), dot.height) for dot in panel.front]
    plotext.plot([place for place, _ in front], [height for _, height in front], marker="dot")
    for dot in reversed(panel.dots):  # of equal points, the first is seen
        plotext.scatter([costs.place(dot.cost)], [dot.height], marker=dot.letter)
    plotext.xlim(0, 1)
    plotext.ylim(heights.low, heights.high)
    plotext.xticks([costs.place(tick) for tick in costs.ticks], [panel.show(tick) for tick in costs.ticks])
    plotext.yticks(heights.ticks, [f"{tick:g}" for tick in heights.ticks])
    return [line.rstrip() for line in plotext.uncolorize(plotext.build()).splitlines()]


def as_svg(title: str, panels: Sequence[Panel]) -> str:
    """Return plots as an SVG file."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - only the picture needs it

    environment = Environment(
        loader=FileSystemLoader(TEMPLATE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("pareto.svg.jinja").render(
        title=title,
        panels=[_drawn(panel) for panel in panels if panel.dots],
        legend=panels[0].dots,
        width=WIDTH,
        height=HEIGHT,
    )


def _drawn(panel: Panel) -> dict[str, object]:
    """Return a panel in pixels."""
    costs, heights = scale([dot.cost for dot in panel.dots]), scale([dot.height for dot in panel.dots])

    def across(cost: float) -> float:
        return round(WIDTH * costs.place(cost), 1)

    def down(height: float) -> float:
        return round(HEIGHT * (1 - heights.place(height)), 1)

    return {
        "title": panel.title,
        "dots": [(dot, across(dot.cost), down(dot.height)) for dot in panel.dots],
        "front": " ".join(f"{across(dot.cost)},{down(dot.height)}" for dot in panel.front),
        "across": [(across(tick), panel.show(tick)) for tick in costs.ticks],
        "down": [(down(tick), f"{tick:g}") for tick in heights.ticks],
    }
