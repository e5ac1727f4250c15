"""Vela's reports, read from what the real Vela wrote."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.npu import vela_report
from pipeline.npu.vela_report import Report, ReportError

Compiled = Callable[..., tuple[Path, str]]

LAYER_COLUMNS = (
    "Original Operator",
    "NNG Operator",
    "Target",
    "Staging Usage",
    "Op Cycles",
    "NPU",
    "SRAM AC",
    "DRAM AC",
    "OnFlash AC",
    "OffFlash AC",
    "MAC Count",
    "Name",
)
SUMMARY_COLUMNS = (
    "memory_mode",
    "core_clock",
    "inference_time",
    "sram_memory_used",
    "dram_memory_used",
    "nn_macs",
    "cycles_total",
    "cycles_npu",
    "cycles_sram_access",
    "cycles_dram_access",
    "cycles_on_chip_flash_access",
    "cycles_off_chip_flash_access",
)
TARGETS = [
    ("ethos-u55-32", "Ethos_U55_Deep_Embedded", "Sram_Only"),
    ("ethos-u55-256", "Ethos_U55_High_End_Embedded", "Shared_Sram"),
    ("ethos-u65-512", "Ethos_U65_High_End", "Dedicated_Sram"),
    ("ethos-u85-256", "Ethos_U85_SYS_DRAM_Mid", "Shared_Sram"),
]


def only(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def layers_file(folder: Path) -> Path:
    return only(folder, "*_per-layer.csv")


def summary_file(folder: Path) -> Path:
    return only(folder, "*_summary_*.csv")


def without_column(path: Path, column: str) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    kept = [name for name in rows[0] if name != column]
    assert len(kept) == len(rows[0]) - 1
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, kept, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def total(report: Report, column: str) -> Any:
    return sum(layer[column] for layer in report.layers)


@pytest.mark.parametrize("target", TARGETS, ids=" ".join)
def test_the_total_of_cycles_is_the_sum_over_the_layers(compiled: Compiled, target: tuple[str, str, str]) -> None:
    report = vela_report.read(*compiled("on_npu", *target))

    assert total(report, "cycles") == report.summary["cycles_total"] > 0


@pytest.mark.parametrize("target", TARGETS, ids=" ".join)
def test_the_other_totals_are_sums_over_the_layers_as_well(compiled: Compiled, target: tuple[str, str, str]) -> None:
    report = vela_report.read(*compiled("on_npu", *target))

    sums = {
        "cycles_npu": "cycles_npu",
        "cycles_sram": "cycles_sram_access",
        "cycles_dram": "cycles_dram_access",
        "cycles_on_chip_flash": "cycles_on_chip_flash_access",
        "cycles_off_chip_flash": "cycles_off_chip_flash_access",
        "macs": "nn_macs",
    }
    assert {of: total(report, of) for of in sums} == {of: report.summary[name] for of, name in sums.items()}


def test_each_layers_cycles_are_those_of_what_it_waits_for_longest(compiled: Compiled) -> None:
    report = vela_report.read(*compiled("on_npu"))

    parts = ("cycles_npu", "cycles_sram", "cycles_dram", "cycles_on_chip_flash", "cycles_off_chip_flash")
    assert [layer["cycles"] for layer in report.layers] == [
        max(layer[part] for part in parts) for layer in report.layers
    ]


def test_the_inference_time_is_the_cycles_at_the_core_clock(compiled: Compiled) -> None:
    summary = vela_report.read(*compiled("on_npu")).summary

    assert summary["inference_time"] == pytest.approx(summary["cycles_total"] / summary["core_clock"])


def test_layers_come_in_the_order_of_execution_with_what_they_were(compiled: Compiled) -> None:
    report = vela_report.read(*compiled("on_npu"))

    assert [layer["operator"] for layer in report.layers[:3]] == ["FullyConnected", "FullyConnected", "FullyConnected"]
    assert [layer["npu_operator"] for layer in report.layers[:3]] == ["FullyConnected", "Relu", "FullyConnected"]
    assert {layer["operator"] for layer in report.layers[3:]} == {"Softmax"}
    assert report.layers[0]["macs"] == 4 * 8


def test_numbers_are_numbers_and_names_are_text(compiled: Compiled) -> None:
    report = vela_report.read(*compiled("on_npu"))

    texts = {"name", "operator", "npu_operator", "target"}
    for layer in report.layers:
        assert {name: type(value) for name, value in layer.items() if name not in texts} == {
            name: int for name in layer if name not in texts
        }
        assert {type(layer[name]) for name in texts} == {str}
    assert report.summary["core_clock"] == 500_000_000


def test_a_name_of_digits_stays_as_it_is(compiled: Compiled) -> None:
    folder, messages = compiled("in_part")
    layers = layers_file(folder)
    layers.write_text(layers.read_text(encoding="utf-8").replace("tfl.quantize", "007"), encoding="utf-8")

    report = vela_report.read(folder, messages.replace("tfl.quantize", "007"))

    assert "007" in {layer["name"] for layer in report.layers}
    assert ("QUANTIZE", "007") in report.refusals


@pytest.mark.parametrize(
    "name",
    ["a, b", ",", '"quoted"', "it's", "NPU,CPU,NPU", "one\ntwo", "\n\n", "x\rNPU,y\n", "a,b,NPU\u2028", "\x0c\x1c"],
)
def test_a_name_of_any_characters_is_one_row(compiled: Compiled, name: str) -> None:
    folder, messages = compiled("in_part")
    before = vela_report.read(folder, messages).layers
    layers = layers_file(folder)
    content = layers.read_bytes().decode().replace("tfl.quantize", name)
    layers.write_bytes(content.encode())

    report = vela_report.read(folder, messages.replace("tfl.quantize", name))

    quantize = [layer for layer in report.layers if layer["name"] == name]
    assert [layer["operator"] for layer in quantize] == ["Quantize"]
    assert [layer["cycles"] for layer in report.layers] == [layer["cycles"] for layer in before]
    (why,) = report.refusals["QUANTIZE", name]
    assert why.startswith("Operation has tensor with unsupported DataType Float32")


def test_a_model_that_is_all_on_the_npu_has_no_refusals(compiled: Compiled) -> None:
    assert vela_report.read(*compiled("on_npu")).refusals == {}


def test_refusals_go_by_kind_and_name(compiled: Compiled) -> None:
    refusals = vela_report.read(*compiled("in_part")).refusals

    (sine,) = (name for kind, name in refusals if kind == "SIN")
    assert sine.endswith("/Sin")
    why = f"Operation has tensor with unsupported DataType Float32 ({sine})"
    assert refusals == {
        ("DEQUANTIZE", "tfl.dequantize"): {"Unsupported opType"},
        ("SIN", sine): {"Unsupported opType"},
        ("QUANTIZE", "tfl.quantize"): {
            f'{why} Feature-map dataTypes must be one of {{"INT16", "INT32", "INT64", "INT8", "UINT8"}}'
        },
    }


def test_a_model_that_stays_on_the_cpu_altogether_is_reported_as_json(compiled: Compiled) -> None:
    report = vela_report.read(*compiled("on_cpu"))

    assert [layer["target"] for layer in report.layers] == ["CPU"]
    assert report.summary["cycles_total"] == 0
    json.dumps({"layers": report.layers, "summary": report.summary}, allow_nan=False)


def test_an_older_summary_left_in_the_folder_is_refused(compiled: Compiled) -> None:
    folder, messages = compiled("on_npu")
    shutil.copy(summary_file(folder), folder / "on_npu_summary_Ethos_U55_Deep_Embedded.csv")

    with pytest.raises(ReportError, match=r"Vela left 2 files like \*_summary_\*\.csv, not one"):
        vela_report.read(folder, messages)


def test_another_models_layers_left_in_the_folder_are_refused(compiled: Compiled) -> None:
    folder, messages = compiled("on_npu")
    shutil.copy(layers_file(folder), folder / "other_per-layer.csv")

    with pytest.raises(ReportError, match=r"Vela left 2 files like \*_per-layer\.csv, not one"):
        vela_report.read(folder, messages)


@pytest.mark.parametrize("find", [layers_file, summary_file])
def test_a_missing_report_says_which(compiled: Compiled, find: Callable[[Path], Path]) -> None:
    folder, messages = compiled("on_npu")
    find(folder).unlink()

    with pytest.raises(ReportError, match=r"Vela left 0 files like .*, not one; is this a version we know"):
        vela_report.read(folder, messages)


@pytest.mark.parametrize("lines", [0, 1], ids=["no bytes", "only its header"])
@pytest.mark.parametrize("find", [layers_file, summary_file])
def test_a_report_without_rows_is_called_empty(compiled: Compiled, find: Callable[[Path], Path], lines: int) -> None:
    folder, messages = compiled("on_npu")
    report = find(folder)
    report.write_text("".join(report.read_text(encoding="utf-8").splitlines(keepends=True)[:lines]), encoding="utf-8")

    with pytest.raises(ReportError, match=f"Vela's report {report.name} is empty"):
        vela_report.read(folder, messages)


@pytest.mark.parametrize("column", LAYER_COLUMNS)
def test_a_missing_column_of_the_layers_is_named(compiled: Compiled, column: str) -> None:
    folder, messages = compiled("on_npu")
    without_column(layers_file(folder), column)

    with pytest.raises(ReportError, match=f"per-layer report has no column '{column}'; is this a version we know"):
        vela_report.read(folder, messages)


@pytest.mark.parametrize("column", SUMMARY_COLUMNS)
def test_a_missing_column_of_the_summary_is_named(compiled: Compiled, column: str) -> None:
    folder, messages = compiled("on_npu")
    without_column(summary_file(folder), column)

    with pytest.raises(ReportError, match=f"summary .*has no column '{column}'; is this a version we know"):
        vela_report.read(folder, messages)


@pytest.mark.parametrize("find", [layers_file, summary_file])
def test_a_report_that_breaks_off_is_refused(compiled: Compiled, find: Callable[[Path], Path]) -> None:
    folder, messages = compiled("on_npu")
    report = find(folder)
    content = report.read_bytes()
    report.write_bytes(content[: content.rindex(b",", 0, content.rindex(b","))])

    with pytest.raises(ReportError, match=report.name):
        vela_report.read(folder, messages)
