"""What is known of kinds of operators is composed; what is not known is named."""

import ast
from pathlib import Path
from types import MappingProxyType

import pytest

from pipeline.emulator import proof
from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.machine.planning import Planned
from pipeline.emulator.proof import operators
from pipeline.emulator.proof.equivalence import compare
from pipeline.emulator.proof.kinds import composed
from pipeline.emulator.proof.matches import Match
from pipeline.emulator.stream.commands import Command, Kind
from pipeline.engine.project import Project
from pipeline.tflite.names import ACTIVATIONS, KINDS
from tests.pipeline.emulator import single
from tests.pipeline.emulator.proof.against_kernels import table
from tests.pipeline.emulator.proof.described import read
from tests.pipeline.emulator.single import Stored


def test_operators_in_a_row_make_one_table(tmp_path: Path) -> None:
    add = read(single.binary("ADD", Stored(0.05, 3), Stored(0.02, -9), Stored(0.06, 5)), tmp_path)
    tanh = read(single.model("TANH", [Stored(0.06, 5)], Stored(1 / 128, 0), [(256,)] * 2), tmp_path)
    both = composed([add, tanh])
    assert both[3 + 128, 100 + 128] == table(tanh)[int(table(add)[3 + 128, 100 + 128]) + 128]


def test_what_has_no_formula_is_named(tmp_path: Path) -> None:
    softmax = read(single.model("SOFTMAX", [Stored(0.1)], Stored(1 / 256, -128), [(1, 4)] * 2), tmp_path)
    with pytest.raises(NotVerifiedError, match="SOFTMAX output: no formula"):
        table(softmax)


def test_what_is_followed_and_not_compared_is_never_taken_for_proved(tmp_path: Path) -> None:
    operator = read(single.model("SOFTMAX", [Stored(0.1)], Stored(1 / 256, -128), [(1, 4)] * 2), tmp_path)
    command = Command(offset=0, kind=Kind.POOL, parameter=0, registers=MappingProxyType({}))

    compared = compare([Match(planned=Planned(command=command), operators=(operator,))])

    assert compared.not_verified == (
        "SOFTMAX output (POOL at byte 0x0 of the command stream): there is nothing to compare it with",
    )


def test_no_operator_is_known_outside_of_its_file() -> None:
    """Nothing else in the proof names one; ``RELU`` is also the name of an activation that is fused."""
    for module in Path(proof.__path__[0]).glob("*.py"):
        nodes = ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        words = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        allowed = set(ACTIVATIONS.values()) if module.stem == "activations" else set()
        assert words & set(KINDS.values()) <= allowed, module


@pytest.mark.parametrize("stage", ["verify", "verify_imported"])
def test_a_stage_that_proves_runs_every_file_of_an_operator(stage: str) -> None:
    files = {f"emulator/proof/operators/{module.name}" for module in Path(operators.__path__[0]).glob("*.py")}

    assert len(files) > 10
    assert files <= set(Project().toolchain().sources.run_by(f"pipeline.stages.{stage}"))
