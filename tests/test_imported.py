"""A model that was made elsewhere, through the whole build as its owner sees it."""

import json
from pathlib import Path

import pytest

from tests.conftest import Project
from tests.models import chain, packed

TARGET = """
[vela.targets.{name}]
accelerator = "{name}"
system_config = "{system}"
memory_mode = "{mode}"
"""
U55 = TARGET.format(name="ethos-u55-128", system="Ethos_U55_High_End_Embedded", mode="Shared_Sram")
U85 = TARGET.format(name="ethos-u85-256", system="Ethos_U85_SYS_DRAM_Mid", mode="Dedicated_Sram_384KB")


@pytest.fixture
def mine(project: Project) -> Project:
    """Return a project with a small model of the user's own, for two targets."""
    (project.folder / "models").mkdir()
    (project.folder / "models" / "mine.tflite").write_bytes(packed(chain(3)))
    text = f'description = "ours"\n[model]\ntflite = "models/mine.tflite"\n{U55}{U85}'
    (project.folder / "experiments" / "mine.toml").write_text(text, encoding="utf-8")
    return project


def test_it_is_looked_at_and_compiled_and_says_what_it_can_not_know(mine: Project) -> None:
    printed = mine.doit("build:mine")
    assert "int8 accuracy" in printed
    assert "not available: the model was made elsewhere" in printed
    assert "ethos-u55-128: inference" in printed
    assert "ethos-u85-256: inference" in printed
    rows = mine.status("mine")
    targets = ("ethos-u55-128", "ethos-u85-256")
    assert list(rows) == [
        "quantized:mine",
        *(f"{stage}:mine:{name}" for stage in ("vela", "verify") for name in targets),
    ]
    model = rows["quantized:mine"]
    assert model["metrics"]["scores"] == {"float": None, "quantized": None}
    assert "no test set" in model["unavailable"]["scores.quantized"]
    assert "up to date, nothing to do (5 stages)" in mine.doit("build:mine")

    assert "nothing to do" in _moved(mine).doit("build:mine"), "a path does not matter"

    (mine.folder / "elsewhere.tflite").write_bytes(packed(chain(2)))
    rows = mine.status("mine")
    assert rows["quantized:mine"]["reasons"] == ["model.tflite changed"]
    assert rows["vela:mine:ethos-u85-256"]["reasons"] == ["downstream of quantized"]


def test_what_is_proved_of_it_is_told_and_may_be_required(mine: Project) -> None:
    model = chain(3)
    model.subgraphs = [*model.subgraphs, *chain(1).subgraphs]
    (mine.folder / "models" / "mine.tflite").write_bytes(packed(model))

    assert "nothing proved; not compared" in mine.doit("build:mine")
    results = mine.results()
    again = mine.doit("verify:mine")
    assert "WARNING: verify:mine:ethos-u55-128: nothing proved (it has 2 command streams in 2 graphs, not one)" in again

    with (mine.folder / "experiments" / "mine.toml").open("a", encoding="utf-8") as file:
        file.write('[verify]\nrequire = "partly"\n')
    assert {row["state"] for row in mine.status("mine").values()} == {"fresh"}
    for task in ("verify:mine", "verify:mine:ethos-u85-256", "build:mine"):
        refused = mine.doit(task, check=5)
        assert "up to date, nothing to do" in refused
        assert 'verify.require = "partly" is not met: nothing proved for ' in refused
    assert mine.doit("-n", "2", "-c", "verify:mine", check=5).count("FAILED") == 1
    assert "nothing proved" in mine.doit("check:mine")
    assert mine.results() == results


def _moved(mine: Project) -> Project:
    (mine.folder / "models" / "mine.tflite").rename(mine.folder / "elsewhere.tflite")
    mine.change("models/mine.tflite", "elsewhere.tflite", "mine")
    return mine


def test_matrix_check_report_and_dashboard_cope_without_data(mine: Project) -> None:
    with (mine.folder / "experiments" / "mine.toml").open("a", encoding="utf-8") as file:
        file.write("[budget]\nsram_max = 100_000\naccuracy_min = 0.9\n")
    checked = mine.doit("check:mine", check=1)
    assert "accuracy_min can't be checked: the model was made elsewhere" in checked
    report = mine.doit("report:mine")
    assert "build/mine/report.html" in report
    html = (mine.folder / "build" / "mine" / "report.html").read_text(encoding="utf-8")
    assert "Not available: the model was made elsewhere, so there is no test set." in html
    assert "input value_0" in html
    assert "<h2>Training</h2>" not in html
    points = json.loads(mine.out("matrix:mine", "--json"))["points"]
    assert all(point["metrics"]["cycles_total"] > 0 for point in points)
    assert len(points) > 25


def test_the_same_model_costs_the_same_whoever_made_it(built: Project) -> None:
    made_here = built.status()["vela:tiny:u55-128"]["metrics"]
    path = Path("build/tiny/quantized/quantized.tflite")
    (built.folder / "experiments" / "again.toml").write_text(f'[model]\ntflite = "{path}"\n{U55}', encoding="utf-8")
    built.doit("build:again")
    assert built.status("again")["vela:again:ethos-u55-128"]["metrics"] == made_here


def test_what_is_wrong_with_the_file_is_one_sentence_and_no_traceback(mine: Project) -> None:
    (mine.folder / "models" / "mine.tflite").write_bytes(packed(chain(3))[:-20])
    printed = mine.doit("build:mine", check=1)
    assert "models/mine.tflite is truncated or damaged" in printed
    (mine.folder / "models" / "mine.tflite").unlink()
    assert "models/mine.tflite does not exist" in mine.doit("build:mine", check=1)
