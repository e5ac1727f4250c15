"""Bound by the CPU: operators that Vela left there, and what is not known of the model for it or for its graphs."""

from collections import Counter
from collections.abc import Iterator

from pipeline.npu import on_cpu
from pipeline.npu.refusals import NO_REASON
from pipeline.views.matrix.compiling import Matrix
from pipeline.views.matrix.explain.compiled import Claim, Compiled


def placement(here: Compiled, _matrix: Matrix) -> Iterator[Claim]:
    """Say what runs on the CPU, and Vela's reason for the first of it."""
    rows = here.metrics["cpu_operators_by_name"]
    if not rows:
        return
    kinds = ", ".join(f"{count} {kind}" for kind, count in Counter(row["operator"] for row in rows).most_common())
    npu = here.metrics["npu_operators"]
    of_all = "" if npu is None else f" of {npu + len(rows):,}"
    run = "operator runs" if len(rows) == 1 and not of_all else "operators run"
    first = next((row for row in rows if row["reason"] != NO_REASON), None)
    why = f"; Vela says of {on_cpu.line(first)}" if first else ""
    yield Claim(
        about="placement",
        text=f"{len(rows):,}{of_all} {run} on the CPU ({kinds}), and no number here holds their time{why}",
        because=f"counted in the compiled file of {here.point.name}",
        numbers={"cpu_operators": len(rows), "npu_operators": npu},
    )


def unknown(here: Compiled, _matrix: Matrix) -> Iterator[Claim]:
    """Say why there are no cycles, or no figures of the memories."""
    record = here.row.record
    for metric, what in {"cycles_total": "cycles and time", "sram_bytes": "SRAM and DRAM"}.items():
        if record and here.metrics[metric] is None:
            yield Claim(
                about="unknown",
                text=f"{what} are not known: {record.unavailable[metric]}",
                because=f"the compiled file and the reports of {here.point.name}",
                numbers={},
            )
