"""Where the cycles go, and what more or fewer MACs change in that."""

from collections import Counter
from collections.abc import Iterator

from pipeline.text import tables
from pipeline.views.matrix.compiling import Matrix
from pipeline.views.matrix.explain import words
from pipeline.views.matrix.explain.compiled import LARGE, Claim, Compiled, bound_name, comparable


def bound(here: Compiled, _matrix: Matrix) -> Iterator[Claim]:
    """Say what the cycles are spent on or wait for."""
    if not here.cycles:
        return
    if here.no_layers:
        yield Claim(
            about="bound",
            text=f"what the cycles are spent on is not known: {here.no_layers}",
            because=f"the reports of {here.point.name}",
            numbers={},
        )
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
    with_macs = [layer for layer in here.layers if layer["macs"] and layer["cycles"]]
    if not with_macs:
        return
    cycles = sum(layer["cycles"] for layer in with_macs)
    rate = sum(layer["macs"] for layer in with_macs) / cycles
    without = 1 - cycles / here.cycles
    rest = f"; {words.percent(without)} of the cycles are in operators without MACs" if without >= LARGE else ""
    yield Claim(
        about="utilization",
        text=f"the operators with MACs do {tables.figure(rate, 1)} a cycle of {here.point.macs_per_cycle:,} possible"
        f"{rest}",
        because=f"MACs and cycles of every operator of {here.point.name}",
        numbers={"macs_per_cycle": rate, "possible": here.point.macs_per_cycle, "share_without_macs": without},
    )


def macs(here: Compiled, matrix: Matrix) -> Iterator[Claim]:
    """Compare with the most and the fewest MACs of the same system."""
    same = ("family", "system_config", "memory_mode", "optimise", "config")
    others = [
        each
        for each in comparable(here, matrix.rows)
        if each.point != here.point and all(getattr(each.point, name) == getattr(here.point, name) for name in same)
    ]
    if not others:
        return
    others.sort(key=lambda each: each.point.macs_per_cycle)
    chosen = list({each.point: each for each in (others[-1], others[0])}.values())
    parts = [
        f"{each.point.macs_per_cycle:,} take {words.against(each.metrics['cycles_total'], here.cycles)}"
        for each in chosen
    ]
    yield Claim(
        about="macs",
        text=f"against {here.point.macs_per_cycle:,} MACs per cycle, {', '.join(parts)}",
        because=f"compiles of {', '.join(point.name for point in [here.point, *(each.point for each in chosen)])}",
        numbers={str(each.point.macs_per_cycle): each.metrics["cycles_total"] for each in others}
        | {str(here.point.macs_per_cycle): here.cycles},
    )
