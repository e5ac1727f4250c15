"""Why a model costs what it costs, in words.

Every claim is computed from compiles that were run, and names them; their cycles are Vela's estimates.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from pipeline.matrix import Matrix, Row
from pipeline.npu.points import Point
from pipeline.npu.roles import Role, roles
from pipeline.npu.vela_report import BOUNDS

WORTH_SAYING = 0.02
"""A difference below this share of the cycles is called none."""
LARGE = 0.1
"""A part above this share of the cycles is named."""
CLUSTERS = 16
"""Values that the weights are made to share for a trial."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence, what it rests on, and its numbers for scripts."""

    about: str
    """``placement bound rereading roles macs memory_mode strategy clustering utilization fastest``."""
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
    constants: Sequence[Mapping[str, Any]]

    @property
    def point(self) -> Point:
        """Return what it was compiled for."""
        return self.row.point

    @property
    def cycles(self) -> int:
        """Return Vela's estimate of one inference."""
        return int(self.metrics["cycles_total"])

    @property
    def bound_by(self) -> list[tuple[str, int]]:
        """Split the cycles by what bounds each operator, the most first; together they are the total."""
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
        constants=document["constants"],
    )


def bound(layer: Mapping[str, Any]) -> str:
    """Say what takes the most of an operator's cycles."""
    return BOUNDS[max(BOUNDS, key=lambda column: layer[column])]


def claims(matrix: Matrix, about: Row) -> list[Claim]:
    """Explain one row of the matrix, by its own layers and by the other rows."""
    here = read(about)
    return [claim for explain in _EXPLANATIONS for claim in explain(here, matrix)]


def _placement(here: Compiled, _matrix: Matrix) -> Iterator[Claim]:
    on_cpu = here.metrics["cpu_operators_by_name"]
    if not on_cpu:
        return
    kinds = ", ".join(f"{count} {kind}" for kind, count in Counter(row["operator"] for row in on_cpu).most_common())
    total = len(on_cpu) + here.metrics["npu_operators"]
    first = on_cpu[0]
    yield Claim(
        about="placement",
        text=f"{len(on_cpu)} of {total} operators run on the CPU ({kinds}), and no number here holds their time;"
        f" Vela says of {first['operator']} {first['name']}: {first['reason']}",
        because=f"placement by the compile of {here.point.name}",
        numbers={"cpu_operators": len(on_cpu), "operators": total},
    )


def _bound(here: Compiled, _matrix: Matrix) -> Iterator[Claim]:
    if not here.cycles:
        return
    shares = {name: cycles / here.cycles for name, cycles in here.bound_by}
    named = [name for index, name in enumerate(shares) if index == 0 or shares[name] >= LARGE]
    words = [
        f"{_percent(shares[name])}{f' of the {here.cycles:,} cycles' if index == 0 else ''}"
        f" {'are spent computing' if name == 'compute' else f'wait for {name}'}"
        for index, name in enumerate(named)
    ]
    yield Claim(
        about="bound",
        text=", ".join(words),
        because=f"the largest of NPU and memory cycles of every operator of {here.point.name}",
        numbers=shares,
    )


def _rereading(here: Compiled, _matrix: Matrix) -> Iterator[Claim]:
    column = here.constants_column
    total = here.read_bytes(column)
    again = [entry for entry in here.constants if len(entry["readers"]) > 1]
    if not again or not total or bound_name(here) != BOUNDS[column]:
        return
    most = again[0]
    times = len(most["readers"])
    yield Claim(
        about="rereading",
        text=f"{most['bytes']:,} bytes of {_read_by(here, most)} weights are read {times} times:"
        f" {_mb(total)} of weights from {BOUNDS[column]} an inference,"
        f" for a file of {_mb(here.metrics['flash_bytes'])}",
        because=f"constants and their readers in the model; bytes by Vela's summary of {here.point.name}",
        numbers={
            "bytes": most["bytes"],
            "times": times,
            "weight_read_bytes": total,
            "flash_bytes": here.metrics["flash_bytes"],
        },
    )


def _roles(here: Compiled, _matrix: Matrix) -> Iterator[Claim]:
    counts = Counter(role.name for role in here.roles)
    shares = {name: cycles / here.cycles for name, cycles in here.by_role if here.cycles and cycles}
    named = [name for index, name in enumerate(shares) if index == 0 or shares[name] >= LARGE]
    if not named:
        return
    words = [
        f"the {name} {'takes ' if index == 0 else ''}{_percent(shares[name])} in {_operators(counts[name])}"
        for index, name in enumerate(named)
    ]
    yield Claim(
        about="roles",
        text=", ".join(words),
        because=f"cycles of every operator of {here.point.name}, by what it is for",
        numbers=shares,
    )


def _utilization(here: Compiled, _matrix: Matrix) -> Iterator[Claim]:
    if bound_name(here) != "compute" or not here.metrics["macs"]:
        return
    with_macs = [layer for layer in here.layers if layer["macs"]]
    cycles = sum(layer["cycles"] for layer in with_macs)
    rate = sum(layer["macs"] for layer in with_macs) / cycles
    without = 1 - cycles / here.cycles
    rest = f"; {_percent(without)} of the cycles are in operators without MACs" if without >= LARGE else ""
    yield Claim(
        about="utilization",
        text=f"the products do {rate:,.1f} MACs a cycle of {here.point.macs_per_cycle:,} possible{rest}",
        because=f"MACs and cycles of every operator of {here.point.name}",
        numbers={"macs_per_cycle": rate, "possible": here.point.macs_per_cycle, "share_without_macs": without},
    )


def _macs(here: Compiled, matrix: Matrix) -> Iterator[Claim]:
    def differs_in_macs(point: Point) -> bool:
        same = ("family", "system_config", "memory_mode", "optimise", "config")
        return point != here.point and all(getattr(point, name) == getattr(here.point, name) for name in same)

    others = _compiled(matrix, differs_in_macs)
    if not others or not here.cycles:
        return
    others.sort(key=lambda row: row.point.macs_per_cycle)
    chosen = list(dict.fromkeys(row.point for row in (others[-1], others[0])))
    words = []
    for point in chosen:
        row = matrix.row(point)
        if row and row.record:
            words.append(f"{point.macs_per_cycle:,} take {_against(row.record.metrics['cycles_total'], here.cycles)}")
    yield Claim(
        about="macs",
        text=f"against {here.point.macs_per_cycle:,} MACs per cycle, {', '.join(words)}",
        because=f"compiles of {', '.join(point.name for point in [here.point, *chosen])}",
        numbers={
            str(row.point.macs_per_cycle): row.record.metrics["cycles_total"]
            for row in others
            if row.record is not None
        }
        | {str(here.point.macs_per_cycle): here.cycles},
    )


_MODES = {
    "Sram_Only": "constants in SRAM",
    "Shared_Sram": "the arena in SRAM, constants behind the second port",
    "Dedicated_Sram": "arena and constants behind the second port, SRAM as their cache",
}


def _memory_mode(here: Compiled, matrix: Matrix) -> Iterator[Claim]:
    def differs_in_mode(point: Point) -> bool:
        same = ("accelerator", "system_config", "optimise", "config")
        return point != here.point and all(getattr(point, name) == getattr(here.point, name) for name in same)

    for row in _compiled(matrix, differs_in_mode):
        found = row.record.metrics if row.record else {}
        if not found.get("cycles_total"):
            continue
        factor = here.cycles / found["cycles_total"]
        if abs(factor - 1) < WORTH_SAYING:
            effect = "change nothing to speak of"
        elif factor > 1:
            effect = f"gain {_times(factor)}"
        else:
            effect = f"lose {_times(1 / factor)}"
        mode = row.point.memory_mode
        yield Claim(
            about="memory_mode",
            text=f"{_MODES.get(mode, mode)} ({mode}) {effect} and need {_need(found)}",
            because=f"compiles of {here.point.name} and {row.point.name}",
            numbers={
                "memory_mode": mode,
                "factor": factor,
                "sram_bytes": found["sram_bytes"],
                "dram_bytes": found["dram_bytes"],
            },
        )


def _strategy(here: Compiled, matrix: Matrix) -> Iterator[Claim]:
    other = "Size" if here.point.optimise == "Performance" else "Performance"
    row = matrix.row(msgspec.structs.replace(here.point, optimise=other))
    if row is None or row.record is None or not here.cycles:
        return
    cycles, sram = row.record.metrics["cycles_total"], row.record.metrics["sram_bytes"]
    same = cycles == here.cycles and sram == here.metrics["sram_bytes"]
    yield Claim(
        about="strategy",
        text=f"--optimise {other} changes neither cycles nor SRAM"
        if same
        else f"--optimise {other} takes {_against(cycles, here.cycles)}"
        f" and {_size(sram)} of SRAM in place of {_size(here.metrics['sram_bytes'])}",
        because=f"compiles of {here.point.name} and {row.point.name}",
        numbers={"optimise": other, "cycles_total": cycles, "sram_bytes": sram},
    )


def _clustering(here: Compiled, matrix: Matrix) -> Iterator[Claim]:
    row = matrix.row(msgspec.structs.replace(here.point, clusters=CLUSTERS))
    if row is None or row.record is None:
        return
    found = row.record.metrics
    factor = here.cycles / found["cycles_total"] if found["cycles_total"] else 1.0
    if factor - 1 < WORTH_SAYING:
        return
    yield Claim(
        about="clustering",
        text=f"clustering the weights to {CLUSTERS} values saves {_times(factor)} and leaves"
        f" {_size(found['flash_bytes'])} of flash in place of {_size(here.metrics['flash_bytes'])}"
        " (its accuracy is not measured)",
        because=f"compiles of {here.point.name} and of the same model with its weights clustered, untrained",
        numbers={"factor": factor, "clusters": CLUSTERS, "flash_bytes": found["flash_bytes"]},
    )


def _fastest(here: Compiled, matrix: Matrix) -> Iterator[Claim]:
    others = [row for row in _compiled(matrix, lambda _: True) if row.record and row.record.metrics["inference_ms"]]
    best = min(others, key=lambda row: row.record.metrics["inference_ms"] if row.record else 0.0, default=None)
    if best is None or best.record is None or best.point == here.point:
        return
    found = best.record.metrics
    yield Claim(
        about="fastest",
        text=f"the fastest of the {len(others)} points is {best.point.accelerator} {best.point.memory_mode}"
        f" ({best.point.system_config}): {found['inference_ms']:,.2f} ms,"
        f" {_times(here.metrics['inference_ms'] / found['inference_ms'])} faster, and needs {_need(found)}",
        because=f"{len(others)} compiles, each at its own system's clock and memories",
        numbers={"point": best.point.name, "inference_ms": found["inference_ms"]},
    )


_EXPLANATIONS: tuple[Callable[[Compiled, Matrix], Iterator[Claim]], ...] = (
    _placement,
    _bound,
    _rereading,
    _roles,
    _utilization,
    _macs,
    _memory_mode,
    _strategy,
    _clustering,
    _fastest,
)


def bound_name(here: Compiled) -> str:
    """Say what most of the cycles wait for or are spent on; empty for a model without cycles."""
    return next((name for name, _ in here.bound_by), "")


def _totals(parts: Iterator[tuple[str, Mapping[str, Any]]]) -> list[tuple[str, int]]:
    found: Counter[str] = Counter()
    for name, layer in parts:
        found[name] += layer["cycles"]
    return found.most_common()


def _compiled(matrix: Matrix, wanted: Callable[[Point], bool]) -> list[Row]:
    return [row for row in matrix.rows if row.record and wanted(row.point)]


def _read_by(here: Compiled, constant: Mapping[str, Any]) -> str:
    """Name the role of the operators that read a constant, by the operators' names."""
    role_of = {layer["name"]: role.name for layer, role in zip(here.layers, here.roles, strict=True)}
    names = Counter(role_of[reader] for reader in constant["readers"] if reader in role_of)
    return names.most_common(1)[0][0].removesuffix(" product") if names else "the same"


def _against(cycles: float, here: float) -> str:
    change = cycles / here - 1
    if abs(change) < 0.0005:  # noqa: PLR2004 - less than what one decimal shows
        return "as many cycles"
    return f"{abs(change):.1%} {'fewer' if change < 0 else 'more'} cycles".replace("%", " %")


def _need(found: Mapping[str, Any]) -> str:
    dram = f" and {_size(found['dram_bytes'])} of DRAM" if found["dram_bytes"] else ""
    return f"{_size(found['sram_bytes'])} of SRAM{dram}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _times(factor: float) -> str:
    return f"{factor:.1f}x" if factor < 10 else f"{factor:.0f}x"  # noqa: PLR2004 - two digits are enough


def _operators(count: int) -> str:
    return f"{count:,} operator{'s' if count != 1 else ''}"


def _size(size: float) -> str:
    return f"{size / 1024:,.0f} KiB"


def _mb(size: float) -> str:
    return f"{size / 1e6:.2f} MB" if size >= 1e5 else f"{size:,.0f} bytes"  # noqa: PLR2004 - below, MB hides it
