"""What Vela reports: its summary and per-layer CSV files, and its warnings about operators.

Cycles are Vela's estimates. ``cycles_total`` is the sum over operators of the largest of their
NPU and memory cycles, hence not the largest of the columns' totals.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
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


def bound(layer: Mapping[str, Any]) -> str:
    """Say what takes the most of an operator's cycles, given its row of ``layers.json``."""
    return BOUNDS[max(BOUNDS, key=lambda column: layer[column])]


_TEXT = ("Name", "Original Operator", "NNG Operator", "Target", "experiment", "network")
_REFUSAL = re.compile(
    r"operator: (?P<kind>\S+?), \w+: '(?P<name>.*?)'\s*\nReason: (?P<reason>.+?)(?=\n\s*\n|\nWarning|\Z)", re.DOTALL
)
_SIDE, _SIDES = "Target", ("NPU", "CPU")
_NUMBER = re.compile(r"-?\d+(\.\d*)?(e[+-]?\d+)?", re.IGNORECASE)


class ReportError(UnrollError):
    """A report that is missing or not as this version of Vela writes it."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What one compilation reported. Where operators run is counted in the compiled file, not here."""

    summary: dict[str, Any]
    """Vela's summary by its own column names; sizes are KiB, times seconds. Of several graphs, it adds up some numbers
    and holds those of the last graph in others."""
    layers: list[dict[str, Any]]
    """One row per operator, in order of execution; of several graphs, only those of the last one."""
    refusals: dict[tuple[str, str], set[str]]
    """Kind and name of an operator -> why Vela can't have it on the NPU; the names need not be unique."""


def read(folder: Path, messages: str) -> Report:
    """Read the reports in a folder that held nothing before this compilation.

    Args:
        folder: Vela's output folder.
        messages: what Vela printed, for its reasons.

    Raises:
        ReportError: not exactly one file of each kind, a column is missing, or a file breaks off.

    """
    summaries = _rows(_only(folder, "*_summary_*.csv"), SUMMARY_COLUMNS, "summary", csv.reader)
    layers = _rows(_only(folder, "*_per-layer.csv"), LAYER_COLUMNS, "per-layer report", _unquoted)
    refusals: dict[tuple[str, str], set[str]] = {}
    for match in _REFUSAL.finditer(messages):
        refusals.setdefault((match["kind"], match["name"]), set()).add(" ".join(match["reason"].split()))
    return Report(
        summary=summaries[0],
        layers=[{ours: row[theirs] for theirs, ours in LAYER_COLUMNS.items()} for row in layers],
        refusals=refusals,
    )


def _only(folder: Path, pattern: str) -> Path:
    found = list(folder.glob(pattern))
    if len(found) != 1:
        message = f"Vela left {len(found)} files like {pattern}, not one; is this a version we know? (5.2.0)"
        raise ReportError(message)
    return found[0]


def _rows(
    path: Path, columns: Iterable[str], what: str, split: Callable[[Iterable[str]], Iterator[list[str]]]
) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        lines = file.readlines()
    header, *rows = list(split(lines)) or [[]]
    if not rows:
        message = f"Vela's report {path.name} is empty"
        raise ReportError(message)
    for column in columns:
        if column not in header:
            message = f"Vela's {what} has no column {column!r}; is this a version we know? (5.2.0)"
            raise ReportError(message)
    if len(rows[-1]) != len(header) or not lines[-1].endswith("\n"):
        message = f"Vela's {what} {path.name} breaks off in its last line"
        raise ReportError(message)
    named = (dict(zip(header, row, strict=True)) for row in rows)
    return [{name: text if name in _TEXT else _value(text) for name, text in row.items()} for row in named]


def _unquoted(lines: Iterable[str]) -> Iterator[list[str]]:
    """Split the per-layer report, which Vela writes without quotes: its last column is a name of any characters."""
    rows: list[list[str]] = []
    separators = side = 0
    for line in lines:
        cells = line.split(",", separators or -1)
        if not separators:
            separators, side = len(cells) - 1, cells.index(_SIDE) if _SIDE in cells else 0
        elif rows[1:] and (len(cells) <= separators or cells[side] not in _SIDES):
            rows[-1][-1] += line  # a name with a line break in it
            continue
        rows.append(cells)
    yield from ([*row[:-1], row[-1].removesuffix("\n").removesuffix("\r")] for row in rows)


def _value(text: str) -> Any:
    if not _NUMBER.fullmatch(text):
        return text
    number = float(text)
    return int(number) if number.is_integer() else number
