"""An operator is added to the proof with one file in ``operators/``: here ``more/absolute.py``."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.emulator.machine.machine import Machine
from pipeline.emulator.proof import kinds, operators, static_checks
from tests.pipeline.emulator.compiled import CompileModel
from tests.pipeline.emulator.proof import against_kernels
from tests.pipeline.emulator.proof.one_input import everything, failures, micro, of_one
from tests.pipeline.emulator.single import Stored

MORE = Path(__file__).parent / "more"
X, OUTPUT = Stored(0.05, -20), Stored(0.05, -90)


@pytest.fixture
def _one_more(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the folder of operators have a file more."""
    kinds.load()
    monkeypatch.setattr(kinds, "_KINDS", dict(kinds._KINDS))
    monkeypatch.setattr(operators, "__path__", [*operators.__path__, str(MORE)])
    kinds.load.cache_clear()
    yield
    sys.modules.pop(f"{operators.__name__}.absolute", None)
    kinds.load.cache_clear()


def test_without_its_file_nothing_is_known_of_it(compile_model: CompileModel) -> None:
    found = compile_model(of_one("ABS", X, OUTPUT)).check()

    assert found.not_verified == ("ABS output: for every input; no formula is known, only samples show them",)


@pytest.mark.usefixtures("_one_more")
def test_its_table_equals_the_kernel_over_every_input(tmp_path: Path) -> None:
    against_kernels.of_one_input("ABS", against_kernels.rescaled(), tmp_path)


@pytest.mark.usefixtures("_one_more")
@pytest.mark.parametrize("accelerator", ["ethos-u55-128", "ethos-u85-256"])
def test_its_command_is_proved(compile_model: CompileModel, accelerator: str) -> None:
    compiled = compile_model(of_one("ABS", X, OUTPUT), accelerator)

    found = compiled.check()

    assert [(check.checked, check.failed) for check in found.checks if check.unit == "input pairs"] == [(256, 0)]
    assert not failures(found)
    assert (found.not_verified, found.by_samples, found.warnings) == ((), (), ())
    assert np.array_equal(everything(compiled.machine), micro("ABS", X, OUTPUT))


@pytest.mark.usefixtures("_one_more")
def test_a_command_that_computes_something_else_is_refused(compile_model: CompileModel) -> None:
    compiled, other = (compile_model(of_one("ABS", X, output)) for output in (OUTPUT, replace(OUTPUT, zero_point=-89)))

    (failure,) = failures(static_checks.check(Machine(other.program), compiled.model, compiled.origins))

    assert failure.startswith("ABS output (ELEMENTWISE at byte ")
    assert "of -128 it makes 19 instead of 18; " in failure
