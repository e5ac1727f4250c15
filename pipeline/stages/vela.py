"""The vela stage: one model compiled for one Ethos-U, with its numbers as JSON."""

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.contract import Found, Work
from pipeline.npu import compiled_file, compiler, constants, operators, refusals, vela_ini, vela_report
from pipeline.npu import roles as npu_roles
from pipeline.npu.compiled_file import CompiledFile
from pipeline.npu.operators import Placement
from pipeline.npu.vela_report import Report
from pipeline.tflite import roles

COMPILED = "compiled.tflite"
LAYERS = "layers.json"
KIB = 1024
CYCLES = ("total", "npu", "sram_access", "dram_access", "on_chip_flash_access", "off_chip_flash_access")
OF_AN_INFERENCE = (*(f"cycles_{name}" for name in CYCLES), "inference_ms", "macs")
OF_THE_MEMORIES = ("sram_bytes", "dram_bytes")


def make(work: Work) -> Found:
    """Compile; keep the compiled model, every operator's cycles, and the totals.

    Raises:
        compiler.CompileError: Vela is missing or failed; the log holds what it printed.
        vela_report.ReportError: its reports are not as expected.

    """
    quantized = work.inputs["quantized"] / "quantized.tflite"
    with tempfile.TemporaryDirectory(dir=work.into.parent) as folder:
        model = compiler.model_for(quantized, work.config, Path(folder))
        compiled, messages = compiler.compile_model(
            model, Path(folder), work.config, "--verbose-performance", "--show-cpu-operations"
        )
        report = vela_report.read(Path(folder), messages)
        placed = operators.placement(model, compiled, report.refusals)
        read = constants.constants(model)
        shutil.move(compiled, work.into / COMPILED)
    no_layers = why_no_layers(report, placed)
    document = {
        "layers": [] if no_layers else npu_roles.placed(report.layers, roles.of(quantized)),
        "layers_unavailable": no_layers,
        "summary": report.summary,
        "constants": read,
    }
    (work.into / LAYERS).write_text(json.dumps(document, indent=1), encoding="utf-8")
    numbers = totals(report, compiled_file.measure(work.into / COMPILED), _constants_in(work.config))
    unavailable = why_no_totals(placed)
    metrics = numbers | _sides(report, placed) | dict.fromkeys(unavailable)
    if placed.compiled is None:
        unavailable["npu_operators"] = "operators of the same kind and name are on either side, or Vela wrote its own"
    basis = dict.fromkeys(metrics, "estimated") | dict.fromkeys(
        ("flash_bytes", "constants_bytes", *_COUNTED), "measured"
    )
    return Found(metrics=metrics, unavailable=unavailable, basis=basis)


def _constants_in(target: Mapping[str, Any]) -> str:
    """Return the memory that constants and command stream are read from, which Vela's summary calls by other names."""
    ini = vela_ini.read(Path(target["config"])) if target.get("config") else vela_ini.VelaIni()
    return ini.constants_in(target["system_config"], target["memory_mode"])


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


def _sides(report: Report, placed: Placement) -> dict[str, Any]:
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
