"""What ``docs/json.md`` says of ``stage.json`` and of metrics; other documents are looked at where they are made."""

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from pipeline.stages.catalogue import STAGES
from tests import json_page
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def records(template: Path) -> list[dict[str, Any]]:
    """Return the record of every stage of a tiny that is built."""
    found = [json.loads(path.read_bytes()) for path in sorted((template / "build" / ".store").glob("*/stage.json"))]
    assert found
    return found


def test_every_field_of_a_record_is_told(records: list[dict[str, Any]]) -> None:
    assert [problem for record in records for problem in json_page.problems("stage.json", record)] == []


def test_every_metric_that_a_stage_returns_is_told(records: list[dict[str, Any]]) -> None:
    section = json_page.PAGE.partition("\n## Metrics\n")[2].partition("\n## ")[0]
    told: dict[str, set[str]] = {}
    for modules, names in re.findall(r"^\| (`.+?`) \| (`.+?`) \|", section, re.MULTILINE):
        for module in re.findall(r"`(\w+)`", modules):
            told.setdefault(module, set()).update(name.split(".")[0] for name in re.findall(r"`(.+?)`", names))
    untold = {
        (record["stage"], name) for record in records for name in record["metrics"] if name not in told[record["stage"]]
    }
    assert untold == set()


def test_what_is_declared_is_returned(records: list[dict[str, Any]]) -> None:
    """But for metrics that only some models have, such as those of a graph that is tied."""
    missing = {
        (record["stage"], metric.name)
        for record in records
        for metric in STAGES[record["stage"]].metrics
        if metric.of(record["metrics"]) is None and metric.why_not(record["unavailable"]) is None
    }
    assert missing == set()


def test_the_basis_of_a_metric_is_what_its_stage_declares(records: list[dict[str, Any]]) -> None:
    said = {
        (record["stage"], metric.name): (record["basis"].get(metric.name.split(".")[0]), metric.basis)
        for record in records
        for metric in STAGES[record["stage"]].metrics
        if metric.name.split(".")[0] in record["basis"]
    }
    assert {name: pair for name, pair in said.items() if pair[0] != pair[1]} == {}


def test_the_table_of_metrics_is_what_the_stages_declare() -> None:
    written = runpy.run_path(str(ROOT / "docs" / "metrics.py"))
    (shown,) = written["MARKED"].findall(json_page.PAGE)
    assert shown == written["table"](), "run: python docs/metrics.py"
