"""What is known of each byte while planning, and what must not be read or written."""

import re

import numpy as np
import pytest

from pipeline.emulator.errors import NotVerifiedError, StreamError
from pipeline.emulator.machine.memory import (
    COMPUTED,
    CONSTANT,
    CONSTANTS,
    FAST_SCRATCH,
    LOOKUP,
    SCRATCH,
    Access,
    Contents,
)
from pipeline.emulator.stream.npu import Family, Npu
from pipeline.emulator.stream.program import Place, Program

PLACE = Place(name="input", shape=(1, 4), dtype=np.dtype(np.int8), offset=8)


def program(fast_scratch_bytes: int = 0, place: Place = PLACE) -> Program:
    return Program(
        npu=Npu(family=Family.U65, macs=256, shram_bytes=1024),
        words=np.zeros(0, np.uint32),
        constants=bytes(range(32)),
        scratch_bytes=64,
        fast_scratch_bytes=fast_scratch_bytes,
        inputs=(place,),
        outputs=(),
    )


def contents(fast_scratch_bytes: int = 0, place: Place = PLACE) -> Contents:
    return Contents(program(fast_scratch_bytes, place))


def test_the_constants_and_the_inputs_are_there_from_the_start() -> None:
    found = contents()

    assert found.states(Access(CONSTANTS, 0, 32), "CONV") == CONSTANT
    assert found.states(Access(SCRATCH, 8, 12), "CONV") == COMPUTED
    assert found.constant(Access(CONSTANTS, 4, 8), "CONV") == bytes([4, 5, 6, 7])


def test_what_a_transfer_brings_is_a_constant_until_it_is_written_over() -> None:
    found = contents(fast_scratch_bytes=16)
    found.write(Access(FAST_SCRATCH, 0, 4), "DMA", b"abcd")

    assert found.constant(Access(FAST_SCRATCH, 0, 4), "CONV") == b"abcd"

    found.write(Access(FAST_SCRATCH, 0, 4), "ADD")
    with pytest.raises(NotVerifiedError, match="CONV: reads weights, scales or a table that are computed"):
        found.constant(Access(FAST_SCRATCH, 0, 4), "CONV")


def test_fast_scratch_may_be_scratch_itself() -> None:
    assert contents().region(FAST_SCRATCH) == SCRATCH
    assert contents(16).region(FAST_SCRATCH) == FAST_SCRATCH


@pytest.mark.parametrize(
    ("access", "message"),
    [
        (Access(SCRATCH, 8, 13), "CONV: reads byte 0xc of scratch, which was never written"),
        (Access(LOOKUP, 0, 256), "CONV: reads byte 0x0 of look-up memory, which was never written"),
        (Access(SCRATCH, 60, 65), "CONV: bytes 0x3c to 0x41 of scratch, which has 0x40"),
        (Access(FAST_SCRATCH, 0, 1), "region 2 does not exist"),
    ],
)
def test_what_must_not_be_read_is_an_error_that_names_it(access: Access, message: str) -> None:
    with pytest.raises(StreamError, match=re.escape(message)):
        contents().states(access, "CONV")


def test_constants_and_computed_numbers_in_one_are_not_covered() -> None:
    found = contents()
    found.write(Access(SCRATCH, 12, 16), "DMA", b"abcd")

    with pytest.raises(NotVerifiedError, match="CONV: reads constants and computed numbers in one"):
        found.states(Access(SCRATCH, 8, 16), "CONV")


def test_nothing_may_be_written_into_the_constants_or_beyond_a_memory() -> None:
    with pytest.raises(StreamError, match="ADD: writes into the constants"):
        contents().write(Access(CONSTANTS, 0, 1), "ADD")
    with pytest.raises(StreamError, match="ADD: bytes 0x3f to 0x41 of scratch"):
        contents().write(Access(SCRATCH, 63, 65), "ADD")


def test_an_input_beyond_scratch_is_an_error_that_names_it() -> None:
    with pytest.raises(StreamError, match="input input: bytes 0x3e to 0x42 of scratch"):
        contents(place=Place(name="input", shape=(1, 4), dtype=np.dtype(np.int8), offset=62))
