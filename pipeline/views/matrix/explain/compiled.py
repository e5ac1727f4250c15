"""What a claim is, and all that is known of the compile that the claims are about."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from pipeline.npu.points import Point
from pipeline.npu.roles import Role, roles
from pipeline.npu.vela_report import BOUNDS, bound
from pipeline.views.matrix.compiling import Row

LARGE = 0.1
"""A part above this share of the cycles is named."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence, what it rests on, and its numbers for scripts."""

    about: str
    """``placement unknown bound rereading roles macs memory_mode strategy clustering utilization fastest``."""
    text: str
    because: str
    """The compiles that it was computed from."""
    numbers: dict[str, Any]


@dataclass(frozen=True)
class Compiled:
    """All that is known of the point that the words are about."""

    row: Row
    metrics: Mapping[str, Any]
    summary: Mapping[str, Any]
    layers: Sequence[Mapping[str, Any]]
    roles: Sequence[Role]
    no_layers: str
    """Why there are no layers; empty where there are."""
    constants: Sequence[Mapping[str, Any]]

    @property
    def point(self) -> Point:
        """Return what it was compiled for."""
        return self.row.point

    @property
    def cycles(self) -> int:
        """Return Vela's estimate of one inference; 0 where there is none."""
        return int(self.metrics["cycles_total"] or 0)

    @property
    def bound_by(self) -> list[tuple[str, int]]:
        """Split the cycles by what bounds each operator, the most first; nothing where that is not known."""
        return _totals((bound(layer), layer) for layer in self.layers if layer["cycles"])

    @property
    def by_role(self) -> list[tuple[str, int]]:
        """Split the cycles by what the operators are for, the most first."""
        return _totals((role.name, layer) for role, layer in zip(self.roles, self.layers, strict=True))

    @property
    def constants_column(self) -> str:
        """Return the column of ``layers.json`` of the memory that the weights are read from."""
        read = {column: self.read_bytes(column) for column in BOUNDS if column != "cycles_npu"}
        return max(read, key=lambda column: read[column])

    def read_bytes(self, column: str, what: str = "weight_read") -> int:
        """Return the bytes that one inference moves: ``weight_read`` or ``total``, by Vela's summary."""
        return int(self.summary[f"{column.removeprefix('cycles_')}_{what}_bytes"])


def read(row: Row) -> Compiled:
    """Read what the compile of a row left.

    Raises:
        ValueError: the row has no result.

    """
    if row.record is None:
        raise ValueError(row.point.name)
    document = msgspec.json.decode(Path(row.link, "layers.json").read_bytes())
    layers = document["layers"]
    return Compiled(
        row=row,
        metrics=row.record.metrics,
        summary=document["summary"],
        layers=layers,
        roles=roles(layers),
        no_layers=document["layers_unavailable"],
        constants=document["constants"],
    )


def bound_name(here: Compiled) -> str:
    """Say what most of the cycles wait for or are spent on; empty for a model without cycles."""
    return next((name for name, _ in here.bound_by), "")


class Compile(NamedTuple):
    """Another compile of the model, whose numbers can be held against those of here."""

    point: Point
    metrics: Mapping[str, Any]


def comparable(here: Compiled, rows: Iterable[Row]) -> list[Compile]:
    """Return the rows whose cycles and memories count the same operators as those of here.

    What runs on the CPU is in no number of Vela's: with more of it there, a compile only looks fast.
    """
    found = [Compile(row.point, row.record.metrics) for row in rows if row.record]
    return [each for each in found if here.cycles and _counted(each.metrics) == _counted(here.metrics)]


def _counted(metrics: Mapping[str, Any]) -> object:
    on_cpu = Counter((row["operator"], row["name"]) for row in metrics["cpu_operators_by_name"])
    return on_cpu, *(bool(metrics["cycles_total"]), metrics["sram_bytes"] is None, metrics["dram_bytes"] is None)


def _totals(parts: Iterator[tuple[str, Mapping[str, Any]]]) -> list[tuple[str, int]]:
    found: Counter[str] = Counter()
    for name, layer in parts:
        found[name] += layer["cycles"]
    return found.most_common()
