"""Which elements of an operator a command of two operands computes, found from what it reads."""

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.emulator.machine.memory import CONSTANTS
from pipeline.emulator.proof.codes import Codes
from pipeline.emulator.proof.elements import Elements
from pipeline.emulator.proof.operands import Operands
from pipeline.emulator.proof.source import Model
from pipeline.emulator.proof.traces import Traces
from pipeline.emulator.stream.arithmetic import IDENTITY
from pipeline.emulator.stream.commands import Command, Kind
from pipeline.emulator.stream.feature_maps import FeatureMap
from pipeline.emulator.stream.operations import Activation, Binary, Elementwise, Operand
from tests.pipeline.emulator.machine.test_memory import program
from tests.pipeline.emulator.proof.described import tensor
from tests.pipeline.emulator.stream.test_feature_maps import ROWS

A, B = tensor(0, (2, 3, 4)), tensor(1, (2, 3, 4))
SEVENS, STORED = (tensor(number, (24,), np.array(data, np.int8)) for number, data in ((2, [7] * 24), (3, range(24))))
MODEL = Model(tensors=(A, B, SEVENS, STORED), operators=(), inputs=(A, B), outputs=())
AT_A, AT_B = (replace(ROWS, bases=(address, 0, 0, 0)) for address in (0, 32))
CONSTANT = replace(ROWS, region=CONSTANTS, bases=(0, 0, 0, 0))


@pytest.fixture
def operands() -> Operands:
    """Return a look at memories that hold A at 0, B at 32, and as constants 0, 1, 2, ..."""
    elements, traces = Elements(MODEL), Traces(program())
    traces.write(AT_A, elements.of(A).ravel())
    traces.write(AT_B, elements.of(B).ravel())
    return Operands(elements, traces)


def reading(*feature_maps: FeatureMap | None, ofm: FeatureMap = ROWS) -> tuple[list[Operand], Binary]:
    """Return the operands and the operation of a command; None is a number."""
    found = [Operand(feature_map=feature_map, scalar=0 if feature_map else 7) for feature_map in feature_maps]
    command = Command(offset=0, kind=Kind.ELEMENTWISE, parameter=1, registers=MappingProxyType({}))
    uncut = Activation(low=None, high=None)
    return found, Binary(
        command=command, mode=Elementwise.ADD, a=found[0], b=found[1], ofm=ofm, scale=IDENTITY, activation=uncut
    )


def codes(of: int) -> Codes:
    return Elements(MODEL).of(MODEL.tensors[of]).ravel()


def places(operands: Operands, inputs: list[Codes], reads: tuple[list[Operand], Binary]) -> npt.NDArray[np.int64]:
    found = operands.places(inputs, *reads)
    assert found is not None
    return found


def test_a_command_computes_all_or_some_of_the_elements(operands: Operands) -> None:
    inputs = [codes(0), codes(1)]
    second_row = [replace(one, height=1, bases=(one.bases[0] + 12, 0, 0, 0)) for one in (AT_A, AT_B)]

    assert places(operands, inputs, reading(AT_A, AT_B)).tolist() == list(range(24))
    row = places(operands, inputs, reading(*second_row, ofm=replace(ROWS, height=1)))
    assert row.tolist() == list(range(12, 24))


def test_an_operand_that_is_broadcast_is_read_again_for_each(operands: Operands) -> None:
    first = replace(AT_B, height=1, width=1)
    again = np.tile(codes(1)[:4], 6)

    assert places(operands, [codes(0), again], reading(AT_A, first)).tolist() == list(range(24))
    assert operands.places([codes(0), codes(1)], *reading(AT_A, first)) is None


def test_other_numbers_or_another_order_do_not_fit(operands: Operands) -> None:
    inputs = [codes(0), codes(1)]

    assert operands.places(inputs, *reading(AT_B, AT_A)) is None
    assert operands.places(inputs, *reading(AT_A, replace(AT_B, bases=(33, 0, 0, 0)))) is None
    assert operands.places([codes(0), codes(1)[::-1]], *reading(AT_A, AT_B)) is None


def test_constants_must_have_the_same_values(operands: Operands) -> None:
    """They may lie elsewhere than in the quantized model."""
    assert places(operands, [codes(0), codes(3)], reading(AT_A, CONSTANT)).tolist() == list(range(24))
    assert operands.places([codes(0), codes(3)], *reading(AT_A, replace(CONSTANT, bases=(1, 0, 0, 0)))) is None
    assert operands.places([codes(0), codes(1)], *reading(AT_A, CONSTANT)) is None


def test_a_number_stands_for_a_constant_that_is_the_same_throughout(operands: Operands) -> None:
    found, operation = reading(AT_A, None)

    assert places(operands, [codes(0), codes(2)], (found, operation)).tolist() == list(range(24))
    assert operands.scalar([codes(0), codes(2)], found) == 7
    assert operands.places([codes(0), codes(3)], found, operation) is None
    assert operands.scalar([codes(0), codes(1)], reading(AT_A, AT_B)[0]) is None


def test_of_constants_alone_nothing_can_be_told(operands: Operands) -> None:
    assert operands.places([codes(3), codes(2)], *reading(CONSTANT, None)) is None
