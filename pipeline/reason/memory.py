"""Bound by a memory: weights that are read again and again, and what another mode or fewer values change in that."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from pipeline.matrix import Matrix
from pipeline.npu.points import Point
from pipeline.npu.vela_report import BOUNDS
from pipeline.reason import words
from pipeline.reason.compiled import WORTH_SAYING, Claim, Compiled, bound_name, compiled_rows

CLUSTERS = 16
"""Values that the weights are made to share for a trial."""

_MODES = {
    "Sram_Only": "constants in SRAM",
    "Shared_Sram": "the arena in SRAM, constants behind the second port",
    "Dedicated_Sram": "arena and constants behind the second port, SRAM as their cache",
}


def rereading(here: Compiled, _matrix: Matrix) -> Iterator[Claim]:
    """Say which weights are read again and again, where the cycles wait for them."""
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
        f" {words.megabytes(total)} of weights from {BOUNDS[column]} an inference,"
        f" for a file of {words.megabytes(here.metrics['flash_bytes'])}",
        because=f"constants and their readers in the model; bytes by Vela's summary of {here.point.name}",
        numbers={
            "bytes": most["bytes"],
            "times": times,
            "weight_read_bytes": total,
            "flash_bytes": here.metrics["flash_bytes"],
        },
    )


def memory_mode(here: Compiled, matrix: Matrix) -> Iterator[Claim]:
    """Compare with every other memory mode of the same system."""

    def differs_in_mode(point: Point) -> bool:
        same = ("accelerator", "system_config", "optimise", "config")
        return point != here.point and all(getattr(point, name) == getattr(here.point, name) for name in same)

    for row in compiled_rows(matrix, differs_in_mode):
        found = row.record.metrics if row.record else {}
        if not found.get("cycles_total"):
            continue
        factor = here.cycles / found["cycles_total"]
        if abs(factor - 1) < WORTH_SAYING:
            effect = "change nothing to speak of"
        elif factor > 1:
            effect = f"gain {words.times(factor)}"
        else:
            effect = f"lose {words.times(1 / factor)}"
        mode = row.point.memory_mode
        yield Claim(
            about="memory_mode",
            text=f"{_MODES.get(mode, mode)} ({mode}) {effect} and need {words.need(found)}",
            because=f"compiles of {here.point.name} and {row.point.name}",
            numbers={
                "memory_mode": mode,
                "factor": factor,
                "sram_bytes": found["sram_bytes"],
                "dram_bytes": found["dram_bytes"],
            },
        )


def clustering(here: Compiled, matrix: Matrix) -> Iterator[Claim]:
    """Say what the trial with clustered weights came to."""
    row = matrix.row(msgspec.structs.replace(here.point, clusters=CLUSTERS))
    if row is None or row.record is None:
        return
    found = row.record.metrics
    factor = here.cycles / found["cycles_total"] if found["cycles_total"] else 1.0
    if factor - 1 < WORTH_SAYING:
        return
    yield Claim(
        about="clustering",
        text=f"clustering the weights to {CLUSTERS} values saves {words.times(factor)} and leaves"
        f" {words.size(found['flash_bytes'])} of flash in place of {words.size(here.metrics['flash_bytes'])}"
        " (its accuracy is not measured)",
        because=f"compiles of {here.point.name} and of the same model with its weights clustered, untrained",
        numbers={"factor": factor, "clusters": CLUSTERS, "flash_bytes": found["flash_bytes"]},
    )


def _read_by(here: Compiled, constant: Mapping[str, Any]) -> str:
    """Name the role of the operators that read a constant, by the operators' names."""
    role_of = {layer["name"]: role.name for layer, role in zip(here.layers, here.roles, strict=True)}
    names = Counter(role_of[reader] for reader in constant["readers"] if reader in role_of)
    return names.most_common(1)[0][0].removesuffix(" product") if names else "the same"
