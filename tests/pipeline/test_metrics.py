"""The catalogue: a metric that is declared in one place is shown everywhere, and what a stage returns is declared."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.metrics import Metric, by_group, compared, costs, nulls, told
from pipeline.stages.catalogue import STAGES
from pipeline.text.quantities import COUNT, SHARE, SIZE
from tests.conftest import ROOT

CYCLES = Metric(name="cycles", title="cycles", quantity=COUNT, noun="cycles", basis="estimated", better="less")
DRAM = Metric(name="dram", title="DRAM", quantity=SIZE, basis="estimated", better="less", zero_is_none=True)
SCORE = Metric(name="scores.float.accuracy", title="accuracy", quantity=SHARE, basis="measured", better="more")
MACS = Metric(name="macs", title="MACs", quantity=COUNT, basis="estimated", detail=True)


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what each view says of results that have one more metric, declared once."""
    process = subprocess.run(
        [sys.executable, "-m", "tests.pipeline.new_metric"],
        cwd=tmp_path_factory.mktemp("metric"),
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    shown: dict[str, Any] = json.loads(process.stdout)
    return shown


@pytest.mark.parametrize(
    ("view", "says"),
    [
        ("summary", '["u55-128: energy", "4,321 uJ", "estimated"]'),
        ("check --json", '"u55-128.energy_uj": 4321'),
        ("check --baseline", "| u55-128.energy_uj | - | 4,321 | new |"),
        ("summary", '["confidence", "75.00 %", "measured"]'),
        ("check --json", '"confidence": 0.75'),
        ("once", "confidence  75.00 %, measured"),
        ("accuracy tab", "confidence  75.00 %, measured"),
        ("report", '["energy", "4,321", "estimated, u55-128"]'),
        ("matrix", '"on the CPU", "energy", ""]'),
        ("matrix", '"4,321"'),
        ("pareto", '"energy"'),
        ("once", "flash 658.3 KiB, 4,321 uJ, "),
        ("NPU tab", "energy     4,321"),
        ("matrix tab", "4.32k"),
        ("compare", '["  energy", "4,321"]'),
        ("compare's columns", '"energy"'),
    ],
)
def test_a_metric_that_is_declared_once_is_in_every_view(views: dict[str, Any], view: str, says: str) -> None:
    assert says in json.dumps(views[view], ensure_ascii=False)


def test_a_value_is_found_by_its_dotted_name() -> None:
    assert SCORE.of({"scores": {"float": {"accuracy": 0.5}}}) == 0.5
    for metrics in ({}, {"scores": None}, {"scores": {"float": None}}, {"scores": {"float": {"accuracy": "much"}}}):
        assert SCORE.of(metrics) is None, "an earlier version's result is none"


def test_the_reason_may_be_that_of_a_whole_table() -> None:
    assert SCORE.why_not({"scores.float": "made elsewhere"}) == "made elsewhere"
    assert SCORE.why_not({"scores.float.accuracy": "no labels", "scores": "made elsewhere"}) == "no labels"
    assert SCORE.why_not({"scores.quantized": "made elsewhere"}) is None
    assert nulls(["scores.float", "cycles"]) == {"scores": {"float": None}, "cycles": None}


def test_a_zero_that_means_nothing_has_no_column_and_is_a_dash() -> None:
    assert told([CYCLES, DRAM], [{"cycles": 0, "dram": 0}]) == [CYCLES]
    assert told([CYCLES, DRAM], [{"dram": 0}, {"dram": 1024}]) == [CYCLES, DRAM]
    assert (DRAM.cell(0), DRAM.cell(1024), CYCLES.cell(0), CYCLES.cell(None)) == ("-", "1.0 KiB", "0", "-")


def test_metrics_are_told_in_the_order_in_which_they_are_declared() -> None:
    metrics = [CYCLES, MACS, SCORE, DRAM]
    assert compared(metrics) == [CYCLES, SCORE, DRAM]
    assert costs(metrics) == [CYCLES, DRAM]
    assert [name for name, _ in by_group(metrics)] == ["cycles", "MACs", "accuracy", "DRAM"]
    assert (CYCLES.told(1234), DRAM.told(2048), CYCLES.exactly(1234)) == (
        "cycles 1,234",
        "DRAM 2.0 KiB",
        "1,234 cycles",
    )


@pytest.mark.parametrize("stage", list(STAGES.values()), ids=lambda stage: stage.module)
def test_no_stage_declares_a_metric_twice(stage: Any) -> None:
    names = [metric.name for metric in stage.metrics]
    assert len(set(names)) == len(names)
    assert names, "what a stage finds out is declared"


def test_no_view_names_a_metric_of_a_target_only_to_show_it() -> None:
    """Places that compute with one may: why it costs that, what fits a board, and the sentence of the placement."""
    may = {"explain", "metric_rows.py", "compiling.py", "gates", "uncompressed.py"}
    names = [metric.name for metric in costs(STAGES["vela"].metrics) if metric.name != "cpu_operators"]
    named = [
        (path.as_posix(), name)
        for folder in ("pipeline/views", "tui")
        for path in (ROOT / folder).rglob("*.py")
        if not may & set(Path(path).relative_to(ROOT).parts)
        for name in names
        if f'"{name}"' in path.read_text(encoding="utf-8")
    ]
    assert named == []
