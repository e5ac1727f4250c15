"""The product as a user meets it: doit, experiments, results."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import FEW_SAMPLES, ROOT, TINY, Project

pytestmark = pytest.mark.smoke

OF_EXPERIMENT = [stage for stage in TINY if stage not in {"vela", "verify"}]
"""Stages that are made once, and not for every target."""


def test_a_cold_build_makes_every_stage_and_ends_with_the_summary(template: Path) -> None:
    build = template / "build" / "tiny"
    for stage in OF_EXPERIMENT:
        assert json.loads((build / stage / "stage.json").read_text())["stage"] == stage
    verify = json.loads((build / "verify" / "u55-128" / "stage.json").read_text())
    assert verify["metrics"]["identical_samples"] == verify["metrics"]["emulated_samples"] == 100
    vela = json.loads((build / "vela" / "u55-128" / "stage.json").read_text())
    assert vela["metrics"]["cycles_total"] > 0
    assert vela["basis"]["cycles_total"] == "estimated"
    assert vela["metrics"]["cpu_operators"] == 0


def test_a_second_build_does_nothing_and_says_so(built: Project) -> None:
    before = built.events()
    assert built.doit("build:tiny") == "tiny: up to date, nothing to do (7 stages)\n"
    assert built.events() == before


def test_the_summary_holds_what_an_engineer_asks_for(built: Project) -> None:
    built.doit("forget", "vela:tiny:u55-128")
    printed = built.doit("build:tiny")
    for words in ("float accuracy", "int8 accuracy", "points", "cycles", "SRAM", "flash", "on the CPU", "build/tiny/"):
        assert words in printed
    assert "estimated" in printed
    assert "measured" in printed
    assert "emulated" in printed


def test_changing_a_target_rebuilds_and_verifies_only_that(built: Project) -> None:
    built.change("ethos-u55-128", "ethos-u55-256")
    assert built.status()["vela:tiny:u55-128"]["reasons"] == ["accelerator ethos-u55-128 -> ethos-u55-256"]
    printed = built.doit("build:tiny")
    done = [line.split()[1] for line in printed.splitlines() if line.startswith("done")]
    assert done == ["vela:tiny:u55-128", "verify:tiny:u55-128"]


def test_returning_to_an_earlier_setting_restores_it(built: Project) -> None:
    first = built.results()
    built.change("ethos-u55-128", "ethos-u55-64")
    built.doit("build:tiny")
    built.change("ethos-u55-64", "ethos-u55-128")
    row = built.status()["vela:tiny:u55-128"]
    assert row["remembered"]
    printed = built.doit("build:tiny")
    assert "restored  vela:tiny:u55-128" in printed
    assert "start" not in printed
    assert built.results() == first


def _goes_the_long_way(project: Project) -> bool:
    """Tell whether doit makes its tasks before it finds that there is nothing to do."""
    code = "import sys; sys.argv = ['doit', 'build:tiny']; import dodo; print(dodo._nothing_to_do(sys.argv[1:]))"
    done = subprocess.run([sys.executable, "-c", code], cwd=project.folder, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1] == "False"


def test_the_short_way_of_a_build_with_nothing_to_do_is_not_taken_where_doit_would_do_more(built: Project) -> None:
    short = "tiny: up to date, nothing to do (7 stages)\n"
    built.doit("ignore", "vela:tiny:u55-128")
    assert "ignored: vela:tiny:u55-128" in built.doit("build:tiny")
    built.doit("forget", "vela:tiny:u55-128")
    assert "forgotten (doit forget)" in built.doit("build:tiny")
    settings = {"doit.cfg": "[run]\nalways = True\n", "pyproject.toml": "[tool.doit.commands.list]\nall = true\n"}
    for name, text in settings.items():
        (built.folder / name).write_text(text, encoding="utf-8")
        assert _goes_the_long_way(built), name
        (built.folder / name).unlink()
    assert not _goes_the_long_way(built)
    (built.folder / "experiments" / "broken.toml").write_text("[", encoding="utf-8")
    assert built.doit("build:tiny") == short, "another experiment's mistake is not this one's"
    assert "is not valid TOML" in built.doit("build:tiny", "build:broken", check=1)


def test_a_change_of_training_says_what_is_downstream(built: Project) -> None:
    built.change("units = 16", "units = 12")
    rows = built.status()
    assert rows["dataset:tiny"]["state"] == "fresh"
    assert rows["network:tiny"]["reasons"] == ["units 16 -> 12"]
    assert rows["quantized:tiny"]["reasons"] == ["downstream of network", "downstream of unrolled"]
    built.change("units = 12", "units = 16")
    assert set(built.states().values()) == {"fresh"}


def test_a_comment_in_the_experiment_changes_nothing(built: Project) -> None:
    built.change("[model]", "# a comment\n[model]")
    assert set(built.states().values()) == {"fresh"}


def test_writing_out_a_default_changes_nothing(built: Project) -> None:
    built.change("[training]", "[training]\nseed = 0")
    assert set(built.states().values()) == {"fresh"}


def test_forget_makes_a_stage_run_again_and_the_same_bytes_stop_there(built: Project) -> None:
    first = built.results()
    built.doit("forget", "unrolled:tiny")
    assert "doit forget" in built.status()["unrolled:tiny"]["reasons"][0]
    printed = built.doit("build:tiny")
    assert [line.split()[1] for line in printed.splitlines() if line.startswith("done")] == ["unrolled:tiny"]
    assert built.results() == first


def test_clean_unlinks_results_and_the_store_brings_them_back(built: Project) -> None:
    first = built.results()
    built.doit("clean", "--clean-dep", "build:tiny")
    assert built.results() == {}
    assert not (built.folder / "build" / "tiny").exists()
    printed = built.doit("build:tiny")
    assert printed.count("restored") == len(TINY)
    assert built.results() == first


def test_a_dry_clean_leaves_everything(built: Project) -> None:
    first = built.results()
    built.doit("clean", "--dry-run", "--clean-dep", "build:tiny")
    assert built.results() == first


def test_always_execute_really_executes(built: Project) -> None:
    printed = built.doit("--always-execute", "--single", "vela:tiny:u55-128")
    assert "done      vela:tiny:u55-128" in printed


def test_one_stage_builds_only_what_it_needs(project: Project) -> None:
    project.change(*FEW_SAMPLES)
    printed = project.doit("network:tiny")
    done = [line.split()[1] for line in printed.splitlines() if line.startswith("done")]
    assert done == ["dataset:tiny", "network:tiny"]
    assert "loss" in printed
    assert "accuracy" in printed


def test_list_and_info_work_before_anything_is_built(project: Project) -> None:
    assert "network" in project.doit("list")
    assert "vela:mnist-gru:u55-128" in project.doit("list", "--all", "-s")
    assert "dataset:tiny" in project.doit("info", "network:tiny", check=None)


def test_two_stages_run_at_the_same_time_with_n_2(built: Project) -> None:
    built.doit("forget", "accuracy:tiny", "vela:tiny:u55-128")
    printed = built.doit("-n", "2", "build:tiny")
    assert {line.split()[1] for line in printed.splitlines() if line.startswith("done")} == {
        "accuracy:tiny",
        "vela:tiny:u55-128",
    }


def test_a_moved_checkout_stays_up_to_date(built: Project, tmp_path: Path) -> None:
    moved = tmp_path / "anders wo"
    built.folder.rename(moved)
    assert "up to date" in Project(moved).doit("build:tiny")


def test_a_copied_checkout_stays_up_to_date(built: Project, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(built.folder, copy, symlinks=True)
    assert "up to date" in Project(copy).doit("build:tiny")


def test_a_copy_with_folders_in_place_of_links_can_be_built_on(built: Project, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(built.folder, copy, symlinks=False)
    project = Project(copy)
    assert "up to date" in project.doit("build:tiny")
    project.change("ethos-u55-128", "ethos-u55-32")
    project.doit("build:tiny")
    assert set(project.states().values()) == {"fresh"}


def test_a_mistake_in_an_experiment_is_one_line_and_no_traceback(built: Project) -> None:
    built.change("units = 16", "unit = 16")
    printed = built.doit("build:tiny", check=1)
    assert printed == (
        "FAILED build:tiny: experiments/tiny.toml: model.unit: unknown key; did you mean units?"
        " allowed: cell, units, layers, dense, activation, recurrent_activation, reset_after, rows_per_step or tflite\n"
    )
    rows = built.status()
    assert {row["state"] for row in rows.values()} == {"invalid"}
    assert "model.unit" in rows["network:tiny"]["reasons"][0]


def test_a_task_that_is_not_there_says_what_shows_those_that_are(project: Project) -> None:
    printed = project.doit("build:tyni", check=3)
    assert 'Invalid parameter: "build:tyni"' in printed
    assert '"doit list"' in printed


def test_a_mistake_in_one_experiment_leaves_the_others_alone(built: Project) -> None:
    (built.folder / "experiments" / "broken.toml").write_text("[model", encoding="utf-8")
    assert "up to date" in built.doit("build:tiny")
    assert "is not valid TOML" in built.doit("network:broken", check=1)
    assert "network:broken" in built.status("broken")


def test_a_failed_stage_names_its_log_and_later_stages_do_not_run(built: Project) -> None:
    built.change("representative_samples = 20", "representative_samples = 99999")
    printed = built.doit("build:tiny", check=1)
    assert "quantization.representative_samples = 99999, but there are only 2000" in printed
    assert "vela" not in printed
    built.change("representative_samples = 99999", "representative_samples = 20")
    assert "up to date" in built.doit("build:tiny"), "what was whole before the failure is fresh when it is taken back"


def test_what_a_stage_warns_of_is_said_where_no_summary_is_shown(project: Project) -> None:
    x, labels = np.random.default_rng(0).normal(2_048, 640, (30, 5, 4)), np.arange(30) % 3
    np.savez(project.folder / "raw.npz", x_train=x, y_train=labels, x_test=x, y_test=labels)
    project.change('name = "digits"', 'name = "npz"\npath = "raw.npz"')

    printed = project.doit("dataset:tiny")

    assert "dataset:tiny: x_train is not scaled (mean 2,0" in " ".join(printed.split())
    assert "x_train is not scaled" not in project.doit("dataset:tiny"), "it is not said again of what was made before"


def test_status_says_fresh_or_not_by_its_exit_code(built: Project) -> None:
    built.doit("status", "tiny", check=0)
    built.change("units = 16", "units = 12")
    built.doit("status", "tiny", check=1)
    assert "there are:" in built.doit("status", "nonesuch", check=1)


def test_status_json_lists_every_stage_of_every_experiment(built: Project) -> None:
    document = json.loads(built.doit("status", "--json", check=1))
    assert {row["task"] for row in document["stages"]} >= {
        *(f"{stage}:tiny" for stage in OF_EXPERIMENT),
        "vela:tiny:u55-128",
        "verify:tiny:u55-128",
        *(f"{stage}:mnist-gru" for stage in OF_EXPERIMENT),
        "vela:mnist-gru:u55-128",
    }
    for row in document["stages"]:
        assert row["state"] in {"fresh", "stale", "invalid"}
        assert bool(row["reasons"]) == (row["state"] != "fresh")


def test_prune_keeps_what_is_shown(built: Project) -> None:
    first = built.results()
    built.change("ethos-u55-128", "ethos-u55-64")
    built.doit("build:tiny")
    built.change("ethos-u55-64", "ethos-u55-128")
    built.doit("build:tiny")
    assert "freed 0.0 MB" not in built.doit("prune", "--keep", "0")
    assert built.results() == first
    built.change("ethos-u55-128", "ethos-u55-64")
    assert not built.status()["vela:tiny:u55-128"]["remembered"]
    assert "give a size" in built.doit("prune", "--keep", "lots", check=1)


def test_a_second_store_gives_a_fresh_checkout_its_results(built: Project, project: Project, tmp_path: Path) -> None:
    for each in (built, project):
        each.environment["UNROLL_CACHE"] = str(tmp_path / "shared")
    built.doit("forget", "dataset:tiny", "vela:tiny:u55-128")
    built.doit("build:tiny")
    assert "restored  dataset:tiny" in project.doit("dataset:tiny")


def test_a_second_store_that_cannot_be_written_only_warns(built: Project) -> None:
    built.environment["UNROLL_CACHE"] = "/dev/null/nowhere"
    built.doit("forget", "vela:tiny:u55-128")
    assert "warning: UNROLL_CACHE=/dev/null/nowhere" in built.doit("build:tiny")


def test_neither_the_graph_nor_a_no_op_imports_anything_heavy(built: Project) -> None:
    code = "import sys; sys.argv = ['doit', *sys.argv[1:]]\nfrom doit.__main__ import main\n"
    code += "try:\n    main()\nexcept SystemExit:\n    pass\nprint('MODULES', *sys.modules)"
    for arguments in (["list"], ["status", "tiny"], ["build:tiny"]):
        printed = subprocess.run(
            [sys.executable, "-c", code, *arguments], cwd=built.folder, capture_output=True, text=True, check=True
        ).stdout
        modules = set(printed.split("MODULES")[1].split())
        assert not modules & {"tensorflow", "keras", "numpy", "textual", "rich", "ai_edge_litert", "ethosu", "scipy"}


@pytest.mark.parametrize(
    "module",
    [
        "dodo",
        "pipeline.engine.status",
        "pipeline.engine.build",
        "pipeline.engine.running.run",
        "pipeline.engine.running.work",
        "pipeline.command_line.console",
    ],
)
def test_the_light_part_imports_nothing_heavy(module: str, tmp_path: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {module}; print(*sys.modules)"
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    heavy = {"tensorflow", "keras", "numpy", "textual", "ai_edge_litert", "ethosu", "sklearn", "scipy", "tui"}
    assert not heavy & set(printed.split())
