"""``doit pareto`` as a user meets it: one command, real trainings, table, plots, JSON, a picture and exit codes."""

import json
import re
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from tests import json_page
from tests.conftest import Project

pytestmark = pytest.mark.xdist_group("pareto")  # one worker builds the grid for all

GRID = ("pareto:tiny", "--rows-per-step", "1,3,4", "--units", "16")


@pytest.fixture(scope="module")
def answered(template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """Return a project whose grid is built, which nobody may change, and what was printed."""
    folder = tmp_path_factory.mktemp("pareto") / "Prüfstand zwei"
    shutil.copytree(template, folder, symlinks=True)
    project = Project(folder)
    return project, project.doit(*GRID)


def document(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((project.folder / "build" / "tiny" / "pareto.json").read_bytes())
    return found


def test_every_point_stands_in_the_table_and_the_experiment_itself_is_marked(answered: tuple[Project, str]) -> None:
    printed = answered[1]
    row = r"^([A-Z]) +(\d+) +(\d+) +[\d.]+ % +[\d.]+ % +[\d,]+ +[\d.]+ +(?:[\d.]+ KiB *){2}"
    rows = re.findall(row, printed, re.MULTILINE)
    assert [row[1:] for row in rows] == [("4", "16"), ("1", "16")], "by rising cycles"
    (own,) = [line for line in printed.splitlines() if line.endswith("<- tiny")]
    assert own.split()[:3] == ["B", "1", "16"]
    assert "Measured: accuracy, flash. Estimated by Vela: cycles, ms, SRAM. Of a whole sequence: cycles, ms." in printed
    assert printed.count("dots: Pareto front") == 3


def test_a_combination_that_can_not_be_says_why(answered: tuple[Project, str]) -> None:
    (line,) = [line for line in answered[1].splitlines() if line.startswith("not possible: ")]
    assert line.startswith("not possible: model.rows_per_step = 3 does not divide the 28 rows of the data set;")
    assert line.endswith("(3 rows, 16 units)")


def test_progress_says_which_point_of_how_many(answered: tuple[Project, str]) -> None:
    assert "start     pareto:tiny  2 points, 2 of them to make or restore" in answered[1]
    assert "point 1 of 2: 1 row, 16 units" in answered[1]
    assert "100 %  point 2 of 2: 4 rows, 16 units" in answered[1]


def test_what_is_remembered_is_restored_and_not_made_again(answered: tuple[Project, str]) -> None:
    events = answered[0].events()
    of_grid = [event for event in events if event.get("experiment") == "tiny.1-rows.16-units"]
    assert {event["event"] for event in of_grid} == {"stage_restored"}


def test_a_second_time_nothing_is_made(answered: tuple[Project, str]) -> None:
    project, printed = answered
    before = project.events()
    assert project.doit(*GRID) == printed[printed.index("tiny: int8 accuracy against cost") :]
    assert project.events() == before


def test_json_holds_what_the_results_hold(answered: tuple[Project, str]) -> None:
    project, _ = answered
    found = document(project)
    assert json.loads(project.out(*GRID, "--json")) == found
    assert json_page.problems("pareto --json", found) == []
    assert (found["schema"], found["target"], found["stand_in"]) == (2, "u55-128", None)
    folded, own, impossible = found["points"]
    assert (own["settings"]["model.rows_per_step"], folded["settings"]["model.rows_per_step"]) == (1, 4)
    for point in (folded, own):
        home = project.folder / "build" / "tiny" / "grid" / point["name"]
        compiled = json.loads((home / "vela" / "u55-128" / "stage.json").read_bytes())["metrics"]
        accuracy = json.loads((home / "accuracy" / "stage.json").read_bytes())["metrics"]
        assert point["accuracy"] == accuracy["scores"]["quantized"]["accuracy"]
        assert point["costs"]["cycles_total"] == compiled["cycles_total"]
        assert point["costs"]["flash_bytes"] == compiled["flash_bytes"]
        assert point["failure"] is None
    assert folded["costs"]["cycles_total"] < own["costs"]["cycles_total"] / 2, "a quarter of the steps"
    assert (impossible["accuracy"], impossible["costs"]) == (None, None)
    assert "does not divide" in impossible["impossible"]
    for cost in ("cycles_total", "flash_bytes", "sram_bytes"):
        best = {point["name"] for point in (folded, own) if cost in point["best_by"]}
        assert set(found["fronts"][cost]) == best
        assert folded["name"] in best


def test_the_picture_is_written(answered: tuple[Project, str]) -> None:
    text = (answered[0].folder / "build" / "tiny" / "pareto.svg").read_text(encoding="utf-8")
    assert text.count("<circle") == 6
    assert "int8 accuracy against cost on u55-128, 2 points" in text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--target", "u55-12"], "--target u55-12: did you mean u55-128? allowed: u55-128"),
        (["--units", "many"], "--units many: give numbers separated by commas, such as 1,2,4"),
    ],
)
def test_a_mistake_is_one_sentence(answered: tuple[Project, str], arguments: list[str], says: str) -> None:
    assert says in answered[0].doit("pareto:tiny", *arguments, check=1)


def test_a_grid_without_any_experiment_is_an_error(answered: tuple[Project, str], tmp_path: Path) -> None:
    shutil.copytree(answered[0].folder, tmp_path / "copy", symlinks=True)
    printed = Project(tmp_path / "copy").doit("pareto:tiny", "--rows-per-step", "3,5", "--units", "16", check=1)
    assert printed.count("not possible: ") == 2
    assert "0 points" in printed


def test_a_broken_experiment_is_one_sentence(project: Project) -> None:
    project.change("units = 16", "units = 0")
    assert "model.units = 0" in project.doit("pareto:tiny", check=1)


def test_a_model_that_was_made_elsewhere_can_not_be_varied(project: Project) -> None:
    tiny = (project.folder / "experiments" / "tiny.toml").read_text(encoding="utf-8")
    elsewhere = '[model]\ntflite = "mine.tflite"\n\n' + tiny[tiny.index("[vela.targets") :]
    (project.folder / "experiments" / "mine.toml").write_text(elsewhere, encoding="utf-8")
    printed = project.doit("pareto:mine", check=1)
    assert "the model of mine was made elsewhere, so there is nothing to vary" in printed


def test_clean_takes_the_points_out_of_sight(answered: tuple[Project, str], tmp_path: Path) -> None:
    shutil.copytree(answered[0].folder, tmp_path / "copy", symlinks=True)
    project = Project(tmp_path / "copy")
    project.doit("clean", "pareto:tiny")
    assert not [path for path in (project.folder / "build/tiny/grid").rglob("*") if path.is_symlink()]
    assert set(project.states().values()) == {"fresh"}
    assert "<- tiny" in project.doit(*GRID)


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_done(built: Project) -> None:
    running = built.start("pareto:tiny", "--rows-per-step", "14", "--units", "8,12")
    built.wait_for("stage_done", stage="network", experiment="tiny.14-rows.8-units")
    running.send_signal(signal.SIGINT)
    printed, _ = running.communicate(timeout=30)
    assert running.returncode == 128 + signal.SIGINT, printed
    assert "Traceback" not in printed
    built.wait_until(lambda: not built.stage_processes())
    assert (built.folder / "build/tiny/grid/14-rows.8-units/network/stage.json").exists()
    built.mark()
    built.doit("pareto:tiny", "--rows-per-step", "14", "--units", "8")
    done = [event for event in built.events()[built._before :] if event["event"] == "stage_done"]
    assert "network" not in {event["stage"] for event in done}
    assert {"accuracy", "vela"} <= {event["stage"] for event in done}
