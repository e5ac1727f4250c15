"""What is loaded for what: the dashboard opens at once, and its data can be used without it."""

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.tui.recorded import Recorded

HEAVY = {"tensorflow", "keras", "numpy", "ai_edge_litert", "ethosu", "scipy", "sklearn", "plotext", "doit"}
SCREEN = {"textual", "rich", "textual_serve", "textual_plotext", "aiohttp"}


def modules(folder: str, pattern: str = "*.py") -> list[str]:
    """Return the names of all modules below a folder of ours."""
    paths = [path.relative_to(ROOT).with_suffix("") for path in sorted((ROOT / folder).rglob(pattern))]
    return [".".join(path.parts).removesuffix(".__init__") for path in paths]


DATA = modules("tui/data")
TRAINS = ("pipeline.data.", "pipeline.compression.fine_tune", "pipeline.compression.kernels", "pipeline.training.")
LIGHT = [name for name in modules("pipeline") if not name.startswith(TRAINS)]


def loaded_by(code: str, folder: Path) -> set[str]:
    """Return the packages that a fresh Python has loaded after some code."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint('MODULES', *sys.modules)"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split("MODULES")[1].split())


@pytest.mark.parametrize(
    "module", ["tui.app", "tui.once", "tui.engine", "tui.serve", "tui.__main__", "tui.data.project", "tui.screens.main"]
)
def test_what_is_opened_first_loads_nothing_heavy(module: str, tmp_path: Path) -> None:
    assert not HEAVY & loaded_by(f"import {module}", tmp_path)


def test_the_data_need_no_screen_and_nothing_heavy(tmp_path: Path) -> None:
    assert set(DATA) >= {
        f"tui.data.{name}" for name in ("accuracy", "project", "changed_samples", "live", "logs", "operators")
    }
    found = loaded_by(f"import {', '.join(DATA)}", tmp_path)
    assert not (HEAVY | SCREEN) & found


@pytest.mark.parametrize("module", ["tui.engine", "tui.once", "tui.serve", "tui.__main__"])
def test_what_needs_no_screen_loads_none(module: str, tmp_path: Path) -> None:
    assert not SCREEN & loaded_by(f"import {module}", tmp_path)


def test_plain_text_of_a_whole_project_loads_neither_screen_nor_numpy(recorded: Recorded) -> None:
    recorded.write()
    recorded.build()
    found = loaded_by("from tui.__main__ import main\nmain(['--once'])", Path.cwd())
    assert not (HEAVY | SCREEN) & found


def test_no_light_module_of_the_pipeline_loads_the_dashboard(tmp_path: Path) -> None:
    found = loaded_by(f"import {', '.join(LIGHT)}", tmp_path)
    assert not {"tui", "textual", "tensorflow", "keras"} & found
    assert set(LIGHT) <= found


def test_no_module_of_the_pipeline_names_the_dashboard_at_all() -> None:
    for path in (ROOT / "pipeline").rglob("*.py"):
        words = path.read_text(encoding="utf-8").replace(".", " ").split()
        imported = {after for before, after in pairwise(words) if before in {"import", "from"}}
        assert not {"tui", "textual"} & imported, path


def test_nothing_of_the_dashboard_is_a_source_of_a_result() -> None:
    from pipeline.engine.project import Project  # noqa: PLC0415 - beside what it is about
    from pipeline.stages.catalogue import STAGES  # noqa: PLC0415

    sources = Project().toolchain().sources
    assert not [source for stage in STAGES.values() for source in sources.run_by(stage.module) if "tui" in source]
