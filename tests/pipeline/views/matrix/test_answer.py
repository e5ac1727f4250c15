"""The matrix as a user meets it: one command, real compiles, a table, JSON and exit codes."""

import contextlib
import importlib.util
import json
import os
import re
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from pipeline.npu import points
from tests import json_page
from tests.conftest import MATRIX, Project

TOTAL = 36
"""Compiles for one target: 29 points, its other strategy, clustered weights, the five boards that are no point."""


@pytest.fixture(scope="module")
def answered(matrix_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """Return a project whose matrix is compiled, which nobody may change, and what was printed."""
    folder = tmp_path_factory.mktemp("matrix") / "Prüfstand eins"
    shutil.copytree(matrix_template, folder, symlinks=True)
    return Project(folder), (folder / MATRIX).read_text(encoding="utf-8")


def as_json(project: Project, *arguments: str) -> dict[str, Any]:
    """Return what a command answers as JSON, which is all that it prints to its standard output."""
    found: dict[str, Any] = json.loads(project.out(*arguments, "--json"))
    return found


def test_every_point_stands_in_the_table_with_its_numbers(answered: tuple[Project, str]) -> None:
    _, printed = answered
    for point in points.points(every=False):
        (line,) = [
            line
            for line in printed.splitlines()
            if line.split()[:2] == [point.accelerator, point.memory_mode] and "(Size)" not in line
        ]
        assert re.search(r" [\d,]+ +\d+\.\d+ +\d+\.\d+ % +[\d.,]+ (KiB|bytes)", line), line
    assert "<- u55-128" in printed
    assert "Ethos_U85_SYS_DRAM_Mid, 1,000 MHz" in printed


def test_pairs_that_can_not_be_say_why(answered: tuple[Project, str]) -> None:
    (line,) = [line for line in answered[1].splitlines() if line.startswith("not possible: ")]
    assert line.startswith("not possible: ethos-u55-32, ethos-u55-64, ethos-u55-128, ethos-u55-256: ")
    assert "needs DRAM, which the U55 has not" in line


def test_the_reason_ends_the_answer(answered: tuple[Project, str]) -> None:
    said = answered[1].partition("why, on u55-128, as Vela estimates it:\n")[2].splitlines()
    assert len(said) >= 5
    assert all(line.startswith("  - ") for line in said)
    assert re.search(r"% of the [\d,]+ cycles", said[0])


def test_every_board_says_whether_the_model_fits(answered: tuple[Project, str]) -> None:
    project, printed = answered
    told = printed.partition("\nboards:\n")[2].partition("\n\n")[0]
    assert "RTSS-HP" in told
    by_name = {board["name"]: board for board in as_json(project, "matrix:tiny")["boards"]}
    assert all(board["fits"] for board in by_name.values())
    alif = by_name["Alif Ensemble E7, RTSS-HP, Ethos-U55-256"]["compile"]["metrics"]
    assert alif["core_clock_hz"] == 400e6, "compiled with the board's own timing"


def test_a_board_that_is_too_small_says_what_is_missing(with_matrix: Project) -> None:
    shipped = (with_matrix.folder / "pipeline/npu/boards/corstone-300-u55.toml").read_text(encoding="utf-8")
    (with_matrix.folder / "boards").mkdir()
    small = shipped.replace("2_097_152", "100").replace("Arm Corstone-300, Ethos-U55-128", "too small")
    (with_matrix.folder / "boards" / "small.toml").write_text(small, encoding="utf-8")
    (line,) = [line for line in with_matrix.doit("matrix:tiny").splitlines() if line.startswith("  too small")]
    assert re.search(r"  no +\d+\.\d+  needs [\d,.]+ KiB of SRAM and has 100 bytes: [\d,.]+ KiB too little", line)
    (with_matrix.folder / "boards" / "small.toml").write_text("name = 1", encoding="utf-8")
    assert "boards/small.toml: " in with_matrix.doit("matrix:tiny", check=1)


def test_a_target_with_its_own_ini_is_compiled_with_it(built: Project) -> None:
    ini = (built.folder / "pipeline/npu/boards/alif-ensemble.ini").read_text(encoding="utf-8")
    (built.folder / "mine.ini").write_text(ini, encoding="utf-8")
    built.change(
        'system_config = "Ethos_U55_High_End_Embedded"', 'system_config = "RTSS_HE_SRAM_MRAM"\nconfig = "mine.ini"'
    )
    built.doit("vela:tiny:u55-128")
    record = json.loads((built.folder / "build/tiny/vela/u55-128/stage.json").read_bytes())
    assert record["metrics"]["core_clock_hz"] == 160e6
    assert built.status()["vela:tiny:u55-128"]["state"] == "fresh"
    (built.folder / "mine.ini").write_text(ini.replace("core_clock=160e6", "core_clock=200e6"), encoding="utf-8")
    assert "mine.ini changed" in built.status()["vela:tiny:u55-128"]["reasons"]
    built.change("RTSS_HE_SRAM_MRAM", "RTSS_HE_SRAM")
    assert "did you mean RTSS_HE_SRAM_MRAM?" in built.doit("vela:tiny", check=1)


def test_a_second_time_nothing_is_compiled(answered: tuple[Project, str]) -> None:
    project, printed = answered
    before = project.events()
    again = project.doit("matrix:tiny")
    assert again == printed[printed.index("tiny: what it costs") :]
    assert project.events() == before


def test_json_holds_what_the_results_hold(answered: tuple[Project, str]) -> None:
    project, _ = answered
    found = as_json(project, "matrix:tiny")
    assert found["schema"] == 2
    assert json_page.problems("matrix --json", found) == []
    assert len(found["points"]) == 30
    for point in found["points"]:
        record = json.loads((project.folder / "build/tiny/matrix" / point["name"] / "stage.json").read_bytes())
        assert point["metrics"] == record["metrics"]
        assert point["basis"]["cycles_total"] == "estimated"
        assert point["failure"] is None
    assert [point["name"] for point in found["points"] if point["target"]] == ["u55-128.Shared_Sram.High_End_Embedded"]
    assert {pair["memory_mode"] for pair in found["impossible"]} == {"Dedicated_Sram"}
    assert found["reason"]["target"] == "u55-128"
    assert found["reason"]["basis"] == "estimated"
    assert {"bound", "roles", "macs", "memory_mode", "fastest"} <= {
        claim["about"] for claim in found["reason"]["claims"]
    }


def test_the_totals_are_velas_own_on_every_point(answered: tuple[Project, str]) -> None:
    project, _ = answered
    for point in as_json(project, "matrix:tiny")["points"]:
        layers = json.loads((project.folder / "build/tiny/matrix" / point["name"] / "layers.json").read_bytes())
        assert point["metrics"]["cycles_total"] == layers["summary"]["cycles_total"]
        assert point["metrics"]["cycles_total"] == sum(layer["cycles"] for layer in layers["layers"])
        named = point["accelerator"].replace("ethos-u", "Ethos_U").replace("-", "_")
        assert layers["summary"]["accelerator_configuration"] == named
        assert layers["summary"]["memory_mode"] == point["memory_mode"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--target", "u55-12"], "--target u55-12: did you mean u55-128? allowed: u55-128"),
        (["--optimise", "Speed"], "--optimise Speed: allowed: Performance, Size or both"),
    ],
)
def test_a_mistake_is_one_sentence(answered: tuple[Project, str], arguments: list[str], says: str) -> None:
    assert says in answered[0].doit("matrix:tiny", *arguments, check=1)


def test_a_broken_experiment_is_one_sentence(project: Project) -> None:
    project.change("units = 16", "units = 0")
    assert "model.units = 0" in project.doit("matrix:tiny", check=1)


@pytest.mark.slow
def test_ctrl_c_keeps_the_points_that_are_done(built: Project) -> None:
    running = built.start("matrix:tiny")
    built.wait_until(lambda: len(list((built.folder / "build/tiny/matrix").glob("u*"))) >= 3)
    running.send_signal(signal.SIGINT)
    printed, _ = running.communicate(timeout=30)
    assert running.returncode == 128 + signal.SIGINT, printed
    assert "Traceback" not in printed
    kept = len(list((built.folder / "build/tiny/matrix").glob("u*")))
    assert 3 <= kept < TOTAL
    built.wait_until(lambda: not built.stage_processes())
    built.mark()
    assert "Ethos_U85" in built.doit("matrix:tiny")
    events = [event for event in built.events()[built._before :] if event.get("stage") == "vela"]
    assert len([event for event in events if event["event"] in {"stage_done", "stage_restored"}]) == TOTAL - kept


def test_a_point_that_is_killed_fails_alone(with_matrix: Project) -> None:
    for link in sorted((with_matrix.folder / "build/tiny/matrix").glob("u*"))[:9]:  # to be compiled again
        shutil.rmtree(link.resolve())
        link.unlink()
    running = with_matrix.start("matrix:tiny")
    killed = False
    while not killed and running.poll() is None:
        servers = set(with_matrix.stage_processes())
        for process in servers:
            with contextlib.suppress(OSError):
                parent = int(Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()[1])
                if parent in servers:  # a fork at work, its own or Vela's
                    os.kill(process, signal.SIGKILL)
                    killed = True
                    break
    printed, _ = running.communicate(timeout=60)
    assert killed
    assert running.returncode == 1, printed
    (failed,) = [line for line in printed.splitlines() if " failed: " in line]
    assert "was killed (SIGKILL)" in failed or "Vela failed (signal 9)" in failed
    assert len(re.findall(r"^  ethos-u", printed, re.MULTILINE)) == 30


@pytest.mark.parametrize(
    ("init", "vela", "says"),
    [
        pytest.param(
            "raise ImportError('no ethosu here')", "", "a library is missing or broken (no ethosu here)", id="missing"
        ),
        pytest.param(
            None,
            "import sys; print('rubbish'); sys.exit(7)",
            "Vela failed (exit code 7): rubbish",
            marks=pytest.mark.slow,
            id="failing",
        ),
        pytest.param(
            None,
            "print('Done')",
            "Vela ended without an error, but wrote no compiled model",
            marks=pytest.mark.slow,
            id="rubbish",
        ),
    ],
)
def test_a_vela_that_is_none_is_a_sentence_at_every_point(
    built: Project, init: str | None, vela: str, says: str
) -> None:
    real = importlib.util.find_spec("ethosu")
    assert real
    assert real.submodule_search_locations
    fake = built.folder / "fake" / "ethosu"
    if init is None:
        shutil.copytree(next(iter(real.submodule_search_locations)), fake)
        (fake / "vela" / "vela.py").unlink()  # nothing to be loaded ahead: every point starts a Vela of its own
        (fake / "vela" / "__main__.py").write_text(vela, encoding="utf-8")
    else:
        fake.mkdir(parents=True)
        (fake / "__init__.py").write_text(init, encoding="utf-8")
    built.environment["PYTHONPATH"] = str(fake.parent)
    (built.folder / "experiments" / "mnist-gru.toml").unlink()
    targets = built.folder / "pipeline" / "npu" / "targets.py"
    text = targets.read_text(encoding="utf-8")
    for family, few in {'"u55": (32, ': '"u55": (', ", 512),": ",),", "(128, 256, 512, 1024, 2048)": "(256,)"}.items():
        assert family in text
        text = text.replace(family, few)
    targets.write_text(text, encoding="utf-8")
    printed = built.doit("matrix:tiny", check=1, timeout=120)
    rows = [line for line in printed.splitlines() if line.startswith("  ethos-u")]
    failed = [line for line in rows if f"failed: {says}" in line]
    assert len(rows) - len(failed) <= 1, "only the experiment's own target may have a result"
    assert len(failed) > 10
