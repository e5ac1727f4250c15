"""What is written is known where it lies, until something else is."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.emulator.machine.memory import CONSTANTS, LOOKUP, SCRATCH, Access
from pipeline.emulator.proof.traces import CONSTANT, UNKNOWN, Traces
from pipeline.emulator.stream.feature_maps import CHAINED, FeatureMap
from tests.pipeline.emulator.machine.test_memory import PLACE, program
from tests.pipeline.emulator.machine.test_views import BRICK, SMALL, SPREAD, WORDS

INSIDE = replace(WORDS, region=CHAINED + 2, bases=(0, 0, 0, 0))


@pytest.fixture
def traces() -> Traces:
    return Traces(program())


@pytest.mark.parametrize(
    "feature_map", [SMALL, WORDS, SPREAD, BRICK, INSIDE], ids=["rows", "32 bits", "spread", "bricks", "inside"]
)
def test_what_is_written_is_read_again(traces: Traces, feature_map: FeatureMap) -> None:
    codes = np.arange(1, feature_map.addresses.size + 1)

    traces.write(feature_map, codes)

    assert traces.read(feature_map).tolist() == codes.tolist()


def test_nothing_is_known_from_the_start_but_constants(traces: Traces) -> None:
    assert (traces.read(SMALL) == UNKNOWN).all()
    assert (traces.read(INSIDE) == UNKNOWN).all()
    assert (traces.read(replace(SMALL, region=CONSTANTS, bases=(0, 0, 0, 0))) == CONSTANT).all()


def test_stored_constants_are_read_in_their_type(traces: Traces) -> None:
    """The memory holds 0, 1, 2, ..., 31."""
    words = replace(WORDS, region=CONSTANTS, bases=(0, 0, 0, 0))
    half = replace(words, bits=16, depth=1, stride_x=2, bases=(8, 0, 0, 0))

    assert traces.constants(words).tolist() == [0x03020100 + 0x04040404 * place for place in range(6)]
    assert traces.constants(half).tolist() == [0x0908, 0x0B0A]


def test_a_transfer_takes_along_what_is_known_and_what_is_stored(traces: Traces) -> None:
    traces.write(SMALL, np.arange(1, 25))

    traces.move(Access(SCRATCH, 20, 24), Access(SCRATCH, 50, 54))
    traces.move(Access(CONSTANTS, 3, 5), Access(SCRATCH, 54, 56))
    traces.move(Access(CONSTANTS, 0, 32), Access(LOOKUP, 0, 32))

    moved = replace(SMALL, height=1, width=1, depth=6, bases=(50, 0, 0, 0))
    assert traces.read(moved).tolist() == [5, 6, 7, 8, CONSTANT, CONSTANT]
    assert traces.constants(moved)[4:].tolist() == [3, 4]


def test_what_is_forgotten_is_unknown_and_nothing_else(traces: Traces) -> None:
    traces.write(SMALL, np.arange(1, 25))

    traces.forget((Access(SCRATCH, 16, 18), Access(SCRATCH, 39, 41), Access(CHAINED + 2, 0, 8)))

    assert traces.read(SMALL).tolist() == [UNKNOWN, UNKNOWN, *range(3, 24), UNKNOWN]


def test_an_input_is_where_it_is_said_to_be(traces: Traces) -> None:
    traces.put(PLACE, np.array([1, 2, 3, 4]))

    seen = replace(SMALL, height=1, width=1, depth=6, bases=(PLACE.offset - 1, 0, 0, 0))
    assert traces.read(seen).tolist() == [UNKNOWN, 1, 2, 3, 4, UNKNOWN]


def test_a_number_of_32_bits_is_not_known_by_its_later_bytes(traces: Traces) -> None:
    traces.write(WORDS, np.arange(1, 7))

    assert traces.read(replace(WORDS, bases=(17, 0, 0, 0))).tolist() == [UNKNOWN] * 6


@pytest.mark.parametrize("byte", range(4))
def test_a_number_that_lost_any_of_its_bytes_is_no_longer_known(traces: Traces, byte: int) -> None:
    traces.write(WORDS, np.arange(1, 7))
    first = int(WORDS.addresses.ravel()[0])

    traces.write(replace(SMALL, height=1, width=1, depth=1, bases=(first + byte, 0, 0, 0)), np.array([99]))

    assert traces.read(WORDS).tolist() == [UNKNOWN, *range(2, 7)]
