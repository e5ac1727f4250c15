"""The vela stage: one model compiled for one Ethos-U, with its numbers as JSON."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.npu import compiled_file, compiler, constants, vela_ini, vela_report
from pipeline.npu import roles as npu_roles
from pipeline.npu.compiled_file import CompiledFile
from pipeline.npu.vela_report import Report
from pipeline.stages.contract import Found, Work
from pipeline.tflite import roles

COMPILED = "compiled.tflite"
LAYERS = "layers.json"
KIB = 1024


def make(work: Work) -> Found:
    """Compile; keep the compiled model, every operator's cycles, and the totals.

    Raises:
        compiler.CompileError: Vela is missing or failed; the log holds what it printed.
        vela_report.ReportError: its reports are not as expected.

    """
    with tempfile.TemporaryDirectory(dir=work.into.parent) as folder:
        model = compiler.model_for(work.inputs["quantized"] / "quantized.tflite", work.config, Path(folder))
        compiled, messages = compiler.compile_model(
            model, Path(folder), work.config, "--verbose-performance", "--show-cpu-operations"
        )
        report = vela_report.read(Path(folder), messages)
        read = constants.constants(model)
        shutil.move(compiled, work.into / COMPILED)
    layers = npu_roles.placed(report.layers, roles.of(work.inputs["quantized"] / "quantized.tflite"))
    (work.into / LAYERS).write_text(
        json.dumps({"layers": layers, "summary": report.summary, "constants": read}, indent=1),
        encoding="utf-8",
    )
    metrics = numbers(report, compiled_file.measure(work.into / COMPILED), _constants_in(work.config))
    return Found(metrics=metrics, basis=dict.fromkeys(metrics, "estimated") | {"flash_bytes": "measured"})


def _constants_in(target: Mapping[str, Any]) -> str:
    """Return the memory that constants and command stream are read from, which Vela's summary calls by other names."""
    ini = vela_ini.read(Path(target["config"])) if target.get("config") else vela_ini.VelaIni()
    return ini.constants_in(target["system_config"], target["memory_mode"])


def numbers(report: Report, compiled: CompiledFile, constants_in: str) -> dict[str, Any]:
    """Return the totals under the field's names.

    SRAM counts what must be there at run time: the arena, and where constants live in SRAM they and
    the command stream too, which Vela's own total leaves out. Where constants live in DRAM, its
    total leaves out the command stream.
    """
    summary = report.summary
    in_sram = compiled.constants_bytes * (constants_in == "Sram")
    in_dram = compiled.command_stream_bytes * (constants_in == "Dram")
    cycles = {
        name: summary[f"cycles_{name}"]
        for name in ("total", "npu", "sram_access", "dram_access", "on_chip_flash_access", "off_chip_flash_access")
    }
    return {
        **{f"cycles_{name}": value for name, value in cycles.items()},
        "inference_ms": summary["inference_time"] * 1e3,
        "core_clock_hz": summary["core_clock"],
        "sram_bytes": round(summary["sram_memory_used"] * KIB) + in_sram,
        "dram_bytes": round(summary["dram_memory_used"] * KIB) + in_dram,
        "encoded_weight_bytes": summary["total_npu_encoded_weights"],
        "constants_bytes": compiled.constants_bytes,
        "flash_bytes": compiled.file_bytes,
        "macs": summary["nn_macs"],
        "npu_operators": report.npu_operators,
        "cpu_operators": len(report.cpu_operators),
        "cpu_operators_by_name": report.cpu_operators,
    }
