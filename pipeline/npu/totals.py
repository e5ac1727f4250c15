"""What a compiled model costs, under the field's names, and which of Vela's numbers do not tell that."""

from collections import Counter
from pathlib import Path
from typing import Any

from pipeline.npu import refusals, vela_ini
from pipeline.npu.compiled_file import CompiledFile
from pipeline.npu.operators import Placement
from pipeline.npu.section import Target
from pipeline.npu.vela_report import Report

KIB = 1024
CYCLES = ("total", "npu", "sram_access", "dram_access", "on_chip_flash_access", "off_chip_flash_access")
OF_AN_INFERENCE = (*(f"cycles_{name}" for name in CYCLES), "inference_ms", "macs")
OF_THE_MEMORIES = ("sram_bytes", "dram_bytes")


def constants_in(target: Target) -> str:
    """Return the memory that constants and command stream are read from, which Vela's summary calls by other names."""
    ini = vela_ini.read(Path(target.config)) if target.config else vela_ini.VelaIni()
    return ini.constants_in(target.system_config, target.memory_mode)


def totals(report: Report, compiled: CompiledFile, constants_in: str) -> dict[str, Any]:
    """Return the totals under the field's names.

    SRAM counts what must be there at run time: the arena, and where constants live in SRAM they and
    the command stream too, which Vela's own total leaves out. Where constants live in DRAM, its
    total leaves out the command stream.
    """
    summary = report.summary
    in_sram = compiled.constants_bytes * (constants_in == "Sram")
    in_dram = compiled.command_stream_bytes * (constants_in == "Dram")
    return {
        **{f"cycles_{name}": summary[f"cycles_{name}"] for name in CYCLES},
        "inference_ms": summary["inference_time"] * 1e3,
        "core_clock_hz": summary["core_clock"],
        "sram_bytes": round(summary["sram_memory_used"] * KIB) + in_sram,
        "dram_bytes": round(summary["dram_memory_used"] * KIB) + in_dram,
        "encoded_weight_bytes": summary["total_npu_encoded_weights"],
        "constants_bytes": compiled.constants_bytes,
        "flash_bytes": compiled.file_bytes,
        "macs": summary["nn_macs"],
    }


def why_no_totals(placed: Placement) -> dict[str, str]:
    """Return the totals that Vela's summary does not tell of this model, each with the reason.

    Of several graphs, Vela 5.2 adds up cycles and MACs, and gives the arena of the last graph beside the constants of
    all. Of a model that stays on the CPU, it gives 0 for everything.
    """
    if not placed.streams:
        nothing = "nothing of the model is on the NPU, and Vela tells neither the CPU's time nor its memory"
        return dict.fromkeys((*OF_AN_INFERENCE, *OF_THE_MEMORIES), nothing)
    if placed.graphs == 1:
        return {}
    last = f"the compiled file has {placed.graphs} graphs, and Vela tells the arena of the last one alone"
    found = dict.fromkeys(OF_THE_MEMORIES, last)
    if set(placed.streams) != {0}:
        together = (
            f"Vela adds up the cycles of {placed.graphs} graphs; which of them an inference runs, and how often,"
            " it does not know"
        )
        found |= dict.fromkeys(OF_AN_INFERENCE, together)
    return found


def why_no_layers(report: Report, placed: Placement) -> str:
    """Say why the per-layer report is not of the whole model; empty where it is."""
    if placed.graphs > 1:
        return f"the compiled file has {placed.graphs} graphs, and Vela reports the operators of the last one alone"
    cycles, total = sum(layer["cycles"] for layer in report.layers), report.summary["cycles_total"]
    if cycles != total:
        return f"the cycles of Vela's per-layer report come to {cycles:,}, those of its summary to {total:,}"
    on_the_cpu = sum(layer["target"] == "CPU" for layer in report.layers)
    if on_the_cpu != len(placed.on_cpu):
        return (
            f"Vela's per-layer report has {on_the_cpu:,} operators on the CPU, the compiled file {len(placed.on_cpu):,}"
        )
    return ""


_COUNTED = ("npu_operators", "cpu_operators", "cpu_operators_by_name", "command_streams")
MEASURED = ("flash_bytes", "constants_bytes", *_COUNTED)
"""What is counted in files; all else is Vela's estimate."""


def sides(report: Report, placed: Placement) -> dict[str, Any]:
    """Return how many operators run where, counted in the compiled file, and all that stay on the CPU."""
    namesakes = Counter(operator.key for operator in placed.on_cpu)
    rows = [
        {
            "operator": operator.title,
            "name": operator.name,
            "graph": operator.graph_name if placed.graphs > 1 else None,
            "reason": refusals.reason(operator.key, namesakes, report.refusals),
        }
        for operator in placed.on_cpu
    ]
    return dict(zip(_COUNTED, (placed.compiled, len(rows), rows, len(placed.streams)), strict=True))
