"""What a compiled model costs on its target: which numbers are shown, under which name and in which unit."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from tui.data import formats


class Cost(NamedTuple):
    """How a metric of a target is shown."""

    title: str
    show: Callable[[float], str]


COSTS: Mapping[str, Cost] = {
    "inference_ms": Cost("inference", lambda value: f"{formats.milliseconds(value)} ms"),
    "cycles_total": Cost("cycles", lambda value: f"{value:,.0f}"),
    "sram_bytes": Cost("SRAM", formats.size),
    "flash_bytes": Cost("flash", formats.size),
    "cpu_operators": Cost("CPU operators", lambda value: f"{value:,.0f}"),
}
"""Metric -> how it is shown, in the order of the screen."""
