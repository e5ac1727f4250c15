"""Which NPU a command tensor is for, and tensors that are none."""

import numpy as np
import pytest

from pipeline.emulator.errors import StreamError
from pipeline.emulator.stream import driver_actions
from pipeline.emulator.stream.driver_actions import COMMAND_STREAM, CONFIG, FOURCC, NOP
from pipeline.emulator.stream.npu import Family
from tests.pipeline.emulator.compiled import Compile
from tests.pipeline.networks import Network

U55_128 = 24 << 8 | 7
STREAM = [COMMAND_STREAM | 2 << 16, 0x11, 0x22]


def tensor(*words: int) -> bytes:
    return FOURCC + np.array(words, "<u4").tobytes()


@pytest.mark.parametrize(
    ("accelerator", "mode", "family", "cores"),
    [
        ("ethos-u55-32", "Shared_Sram", Family.U55, 1),
        ("ethos-u65-512", "Dedicated_Sram", Family.U65, 2),
        ("ethos-u85-2048", "Dedicated_Sram", Family.U85, 4),
    ],
)
def test_the_stream_says_which_npu_it_is_for(
    compile_network: Compile, accelerator: str, mode: str, family: Family, cores: int
) -> None:
    program = compile_network(Network("gru", units=8), 2, accelerator, mode).program

    assert f"ethos-{program.npu.name}" == accelerator
    assert (program.npu.family, program.npu.cores) == (family, cores)
    assert bool(program.fast_scratch_bytes) == (mode == "Dedicated_Sram")


def test_the_stream_is_what_stands_behind_its_length() -> None:
    npu, words = driver_actions.read(tensor(NOP, CONFIG, U55_128, 0, NOP, *STREAM, 0x33))

    assert (npu.name, npu.shram_bytes) == ("u55-128", 24 * 1024)
    assert words.tolist() == [0x11, 0x22]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"COP2" + tensor(*STREAM)[4:], rf"begins with b'COP2', not {FOURCC!r}"),
        (tensor(CONFIG, 15 << 28, 0, *STREAM), "for an unknown product 15"),
        (tensor(CONFIG, U55_128, 0, *STREAM[:2]), "has 1 words, its length says 2"),
        (tensor(*STREAM), "does not say which NPU it is for"),
        (tensor(9, *STREAM), "an unknown action 9 at byte 4"),
        (tensor(NOP), "holds no command stream"),
    ],
)
def test_a_tensor_that_is_none_is_an_error_in_words(content: bytes, message: str) -> None:
    with pytest.raises(StreamError, match=message):
        driver_actions.read(content)
