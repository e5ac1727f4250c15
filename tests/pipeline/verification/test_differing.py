"""The first operation that differs is found, whichever it is, and in whichever inference."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.data.arrays import DataSet
from pipeline.emulator.machine.machine import Machine
from pipeline.emulator.proof.codes import INSIDE
from pipeline.emulator.stream import program
from pipeline.emulator.stream.arithmetic import Scale
from pipeline.emulator.stream.operations import Binary, Substitution
from pipeline.npu.section import Target
from pipeline.stage import Found, Work
from pipeline.verification import differing, proving

pytest.importorskip("tflite_micro", reason="there is no package of it for this machine")

Chain = Callable[..., tuple[Mapping[str, Path], Mapping[str, Found]]]


@pytest.fixture(params=[{}, {"state": True, "steps_per_inference": 2}], ids=["whole sequences", "state"])
def compiled(
    request: pytest.FixtureRequest, chain: Chain, work: Callable[..., Work[Any]], target: Mapping[str, Any]
) -> differing.Compiled:
    """Return a compiled GRU, and what its checks found."""
    made, _ = chain("gru", **request.param)
    machine = Machine(program.load(made["vela"] / proving.COMPILED))
    findings = proving.check(work({}, made), msgspec.convert(target, Target), machine)
    return differing.Compiled(quantized=made["quantized"] / proving.QUANTIZED, machine=machine, checked=findings)


def test_nothing_differs_in_a_file_that_is_right(compiled: differing.Compiled, data: DataSet) -> None:
    assert differing.first_operation(compiled, data.x_test[0]) is None


@pytest.mark.parametrize("place", [0, 5, -1])
def test_an_operation_that_computes_something_else_is_the_first_named(
    compiled: differing.Compiled, data: DataSet, place: int
) -> None:
    whole = {offset for offset, codes in compiled.checked.computes.items() if (codes & INSIDE != INSIDE).all()}
    # The last is softmax's: its other commands compute what the quantized model has no tensor of.
    offsets = [each.command.offset for each in compiled.machine.planned if isinstance(each.operation, Binary)]
    wrong = [offset for offset in offsets if offset in whole][:-1][place]
    machine = Machine(compiled.machine.program, {wrong: Substitution(scale=Scale(multiplier=1 << 30, shift=20))})

    named = [differing.first_operation(replace(compiled, machine=machine), sample) for sample in data.x_test[:8]]

    found = next(each for each in named if each)
    assert f"at byte 0x{wrong:x} of" in found
    assert "where TensorFlow Lite Micro has" in found
