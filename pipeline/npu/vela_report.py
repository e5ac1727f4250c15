"""What Vela reports: its summary and per-layer CSV files, and its warnings about operators.

Cycles are Vela's estimates. ``cycles_total`` is the sum over operators of the largest of their
NPU and memory cycles, hence not the largest of the columns' totals.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import UnrollError

SUMMARY_COLUMNS = (
    "memory_mode",
    "core_clock",
    "inference_time",
    "sram_memory_used",
    "dram_memory_used",
    "total_npu_encoded_weights",
    "nn_macs",
    "cycles_total",
    "cycles_npu",
    "cycles_sram_access",
    "cycles_dram_access",
    "cycles_on_chip_flash_access",
    "cycles_off_chip_flash_access",
)
"""What we read of the summary."""

LAYER_COLUMNS = {
    "Name": "name",
    "Original Operator": "operator",
    "NNG Operator": "npu_operator",
    "Target": "target",
    "Op Cycles": "cycles",
    "NPU": "cycles_npu",
    "SRAM AC": "cycles_sram",
    "DRAM AC": "cycles_dram",
    "OnFlash AC": "cycles_on_chip_flash",
    "OffFlash AC": "cycles_off_chip_flash",
    "MAC Count": "macs",
    "Staging Usage": "staging_bytes",
}
"""Column of the per-layer report -> the field's word for it."""

BOUNDS: Mapping[str, str] = {
    "cycles_npu": "compute",
    "cycles_sram": "SRAM",
    "cycles_dram": "DRAM",
    "cycles_on_chip_flash": "on-chip flash",
    "cycles_off_chip_flash": "off-chip flash",
}
"""Column of ``layers.json`` -> what the NPU is busy with, or waits for."""

_TEXT = ("Name", "Original Operator", "NNG Operator", "Target", "experiment", "network")
_OPERATOR = re.compile(
    r"operator: (?P<kind>\S+?), \w+: '(?P<name>[^']*)'\s*\nReason: (?P<reason>.+?)(?=\n\s*\n|\nWarning|\Z)", re.DOTALL
)
_CPU_COUNT = re.compile(r"^CPU operators = (\d+)", re.MULTILINE)
_NUMBER = re.compile(r"-?\d+(\.\d*)?(e[+-]?\d+)?", re.IGNORECASE)


class ReportError(UnrollError):
    """A report that is missing or not as this version of Vela writes it."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """The numbers of one compilation."""

    summary: dict[str, Any]
    """Vela's summary by its own column names; sizes are KiB, times seconds."""
    layers: list[dict[str, Any]]
    """One row per operator, in order of execution."""
    npu_operators: int
    """Operators on the NPU; a table look-up that another operator does in passing is a layer, but not counted."""
    cpu_operators: list[dict[str, str]]
    """``operator``, ``name`` and Vela's ``reason`` for each operator that stays on the CPU."""


def read(folder: Path, messages: str) -> Report:
    """Read the reports in a folder that held nothing before this compilation.

    Args:
        folder: Vela's output folder.
        messages: what Vela printed, for its reasons.

    Raises:
        ReportError: not exactly one file of each kind, a column is missing, or the counts disagree.

    """
    summaries = _rows(_only(folder, "*_summary_*.csv"), SUMMARY_COLUMNS, "summary")
    layers = [
        {ours: row[theirs] for theirs, ours in LAYER_COLUMNS.items()}
        for row in _rows(_only(folder, "*_per-layer.csv"), LAYER_COLUMNS, "per-layer report")
    ]
    reasons = {match["name"]: " ".join(match["reason"].split()) for match in _OPERATOR.finditer(messages)}
    on_cpu = [
        {
            "operator": layer["operator"],
            "name": layer["name"],
            "reason": reasons.get(layer["name"], "Vela gave no reason"),
        }
        for layer in layers
        if layer["target"] == "CPU"
    ]
    counted = _CPU_COUNT.search(messages)
    if counted is None or int(counted[1]) != len(on_cpu):
        says = counted[1] if counted else "not how many"
        message = f"Vela says it left {says} operators on the CPU, but its per-layer report has {len(on_cpu)}"
        raise ReportError(message)
    on_npu = sum(layer["target"] == "NPU" and not _is_fused(layer) for layer in layers)
    return Report(summary=summaries[0], layers=layers, npu_operators=on_npu, cpu_operators=on_cpu)


def _is_fused(layer: dict[str, Any]) -> bool:
    """Tell a table look-up that the operator before it does in passing: a row of its own without cycles."""
    return bool(layer["npu_operator"] == "LUT" and layer["cycles"] == 0)


def _only(folder: Path, pattern: str) -> Path:
    found = list(folder.glob(pattern))
    if len(found) != 1:
        message = f"Vela left {len(found)} files like {pattern}, not one; is this a version we know? (5.2.0)"
        raise ReportError(message)
    return found[0]


def _rows(path: Path, columns: Iterable[str], what: str) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        message = f"Vela's report {path.name} is empty"
        raise ReportError(message)
    for column in columns:
        if column not in rows[0]:
            message = f"Vela's {what} has no column {column!r}; is this a version we know? (5.2.0)"
            raise ReportError(message)
    if any(text is None for text in rows[-1].values()):
        message = f"Vela's {what} {path.name} breaks off in its last line"
        raise ReportError(message)
    return [{name: text if name in _TEXT else _value(text) for name, text in row.items()} for row in rows]


def _value(text: str) -> Any:
    if not _NUMBER.fullmatch(text):
        return text
    number = float(text)
    return int(number) if number.is_integer() else number
