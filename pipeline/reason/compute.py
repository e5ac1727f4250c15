"""Where the cycles go, and what more or fewer MACs change in that."""

from collections import Counter
from collections.abc import Iterator

from pipeline.matrix import Matrix
from pipeline.npu.points import Point
from pipeline.reason import words
from pipeline.reason.compiled import LARGE, Claim, Compiled, bound_name, compiled_rows


def bound(here: Compiled, _matrix: Matrix) -> Iterator[Claim]:
    """Say what the cycles are spent on or wait for."""
    if not here.cycles:
        return
    shares = {name: cycles / here.cycles for name, cycles in here.bound_by}
    named = [name for index, name in enumerate(shares) if index == 0 or shares[name] >= LARGE]
    parts = [
        f"{words.percent(shares[name])}{f' of the {here.cycles:,} cycles' if index == 0 else ''}"
        f" {'are spent computing' if name == 'compute' else f'wait for {name}'}"
        for index, name in enumerate(named)
    ]
    yield Claim(
        about="bound",
        text=", ".join(parts),
        because=f"the largest of NPU and memory cycles of every operator of {here.point.name}",
        numbers=shares,
    )


def roles(here: Compiled, _matrix: Matrix) -> Iterator[Claim]:
    """Say which operators the cycles go to."""
    counts = Counter(role.name for role in here.roles)
    shares = {name: cycles / here.cycles for name, cycles in here.by_role if here.cycles and cycles}
    named = [name for index, name in enumerate(shares) if index == 0 or shares[name] >= LARGE]
    if not named:
        return
    parts = [
        f"the {name} {'takes ' if index == 0 else ''}{words.percent(shares[name])} in {words.operators(counts[name])}"
        for index, name in enumerate(named)
    ]
    yield Claim(
        about="roles",
        text=", ".join(parts),
        because=f"cycles of every operator of {here.point.name}, by what it is for",
        numbers=shares,
    )


def utilization(here: Compiled, _matrix: Matrix) -> Iterator[Claim]:
    """Say how well the MACs are used, where the cycles are spent computing."""
    if bound_name(here) != "compute" or not here.metrics["macs"]:
        return
    with_macs = [layer for layer in here.layers if layer["macs"]]
    cycles = sum(layer["cycles"] for layer in with_macs)
    rate = sum(layer["macs"] for layer in with_macs) / cycles
    without = 1 - cycles / here.cycles
    rest = f"; {words.percent(without)} of the cycles are in operators without MACs" if without >= LARGE else ""
    yield Claim(
        about="utilization",
        text=f"the products do {rate:,.1f} MACs a cycle of {here.point.macs_per_cycle:,} possible{rest}",
        because=f"MACs and cycles of every operator of {here.point.name}",
        numbers={"macs_per_cycle": rate, "possible": here.point.macs_per_cycle, "share_without_macs": without},
    )


def macs(here: Compiled, matrix: Matrix) -> Iterator[Claim]:
    """Compare with the most and the fewest MACs of the same system."""

    def differs_in_macs(point: Point) -> bool:
        same = ("family", "system_config", "memory_mode", "optimise", "config")
        return point != here.point and all(getattr(point, name) == getattr(here.point, name) for name in same)

    others = compiled_rows(matrix, differs_in_macs)
    if not others or not here.cycles:
        return
    others.sort(key=lambda row: row.point.macs_per_cycle)
    chosen = list(dict.fromkeys(row.point for row in (others[-1], others[0])))
    parts: list[str] = []
    for point in chosen:
        row = matrix.row(point)
        if row and row.record:
            parts.append(
                f"{point.macs_per_cycle:,} take {words.against(row.record.metrics['cycles_total'], here.cycles)}"
            )
    yield Claim(
        about="macs",
        text=f"against {here.point.macs_per_cycle:,} MACs per cycle, {', '.join(parts)}",
        because=f"compiles of {', '.join(point.name for point in [here.point, *chosen])}",
        numbers={
            str(row.point.macs_per_cycle): row.record.metrics["cycles_total"]
            for row in others
            if row.record is not None
        }
        | {str(here.point.macs_per_cycle): here.cycles},
    )
