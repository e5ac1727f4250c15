"""What the README says is so."""

import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from textual.binding import Binding, BindingType

from pipeline.stages.catalogue import by_name
from tests import json_page
from tests.conftest import ROOT, Project
from tui.app import Dashboard
from tui.screens.main import MainScreen
from tui.tabs.log import LogTab
from tui.widgets.row_table import RowTable
from tui.widgets.stage_table import StageTable

README = (ROOT / "README.md").read_text(encoding="utf-8")
ROOMS = [ROOT / "pipeline", ROOT / "tui"]
FILES = [ROOT / "doitw", ROOT / "dodo.py", ROOT / "docker" / "entrypoint"]
SOURCES = "".join(
    path.read_text(encoding="utf-8") for path in [*FILES, *(path for room in ROOMS for path in room.rglob("*.py"))]
)


def _table(header: str) -> list[list[str]]:
    """Return the cells of the rows below a header row."""
    rows = [row for row in README.partition(header)[2].splitlines()[1:] if not row.startswith("|---")]
    found = []
    for row in rows:
        if not row.startswith("|"):
            break
        found.append([cell.strip() for cell in row.strip("|").split("|")])
    assert found, header
    return found


def test_the_experiment_reference_is_what_the_schema_says() -> None:
    written = runpy.run_path(str(ROOT / "docs" / "reference.py"))
    (shown,) = written["MARKED"].findall(README)
    assert shown == written["reference"](), "run: python docs/reference.py"


def test_every_stage_is_explained() -> None:
    explained = [row[0].strip("`").removesuffix("/<target>") for row in _table("| stage | what it makes")]
    header = next(line for line in README.splitlines() if line.startswith("| stage | what it makes"))
    assert header
    assert set(by_name()) <= {re.sub(r"[^a-z]", "", name) for name in explained} | {"dataset"}


def test_every_artefact_that_is_named_is_made(template: Path) -> None:
    named = set(re.findall(r"`([a-z_.]+\.(?:npz|h5|json|tflite))`", README.partition("## What it builds")[2]))
    made = {path.name for path in (template / "build" / ".store").rglob("*")}
    assert named - made == set()


@pytest.mark.parametrize("text", [row[0].strip("`") for row in _table("| it says | why")])
def test_every_message_in_troubleshooting_is_one_of_ours(text: str) -> None:
    """Words that differ from case to case are cut off: they stand in braces in the source."""
    parts = [
        part
        for part in re.split(r"units|quantized|float32|nan|SIGKILL|SIGSEGV|; |another build", text)
        if len(part) > 5
    ]
    joined = re.sub(r'"\s*\n\s*f?"', "", SOURCES)
    assert parts
    assert all(part.strip(" ()?") in joined for part in parts), parts


@pytest.mark.parametrize("command", re.findall(r"^\| `\./doitw (.+?)` \|", README, re.MULTILINE))
def test_every_command_of_the_table_is_taken(request: pytest.FixtureRequest, command: str) -> None:
    words = command.split()
    compiles = words[0].partition(":")[0] in {"matrix", "report"}
    built: Project = request.getfixturevalue("with_matrix" if compiles else "built")
    if words == ["dashboard"]:  # needs a terminal; the same facts as text do not
        done = subprocess.run(
            [sys.executable, "-m", "tui", "--once"],
            cwd=built.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=True,
        )
        assert done.returncode == 0
        return
    if words[0] in {"network:mnist-gru", "-n", "build:tiny", "pareto:tiny"}:
        words = ["list", words[-1].split(":")[0]]  # what would train for a minute is only looked up
    if words == ["verify:mnist-gru"]:  # takes a minute
        words = ["verify:tiny"]
    printed = built.doit(*words, check=None)
    assert "ERROR" not in printed


def test_every_service_it_names_is_in_the_compose_file() -> None:
    named = set(re.findall(r"docker/compose\.yaml (?:run --rm|up) (\w+)", README))
    written = (ROOT / "docker" / "compose.yaml").read_text(encoding="utf-8").partition("\nservices:\n")[2]
    assert named == set(re.findall(r"^  (\w+):$", written, re.MULTILINE))


def test_the_numbers_of_the_shipped_experiment_are_those_of_a_build() -> None:
    """Checked where the slow test has built it: any build of the shipped settings on real MNIST."""
    shown = dict(row[:2] for row in _table("./doitw status --json mnist-gru`):\n\n| | |"))
    assert re.fullmatch(r"98\.\d\d %", shown["float accuracy, 10,000 test images"])
    assert "224 / 0" in shown["operators on the NPU / CPU"]


@pytest.mark.parametrize(
    ("picture", "words"), {"build.svg": "float&#160;accuracy", "dashboard.svg": "confusion"}.items()
)
def test_the_pictures_are_there(picture: str, words: str) -> None:
    assert f"](docs/{picture})" in README
    text = (ROOT / "docs" / picture).read_text(encoding="utf-8")
    assert text.lstrip().startswith("<svg")
    assert words in text


def test_every_key_that_it_names_is_one() -> None:
    named = {key for row in _table("| key | |") for key in re.findall(r"`(.+?)`", row[0])}
    words = {"[": "left_square_bracket", "]": "right_square_bracket", "/": "slash", "!": "exclamation_mark"}
    words |= {"?": "question_mark", "esc": "escape"}
    classes = (Dashboard, MainScreen, LogTab, StageTable, RowTable)
    bound = {key for widget in classes for bindings in widget.BINDINGS for key in _keys(bindings)}
    assert {words.get(key, key) for key in named} - bound - {"ctrl+p"} == set()


def _keys(binding: BindingType) -> list[str]:
    return (binding.key if isinstance(binding, Binding) else binding[0]).split(",")


def test_the_benchmarks_it_names_are_there_and_explain_themselves() -> None:
    named = re.findall(r"benchmarks[./](\w+)", README)
    assert named
    for name in set(named):
        assert (ROOT / "benchmarks" / f"{name}.py").exists(), name


def test_status_is_valid_json(built: Project) -> None:
    status = json.loads(built.doit("status", "--json", "tiny"))
    assert status["schema"] == 2
    assert json_page.problems("status --json", status) == []
