"""``doit check`` as CI meets it: exit code, table, JSON, and a baseline for a pull request."""

import json
from pathlib import Path

import pytest

from pipeline.views.check import BaselineError, read_baseline
from tests import json_page
from tests.conftest import Project
from tests.pipeline.records import amend

BUDGET = """
[budget]
accuracy_drop_max = 100.0
sram_max = 65536
flash_max = 1048576
cycles_max = {cycles}
"""


@pytest.fixture
def budgeted(built: Project) -> Project:
    """Return a project where tiny keeps its budgets, and mnist-gru has none to build."""
    (built.folder / "experiments" / "mnist-gru.toml").unlink()
    return set_cycles(built, 10_000_000)


def set_cycles(project: Project, cycles: int) -> Project:
    file = project.folder / "experiments" / "tiny.toml"
    text = file.read_text(encoding="utf-8").partition("\n[budget]")[0]
    file.write_text(text + BUDGET.format(cycles=cycles), encoding="utf-8")
    return project


def test_budgets_that_are_kept_pass_with_their_margins(budgeted: Project) -> None:
    printed = budgeted.doit("check")
    assert printed.startswith("tiny: all 4 budgets kept\n")
    assert "at most 65,536 B" in printed
    assert "estimated" in printed
    assert printed == budgeted.doit("check:tiny")


def test_a_budget_that_is_too_small_fails_and_is_named(budgeted: Project) -> None:
    set_cycles(budgeted, 10)
    printed = budgeted.doit("check", check=1)
    assert "tiny: 1 of 4 budgets not kept" in printed
    assert "FAILED check: tiny: cycles_max on u55-128: " in printed
    assert "at most 10 cycles allowed" in printed
    assert "OVER" in printed


def test_json_is_all_that_is_printed_even_when_something_had_to_be_built(budgeted: Project) -> None:
    set_cycles(budgeted, 10)
    budgeted.doit("forget", "vela:tiny:u55-128")
    document = json.loads(budgeted.out("check", "--json", check=1))
    assert (document["schema"], document["passed"]) == (2, False)
    assert json_page.problems("check --json", document) == []
    (found,) = document["experiments"]
    assert found["name"] == "tiny"
    assert {verdict["budget"]: verdict["passed"] for verdict in found["verdicts"]} == {
        "accuracy_drop_max": True,
        "cycles_max": False,
        "sram_max": True,
        "flash_max": True,
    }
    assert found["metrics"]["u55-128.cycles_total"] > 10


def test_a_baseline_shows_what_changed_as_a_markdown_table(budgeted: Project) -> None:
    baseline = budgeted.folder / "baseline.json"
    baseline.write_text(budgeted.out("check", "--json"), encoding="utf-8")
    budgeted.change("ethos-u55-128", "ethos-u55-32")
    printed = budgeted.doit("check", "--baseline", "baseline.json")
    table = printed[printed.index("### tiny") :].splitlines()
    assert table[:4] == [
        "### tiny: all 4 budgets kept",
        "",
        "| metric | baseline | now | change |",
        "| --- | ---: | ---: | ---: |",
    ]
    rows = {row.split(" | ")[0].strip("| "): row.strip("| ").split(" | ")[1:] for row in table[4:]}
    assert rows["scores.quantized.accuracy"][2] == "="
    assert rows["u55-128.cycles_total"][2].startswith("+")
    assert rows["u55-128.cycles_total"][2].endswith(" %")


def test_an_experiment_that_is_not_in_the_baseline_says_so(budgeted: Project) -> None:
    (budgeted.folder / "baseline.json").write_text('{"schema": 2, "experiments": []}', encoding="utf-8")
    printed = budgeted.doit("check", "--baseline", "baseline.json")
    assert "Not in the baseline." in printed
    assert "| new |" in printed


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "can't be read: No such file or directory"),
        ("", "is not what doit check --json prints"),
        ("[1]", "is not what doit check --json prints"),
        (
            '{"schema": 2, "experiments": [{"name": "a", "metrics": {"b": "c"}}]}',
            "is not what doit check --json prints",
        ),
        ('{"schema": 9}', "has schema 9, this version reads 2; make it again"),
    ],
)
def test_a_baseline_that_is_none_is_one_sentence(tmp_path: Path, content: str | None, says: str) -> None:
    file = tmp_path / "baseline.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(BaselineError) as caught:
        read_baseline(file)
    assert str(caught.value) == says


def test_without_a_budget_there_is_nothing_to_check(built: Project) -> None:
    (built.folder / "experiments" / "mnist-gru.toml").unlink()
    assert "no experiment has a [budget]" in built.doit("check", check=1)
    assert built.doit("check:tiny").startswith("tiny: no [budget] in experiments/tiny.toml")


def test_numbers_of_stand_in_data_say_so(budgeted: Project) -> None:
    amend(budgeted.folder / "build" / "tiny" / "accuracy", stand_in="digits")
    assert "WARNING: accuracies are of the stand-in digits" in budgeted.doit("check:tiny")
    assert json.loads(budgeted.out("check:tiny", "--json"))["experiments"][0]["stand_in"] == "digits"
