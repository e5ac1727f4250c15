"""Bound by a memory: weights that are read again and again, and what another mode or fewer values change in that."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from pipeline.npu.vela_report import BOUNDS
from pipeline.text.tables import WORTH_SAYING
from pipeline.views.matrix.compiling import Matrix
from pipeline.views.matrix.explain import words
from pipeline.views.matrix.explain.compiled import LARGE, Claim, Compiled, bound_name, comparable

CLUSTERS = 16
"""Values that the weights are made to share for a trial."""

_MODES = {
    "Sram_Only": "constants in SRAM",
    "Shared_Sram": "the arena in SRAM, constants behind the second port",
    "Dedicated_Sram": "arena and constants behind the second port, SRAM as their cache",
}


def rereading(here: Compiled, _matrix: Matrix) -> Iterator[Claim]:
    """Say which weights are read again and again, where the cycles wait for them and it is much of what is read."""
    column = here.constants_column
    total = here.read_bytes(column)
    weights = [entry for entry in here.constants if entry["weights"]]
    again = [entry for entry in weights if len(entry["readers"]) > 1]
    if not again or not total or bound_name(here) != BOUNDS[column]:
        return
    most = again[0]
    times = len(most["readers"])
    if most["bytes"] * times < LARGE * sum(entry["bytes"] * len(entry["readers"]) for entry in weights):
        return
    yield Claim(
        about="rereading",
        text=f"{most['bytes']:,} bytes of {_read_by(here, most)}weights are read {times} times:"
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
    same = ("accelerator", "system_config", "optimise", "config")
    for each in comparable(here, matrix.rows):
        if each.point == here.point or any(getattr(each.point, name) != getattr(here.point, name) for name in same):
            continue
        factor = here.cycles / each.metrics["cycles_total"]
        if abs(factor - 1) < WORTH_SAYING:
            effect = "change nothing to speak of"
        elif factor > 1:
            effect = f"gain {words.times(factor)}"
        else:
            effect = f"lose {words.times(1 / factor)}"
        mode = each.point.memory_mode
        yield Claim(
            about="memory_mode",
            text=f"{_MODES.get(mode, mode)} ({mode}) {effect}{words.need(' and need', each.metrics)}",
            because=f"compiles of {here.point.name} and {each.point.name}",
            numbers={
                "memory_mode": mode,
                "factor": factor,
                "sram_bytes": each.metrics["sram_bytes"],
                "dram_bytes": each.metrics["dram_bytes"],
            },
        )


def clustering(here: Compiled, matrix: Matrix) -> Iterator[Claim]:
    """Say what the trial with clustered weights came to."""
    row = matrix.row(msgspec.structs.replace(here.point, clusters=CLUSTERS))
    for each in comparable(here, [row] if row else []):
        factor = here.cycles / each.metrics["cycles_total"]
        if factor - 1 < WORTH_SAYING:
            continue
        flash = each.metrics["flash_bytes"]
        yield Claim(
            about="clustering",
            text=f"clustering the weights to {CLUSTERS} values saves {words.times(factor)} and leaves"
            f" {words.size(flash)} of flash in place of {words.size(here.metrics['flash_bytes'])}"
            " (its accuracy is not measured)",
            because=f"compiles of {here.point.name} and of the same model with its weights clustered, untrained",
            numbers={"factor": factor, "clusters": CLUSTERS, "flash_bytes": flash},
        )


def _read_by(here: Compiled, constant: Mapping[str, Any]) -> str:
    """Name the role of the operators that read a constant, by the operators' names; empty where there is none."""
    role_of = {layer["name"]: role.name for layer, role in zip(here.layers, here.roles, strict=True)}
    names = Counter(role_of[reader] for reader in constant["readers"] if reader in role_of)
    return f"{names.most_common(1)[0][0].removesuffix(' product')} " if names else ""
