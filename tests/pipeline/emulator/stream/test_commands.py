"""Decoding words: registers that stay, and streams that are not what they should be."""

import numpy as np
import pytest

from pipeline.emulator.errors import StreamError
from pipeline.emulator.stream.commands import Kind, decode
from pipeline.emulator.stream.npu import Family
from tests.pipeline.emulator.compiled import Compile
from tests.pipeline.networks import Network

STOP = 0xFFFF0000
CONV = 0x00000002
SET_OFM_HEIGHT = 0x00050112
SET_ZERO_POINT = 0xFF800109
SET_IFM_BASE = 0x00014000


def words(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.uint32)


def test_an_operation_sees_the_registers_that_were_set_before_it() -> None:
    first, second, stop = decode(words(SET_OFM_HEIGHT, CONV, 0x00060112, SET_ZERO_POINT, CONV, STOP), Family.U55)

    assert (first.kind, first["OFM_HEIGHT_M1"]) == (Kind.CONV, 5)
    assert (second["OFM_HEIGHT_M1"], second.signed("IFM_ZERO_POINT")) == (6, -128)
    assert (first.offset, second.offset, stop.kind) == (4, 16, Kind.STOP)


def test_a_register_of_two_words_has_the_parameter_above_the_payload() -> None:
    (conv, _) = decode(words(SET_IFM_BASE, 0x80, CONV, STOP), Family.U65)

    assert conv["IFM_BASE0"] == 0x1_0000_0080


def test_a_register_that_was_never_set_is_an_error_that_names_it_and_the_place() -> None:
    (conv, _) = decode(words(SET_OFM_HEIGHT, CONV, STOP), Family.U55)

    with pytest.raises(StreamError, match="CONV at byte 0x4 of the command stream: reads register IFM_BASE0"):
        conv["IFM_BASE0"]


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (words(CONV, 0x000000FF, STOP), "unknown command 0x000000ff at byte 0x4"),
        (words(CONV, 0x0000C002, STOP), "unknown command 0x0000c002 at byte 0x4"),
        (words(CONV, SET_IFM_BASE), "the command stream ends within IFM_BASE0, at byte 0x4"),
        (words(CONV, CONV), "the command stream has no STOP in its 2 words"),
        (words(), "the command stream has no STOP in its 0 words"),
        (words(CONV, STOP, CONV, CONV), "2 words follow STOP"),
    ],
)
def test_a_damaged_stream_is_an_error_that_names_the_place(stream: np.ndarray, message: str) -> None:
    with pytest.raises(StreamError, match=message):
        decode(stream, Family.U55)


@pytest.mark.parametrize("accelerator", ["ethos-u55-128", "ethos-u65-512", "ethos-u85-256"])
def test_a_whole_stream_of_vela_is_decoded(compile_network: Compile, accelerator: str) -> None:
    mode = "Shared_Sram"
    program = compile_network(Network("gru", units=8), 3, accelerator, mode).program

    found = decode(program.words, program.npu.family)

    assert found[-1].kind is Kind.STOP
    assert {Kind.CONV, Kind.ELEMENTWISE} <= {command.kind for command in found}
    assert found[-1].offset == 4 * (len(program.words) - 1)
