import ast
from pathlib import Path

import pytest

from pipeline.stage_list import IMPORTED, STAGES, Stage
from tests.conftest import ROOT

PACKAGE = ROOT / "pipeline"


def _imports(path: Path) -> set[Path]:
    """Return the files of ours that a file imports, packages included."""
    found: set[Path] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] != "pipeline":
                continue
            for end in range(2, len(parts) + 1):
                module = PACKAGE.joinpath(*parts[1:end])
                found |= {file for file in (module.with_suffix(".py"), module / "__init__.py") if file.is_file()}
    return found


def _closure(start: Path) -> set[str]:
    seen, todo = set[Path](), [start]
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            todo += _imports(path)
    return {path.relative_to(PACKAGE).as_posix() for path in seen}


@pytest.mark.parametrize("stage", [*STAGES.values(), *IMPORTED.values()], ids=lambda stage: stage.module)
def test_a_stage_declares_exactly_the_sources_it_runs(stage: Stage) -> None:
    """Else a change of one would not make the results stale, or a change elsewhere would."""
    assert set(stage.sources) == _closure(PACKAGE / "stages" / f"{stage.module}.py") | {"stages/__init__.py"}


def test_stages_stand_after_those_they_need() -> None:
    names = list(STAGES)
    assert all(names.index(need) < names.index(stage.name) for stage in STAGES.values() for need in stage.needs)
