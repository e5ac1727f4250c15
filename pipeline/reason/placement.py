"""Bound by the CPU: operators that Vela left there."""

from collections import Counter
from collections.abc import Iterator

from pipeline.matrix import Matrix
from pipeline.reason.compiled import Claim, Compiled


def placement(here: Compiled, _matrix: Matrix) -> Iterator[Claim]:
    """Say what runs on the CPU, and Vela's reason for the first of it."""
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
