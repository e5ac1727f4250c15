"""What else there is to choose: Vela's strategy, and the fastest of all points."""

from collections.abc import Iterator

import msgspec

from pipeline.text import tables
from pipeline.text.tables import WORTH_SAYING
from pipeline.views.matrix.compiling import Matrix
from pipeline.views.matrix.explain import words
from pipeline.views.matrix.explain.compiled import Claim, Compiled, comparable


def strategy(here: Compiled, matrix: Matrix) -> Iterator[Claim]:
    """Compare with Vela's other strategy."""
    other = "Size" if here.point.optimise == "Performance" else "Performance"
    row = matrix.row(msgspec.structs.replace(here.point, optimise=other))
    for each in comparable(here, [row] if row else []):
        cycles, sram, before = each.metrics["cycles_total"], each.metrics["sram_bytes"], here.metrics["sram_bytes"]
        memory = "" if sram is None else f" and {words.size(sram)} of SRAM in place of {words.size(before)}"
        yield Claim(
            about="strategy",
            text=f"--optimise {other} changes neither cycles nor SRAM"
            if (cycles, sram) == (here.cycles, before) and memory
            else f"--optimise {other} takes {words.against(cycles, here.cycles)}{memory}",
            because=f"compiles of {here.point.name} and {each.point.name}",
            numbers={"optimise": other, "cycles_total": cycles, "sram_bytes": sram},
        )


def fastest(here: Compiled, matrix: Matrix) -> Iterator[Claim]:
    """Name the fastest of all points that leave the same on the CPU."""
    points = comparable(here, matrix.rows)
    best = min(points, key=lambda each: each.metrics["inference_ms"], default=None)
    if best is None or here.metrics["inference_ms"] < (1 + WORTH_SAYING) * best.metrics["inference_ms"]:
        return
    compiled = sum(row.record is not None for row in matrix.rows)
    which = f"{len(points)} points" if len(points) == compiled else f"{len(points)} points with the same on the CPU"
    yield Claim(
        about="fastest",
        text=f"the fastest of the {which} is {best.point.accelerator} {best.point.memory_mode}"
        f" ({best.point.system_config}): {tables.milliseconds(best.metrics['inference_ms'])} ms,"
        f" {words.times(here.metrics['inference_ms'] / best.metrics['inference_ms'])} faster"
        f"{words.need(', and needs', best.metrics)}",
        because=f"{len(points)} compiles, each at its own system's clock and memories",
        numbers={"point": best.point.name, "inference_ms": best.metrics["inference_ms"]},
    )
