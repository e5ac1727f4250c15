"""What a model costs on an Ethos-U: where the cycles go, by operator, role and time step."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.npu.roles import roles
from pipeline.npu.vela_report import BOUNDS
from pipeline.record import Record
from pipeline.schema import Budget
from tui.data.accuracy import UnreadableError, read_json


@dataclass(frozen=True, slots=True)
class Layer:
    """One operator of a compiled model, as Vela estimates it."""

    name: str
    operator: str
    role: str
    step: int | None
    target: str
    """``NPU`` or ``CPU``."""
    cycles: int
    bound_by: str
    """What takes the most of its cycles; operators that take none are bound by nothing."""
    macs: int


@dataclass(frozen=True, slots=True)
class Group:
    """Operators that belong together."""

    name: str
    operators: int
    cycles: int
    share: float
    """Of all cycles of the model."""
    bound_by: str
    macs: int
    order: int
    """Where its first operator stands in the order of execution."""
    on_cpu: int = 0
    """How many of the operators stay on the CPU."""


def layers(folder: Path) -> list[Layer]:
    """Read every operator of a compiled model, in order of execution.

    Raises:
        UnreadableError: ``layers.json`` is missing or damaged.

    """
    path = folder / "layers.json"
    try:
        rows = read_json(path, dict[str, Any])["layers"]
        return [_layer(row, *role) for row, role in zip(rows, roles(rows), strict=True)]
    except (KeyError, TypeError, AttributeError, ValueError):
        message = f"{path} is not as this version writes it"
        raise UnreadableError(message) from None


def _layer(row: Mapping[str, Any], role: str, step: int | None) -> Layer:
    taken = {name: row[column] for column, name in BOUNDS.items()}
    most = max(taken, key=lambda name: taken[name])
    return Layer(
        name=str(row["name"]),
        operator=str(row["operator"]),
        role=role,
        step=step,
        target=str(row["target"]),
        cycles=int(row["cycles"]),
        bound_by=most if row["cycles"] else "",
        macs=int(row["macs"]),
    )


def bounds(found: Iterable[Layer]) -> list[tuple[str, int]]:
    """Split the cycles by what bounds each operator, the most first; together they are the total."""
    totals: dict[str, int] = {}
    for layer in found:
        if layer.cycles:
            totals[layer.bound_by] = totals.get(layer.bound_by, 0) + layer.cycles
    return sorted(totals.items(), key=lambda item: -item[1])


GROUPINGS: Mapping[str, Callable[[Layer], str]] = {
    "role": lambda layer: layer.role,
    "time step": lambda layer: f"step {layer.step}" if layer.step else layer.role,
    "operator": lambda layer: layer.operator,
}
"""How the operators may be put together."""

_NOT_WITHIN_A_NUMBER = r"(?:(?<!\d)|(?!\d))"


def groups(found: Iterable[Layer], by: str | None, containing: str = "") -> list[Group]:
    """Put operators together, or leave each by itself; ``containing`` filters by their words and whole numbers.

    Shares are of the whole model, whatever is filtered.
    """
    found = list(found)
    wanted = re.compile(f"{_NOT_WITHIN_A_NUMBER}{re.escape(containing)}{_NOT_WITHIN_A_NUMBER}", re.IGNORECASE)
    total = sum(layer.cycles for layer in found)
    members: dict[str, list[tuple[int, Layer]]] = {}
    for order, layer in enumerate(found):
        if wanted.search(words(layer)):
            key = GROUPINGS[by](layer) if by else f"{order}"
            members.setdefault(key, []).append((order, layer))
    return [_group(key if by else group[0][1].name, group, total) for key, group in members.items()]


def words(layer: Layer) -> str:
    """Return all that a filter may look for in an operator."""
    step = f"step {layer.step}" if layer.step else ""
    return f"{layer.name} {layer.operator} {layer.role} {step} {layer.target} {layer.bound_by}"


def _group(name: str, members: list[tuple[int, Layer]], total: int) -> Group:
    found = [layer for _, layer in members]
    cycles = sum(layer.cycles for layer in found)
    return Group(
        name=name,
        operators=len(found),
        cycles=cycles,
        share=cycles / total if total else 0.0,
        bound_by=next((bound for bound, _ in bounds(found)), ""),
        macs=sum(layer.macs for layer in found),
        order=members[0][0],
        on_cpu=sum(layer.target == "CPU" for layer in found),
    )


@dataclass(frozen=True, slots=True)
class Cost:
    """A number of a target, and what it may be at most."""

    name: str
    value: float
    most: float | None
    """The budget; None when the experiment sets none."""

    @property
    def within(self) -> bool | None:
        """Whether it keeps the budget; None without one."""
        return None if self.most is None else self.value <= self.most


def costs(record: Record, budget: Budget) -> list[Cost]:
    """Return what a compiled model costs, against the experiment's budget."""
    limits = {
        "inference_ms": budget.inference_ms_max,
        "cycles_total": budget.cycles_max,
        "sram_bytes": budget.sram_max,
        "flash_bytes": budget.flash_max,
        "cpu_operators": budget.cpu_operators_max,
    }
    return [Cost(name, record.metrics[name], limit) for name, limit in limits.items() if name in record.metrics]
