"""What else there is to choose: Vela's strategy, and the fastest of all points."""

from collections.abc import Iterator

import msgspec

from pipeline.matrix import Matrix
from pipeline.reason import words
from pipeline.reason.compiled import Claim, Compiled, compiled_rows


def strategy(here: Compiled, matrix: Matrix) -> Iterator[Claim]:
    """Compare with Vela's other strategy."""
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
        else f"--optimise {other} takes {words.against(cycles, here.cycles)}"
        f" and {words.size(sram)} of SRAM in place of {words.size(here.metrics['sram_bytes'])}",
        because=f"compiles of {here.point.name} and {row.point.name}",
        numbers={"optimise": other, "cycles_total": cycles, "sram_bytes": sram},
    )


def fastest(here: Compiled, matrix: Matrix) -> Iterator[Claim]:
    """Name the fastest of all points."""
    others = [row for row in compiled_rows(matrix, lambda _: True) if row.record and row.record.metrics["inference_ms"]]
    best = min(others, key=lambda row: row.record.metrics["inference_ms"] if row.record else 0.0, default=None)
    if best is None or best.record is None or best.point == here.point:
        return
    found = best.record.metrics
    yield Claim(
        about="fastest",
        text=f"the fastest of the {len(others)} points is {best.point.accelerator} {best.point.memory_mode}"
        f" ({best.point.system_config}): {found['inference_ms']:,.2f} ms,"
        f" {words.times(here.metrics['inference_ms'] / found['inference_ms'])} faster, and needs {words.need(found)}",
        because=f"{len(others)} compiles, each at its own system's clock and memories",
        numbers={"point": best.point.name, "inference_ms": found["inference_ms"]},
    )
