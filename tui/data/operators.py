"""What a model costs on an Ethos-U: where the cycles go, by operator, role and time step."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.npu.roles import roles
from pipeline.npu.vela_report import bound
from tui.data.artefacts import UnreadableError, read_json


@dataclass(frozen=True, slots=True)
class Operator:
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
class OperatorGroup:
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


class NoOperatorsError(UnreadableError):
    """Why the cycles of every operator are not known."""


def read_operators(folder: Path) -> list[Operator]:
    """Read every operator of a compiled model, in order of execution.

    Raises:
        NoOperatorsError: Vela's report is not of the whole model.
        UnreadableError: ``layers.json`` is missing or damaged.

    """
    path = folder / "layers.json"
    try:
        document = read_json(path, dict[str, Any])
        if document["layers_unavailable"]:
            raise NoOperatorsError(str(document["layers_unavailable"]))
        rows = document["layers"]
        return [_operator(row, *role) for row, role in zip(rows, roles(rows), strict=True)]
    except (KeyError, TypeError, AttributeError, ValueError):
        message = f"{path} is not as this version writes it"
        raise UnreadableError(message) from None


def _operator(row: Mapping[str, Any], role: str, step: int | None) -> Operator:
    return Operator(
        name=row["name"] + "",  # a TypeError where it is no text
        operator=str(row["operator"]),
        role=role,
        step=step,
        target=str(row["target"]),
        cycles=int(row["cycles"]),
        bound_by=bound(row) if row["cycles"] else "",
        macs=int(row["macs"]),
    )


def cycles_by_bound(operators: Iterable[Operator]) -> list[tuple[str, int]]:
    """Split the cycles by what bounds each operator, the most first; together they are the total."""
    totals: dict[str, int] = {}
    for operator in operators:
        if operator.cycles:
            totals[operator.bound_by] = totals.get(operator.bound_by, 0) + operator.cycles
    return sorted(totals.items(), key=lambda item: -item[1])


GROUPINGS: Mapping[str, Callable[[Operator], str]] = {
    "role": lambda operator: operator.role,
    "time step": lambda operator: f"step {operator.step}" if operator.step else operator.role,
    "operator": lambda operator: operator.operator,
}
"""How the operators may be put together."""

_NOT_WITHIN_A_NUMBER = r"(?:(?<!\d)|(?!\d))"


def groups(operators: Sequence[Operator], by: str | None, containing: str = "") -> list[OperatorGroup]:
    """Put operators together, or leave each by itself; ``containing`` filters by their words and whole numbers.

    Shares are of the whole model, whatever is filtered.
    """
    pattern = re.compile(f"{_NOT_WITHIN_A_NUMBER}{re.escape(containing)}{_NOT_WITHIN_A_NUMBER}", re.IGNORECASE)
    total = sum(operator.cycles for operator in operators)
    members: dict[str, list[tuple[int, Operator]]] = {}
    for order, operator in enumerate(operators):
        if pattern.search(searchable(operator)):
            key = GROUPINGS[by](operator) if by else f"{order}"
            members.setdefault(key, []).append((order, operator))
    return [_group(key if by else group[0][1].name, group, total) for key, group in members.items()]


def searchable(operator: Operator) -> str:
    """Return all that a filter may look for in an operator."""
    step = f"step {operator.step}" if operator.step else ""
    return f"{operator.name} {operator.operator} {operator.role} {step} {operator.target} {operator.bound_by}"


def _group(name: str, members: list[tuple[int, Operator]], total: int) -> OperatorGroup:
    operators = [operator for _, operator in members]
    cycles = sum(operator.cycles for operator in operators)
    return OperatorGroup(
        name=name,
        operators=len(operators),
        cycles=cycles,
        share=cycles / total if total else 0.0,
        bound_by=next((bound for bound, _ in cycles_by_bound(operators)), ""),
        macs=sum(operator.macs for operator in operators),
        order=members[0][0],
        on_cpu=sum(operator.target == "CPU" for operator in operators),
    )
