"""Compiled operators of one input, given every number."""

import numpy as np
import numpy.typing as npt

from pipeline.emulator.machine.machine import Machine
from pipeline.emulator.proof import known_differences
from pipeline.emulator.proof.static_checks import Findings
from tests.pipeline.emulator import single
from tests.pipeline.emulator.compiled import CompileModel
from tests.pipeline.emulator.single import EVERY, Stored

SIGMOID, TANH = Stored(1 / 256, -128), Stored(1 / 128)


def failures(found: Findings) -> list[str]:
    """Return the first sentence of every check that fails."""
    return [check.first or check.name for check in found.checks if check.failed]


def everything(machine: Machine) -> npt.NDArray[np.int8]:
    """Return what a compiled operator of one input makes of every number."""
    (place,) = machine.program.inputs
    values = np.repeat(EVERY, int(np.prod(place.shape))).reshape(256, *place.shape)
    return np.asarray(next(iter(machine.run({place.name: values}).values())).reshape(256, -1)[:, 0])


def of_one(kind: str, x: Stored, output: Stored, size: int = 16) -> bytes:
    """Write a model of one operator."""
    return single.model(kind, [x], output, [(1, size)] * 2)


def micro(kind: str, x: Stored, output: Stored) -> npt.NDArray[np.int8]:
    """Return what TensorFlow Lite Micro makes of every number."""
    return single.run(single.model(kind, [x], output, [(256,)] * 2), EVERY)


def check_that_it_differs_as_known(
    compile_model: CompileModel, accelerator: str, operator: tuple[str, Stored, Stored], sentence: tuple[str, str, int]
) -> None:
    """Compile an operator; it must pass, and it must be said how its results differ, why, and how many can come up."""
    kind, x, output = operator
    extent, reason, within = sentence
    compiled = compile_model(of_one(kind, x, output), accelerator)

    found = compiled.check()

    assert not failures(found)
    assert not found.not_verified
    (warning,) = found.warnings
    assert warning == (
        f"{kind} output: the NPU differs from TensorFlow Lite Micro by {extent}, because {reason};"
        f" {within} of these inputs can come up"
    )
    differ = everything(compiled.machine) != micro(kind, x, output)
    assert int(differ.sum()) == within
    substituted = Machine(compiled.program, known_differences.substitutions(found.known))
    assert np.array_equal(everything(substituted), micro(kind, x, output))
