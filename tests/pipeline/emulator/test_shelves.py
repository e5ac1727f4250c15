"""The shelves of the emulator stand above each other: the file, the machine that runs it, the proof."""

import ast
from pathlib import Path

import pytest

import pipeline.emulator

FOLDER = Path(pipeline.emulator.__file__).parent
SHELVES = ("stream", "machine", "proof")


def imported(module: Path) -> set[str]:
    """Return the names of modules of the emulator that a module imports, without the room's own."""
    nodes = [
        node for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)
    ]
    names = [f"{node.module}.{alias.name}" for node in nodes for alias in node.names]
    return {name.removeprefix("pipeline.emulator.") for name in names if name.startswith("pipeline.emulator.")}


@pytest.mark.parametrize("shelf", SHELVES)
def test_a_shelf_imports_only_what_stands_before_it(shelf: str) -> None:
    allowed = {"errors", *SHELVES[: SHELVES.index(shelf) + 1]}
    modules = list((FOLDER / shelf).rglob("*.py"))

    assert modules
    for module in modules:
        assert {name.split(".")[0] for name in imported(module)} <= allowed, module
