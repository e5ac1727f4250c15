"""The fast weight format of the U85: every weight has the same number of bits.

A header of 256 bits is followed by the weights: of 8 bits as they are, or of 4 or 2 bits as an index
into the header's table. Vela takes it where reading compressed weights would be the slower way. The
format is that of Vela's encoder (``mlw_encode_fwd``, Apache-2.0).
"""

import numpy as np
import numpy.typing as npt

from pipeline.emulator.errors import StreamError

HEADER = 32
"""Its bytes."""
OFFSET = 13
"""The byte of it by which weights are moved into the range of a byte."""
TABLE = 14
"""The byte from which on it has a table of 16 weights, each of 9 bits, the lowest the sign."""
ENTRY_BITS = 9
RAW, SMALL = 1, 2
"""Bits of the first byte: the weights are as they are; an index has 2 bits, not 4."""


def decode(stream: bytes, count: int) -> npt.NDArray[np.int16]:
    """Return the weights of a stream, in the order in which they come.

    Args:
        stream: all of it, with the padding at its end.
        count: how many weights it has.

    Raises:
        StreamError: it isn't such a stream, has too few weights, or something behind them.

    """
    header = np.frombuffer(stream[:HEADER], np.uint8)
    if len(header) < HEADER or header[0] not in (0, RAW, SMALL) or header[1:OFFSET].any():
        message = f"fast weight stream of {len(stream)} bytes: its first {HEADER} are no header"
        raise StreamError(message)
    width = {RAW: 8, SMALL: 2}.get(int(header[0]), 4)
    body = np.frombuffer(stream[HEADER:], np.uint8)
    end = -(-count * width // 8)
    if len(body) < end or body[end:].any():
        what = "ends too early" if len(body) < end else f"has something behind byte {HEADER + end}"
        message = f"fast weight stream of {len(stream)} bytes: it {what}, with {count} weights of {width} bits"
        raise StreamError(message)
    if width == 8:  # noqa: PLR2004 - bits
        return np.asarray(np.subtract(body[:count].view(np.int8), header.view(np.int8)[OFFSET], dtype=np.int16))
    per_byte = 8 // width
    indices = body[:end, None] >> np.arange(per_byte) * width & (1 << width) - 1
    return np.asarray(_table(header)[indices.ravel()[:count]])


def _table(header: npt.NDArray[np.uint8]) -> npt.NDArray[np.int16]:
    bits = np.unpackbits(header[TABLE:], bitorder="little").reshape(-1, ENTRY_BITS).astype(np.int16)
    folded = bits @ (1 << np.arange(ENTRY_BITS, dtype=np.int16))
    return np.where(folded & 1, -(folded >> 1), folded >> 1).astype(np.int16)
