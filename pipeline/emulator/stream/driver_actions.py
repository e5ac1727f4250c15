"""What the driver is to do, as the command tensor has it: which NPU it is for, and the command stream."""

from typing import NoReturn

import numpy as np
import numpy.typing as npt

from pipeline.emulator.errors import StreamError
from pipeline.emulator.stream.npu import Family, Npu

FOURCC = b"COP1"
CONFIG, COMMAND_STREAM, NOP = 1, 2, 5
U85_LOOKUP_BYTES = 2048


def _fail(message: str) -> NoReturn:
    raise StreamError(message)


def read(content: bytes) -> tuple[Npu, npt.NDArray[np.uint32]]:
    """Read a command tensor: which NPU the stream is for, and the stream.

    Raises:
        StreamError: it is none, is cut short, or does what is not known.

    """
    if content[:4] != FOURCC:
        _fail(f"the command tensor begins with {content[:4]!r}, not {FOURCC!r}")
    words = np.frombuffer(content[: len(content) // 4 * 4], "<u4")
    npu, place = None, 1
    while place < words.size:
        word, action = int(words[place]), int(words[place]) & 0xFF
        place += 1
        if action == CONFIG:
            npu = _npu(int(words[place]))
            place += 2
        elif action == COMMAND_STREAM:
            count = word >> 16 | (word >> 8 & 0xFF) << 16
            if place + count > words.size:
                _fail(f"the command stream has {words.size - place:,} words, its length says {count:,}")
            if npu is None:
                _fail("the command stream does not say which NPU it is for")
            return npu, words[place : place + count]
        elif action != NOP:
            _fail(f"the command tensor has an unknown action {action} at byte {4 * (place - 1)}")
    _fail("the command tensor holds no command stream")


def _npu(config: int) -> Npu:
    product, macs = config >> 28, 1 << (config & 0xF)
    if product not in {family.value for family in Family}:
        _fail(f"the command stream is for an unknown product {product}")
    family = Family(product)
    shram_bytes = U85_LOOKUP_BYTES if family is Family.U85 else (config >> 8 & 0xFF) * 1024
    return Npu(family=family, macs=macs, shram_bytes=shram_bytes)
