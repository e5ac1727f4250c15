"""Fast weight streams, against an encoder of our own and Vela's description of them."""

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.emulator.errors import StreamError
from pipeline.emulator.stream.fast_weights import decode

RAW = np.arange(-128, 128)


def encoded(
    kind: int, numbers: npt.NDArray[np.int64], width: int, *, offset: int = 0, table: tuple[int, ...] = ()
) -> bytes:
    """Put a stream together bit by bit."""
    folded = [abs(value) << 1 | (value < 0) for value in table] + [0] * (16 - len(table))
    fields = [(kind, 2), (0, 102), (offset & 0xFF, 8), *((entry, 9) for entry in folded)]
    fields += [(int(number) & (1 << width) - 1, width) for number in numbers]
    bits = "".join(f"{value:0{size}b}"[::-1] for value, size in fields)
    bits += "0" * (-len(bits) % 256)
    return int(bits[::-1], 2).to_bytes(len(bits) // 8, "little")


@pytest.mark.parametrize("offset", [0, 5, -100])
def test_weights_of_a_byte_are_moved_into_its_range(offset: int) -> None:
    assert decode(encoded(1, RAW, 8, offset=offset), 256).tolist() == (RAW - offset).tolist()


def test_a_few_values_are_looked_up() -> None:
    table = (0, -255, 255, 1, -1, 7, 100, -100, 3, -3, 17, 18, 19, 20, 21, 22)
    indices = np.random.default_rng(0).integers(0, 16, 101)

    assert decode(encoded(0, indices, 4, table=table), 101).tolist() == [table[index] for index in indices]


def test_four_values_have_two_bits() -> None:
    table = (9, -9, 0, 200)
    indices = np.random.default_rng(0).integers(0, 4, 1_003)

    assert decode(encoded(2, indices, 2, table=table), 1_003).tolist() == [table[index] for index in indices]


def test_no_weights_are_a_header_alone() -> None:
    assert len(decode(encoded(1, RAW[:0], 8), 0)) == 0


@pytest.mark.parametrize("stream", [b"", bytes(31), b"\3" + bytes(63), b"\1" + bytes(3) + b"\1" + bytes(59)])
def test_what_has_no_header_is_an_error(stream: bytes) -> None:
    with pytest.raises(StreamError, match=f"fast weight stream of {len(stream)} bytes: its first 32 are no header"):
        decode(stream, 16)


def test_too_few_weights_are_an_error() -> None:
    with pytest.raises(StreamError, match="of 288 bytes: it ends too early, with 257 weights of 8 bits"):
        decode(encoded(1, RAW, 8), 257)


def test_too_many_weights_are_an_error() -> None:
    with pytest.raises(StreamError, match="something behind byte 287"):
        decode(encoded(1, RAW, 8), 255)
