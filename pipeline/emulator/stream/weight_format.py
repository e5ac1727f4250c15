"""The bits of a weight stream, decoded.

A stream is a row of slices. A slice has a header, and a body of chunks in which up to 12 weights
come as Golomb-Rice codes: a word of unary bits for all of them, and their remainders after the next
chunk's words. A weight's code is an index into the slice's palette or, beyond it, the weight itself.
Runs of zeros may be coded beside the other weights, in words and remainders of their own.

The format is that of ``mlw_codec`` (Apache-2.0), which Vela brings along. We decode on our own since
its decoder ends the process when a stream is cut short; the tests compare the two.
"""

from dataclasses import dataclass
from typing import NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt

from pipeline.emulator.errors import StreamError

Weights = npt.NDArray[np.int16]
Integers = npt.NDArray[np.int64]

END = 7
"""In place of a slice's divisor of zero runs: the stream ends; ones follow up to a multiple of 16 bytes."""
NO_ZERO_RUNS = 6
ZERO_DIVISORS = (0, 1, 2, 3, NO_ZERO_RUNS)
UNCOMPRESSED = 7
"""In place of a slice's divisor of weights: codes are remainders alone."""
WIDEST_REMAINDER = 5
"""With up to so many bits of remainder a chunk has 12 weights, with more 8."""
CODES = 512
"""A code has 9 bits."""


class Palette(NamedTuple):
    """What codes stand for, until a slice brings another one."""

    values: Weights
    offset: int
    """The first code beyond the palette stands for the value of this code."""
    bits: int
    """Width of a code in a slice that isn't compressed, when there is no palette."""
    zero_runs: bool

    def weights(self, codes: Integers) -> Weights:
        """Return the weights of these codes; the lowest bit is the sign."""
        inside = codes < len(self.values)
        listed = np.append(self.values, 0)[np.where(inside, codes, -1)]
        values = np.where(inside, listed, codes - len(self.values) + self.offset)
        return np.where(values & 1, -(values >> 1), values >> 1).astype(np.int16)


class _Bits:
    """A bit stream, the lowest bit of a byte first."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.size = 8 * len(content)
        self.position = 0
        self._padded = np.frombuffer(content + b"\0\0", np.uint8)

    def take(self, count: int) -> int:
        """Return the next bits, at most 24, as a number."""
        start = self.position
        self.position += count
        if self.position > self.size:
            self.fail("it ends in the middle of a slice")
        first = start >> 3
        return (int.from_bytes(self.content[first : first + 4], "little") >> (start & 7)) & ((1 << count) - 1)

    def at(self, starts: Integers, count: int) -> Integers:
        """Return the numbers of so many bits, at most 9, that start there."""
        first = starts >> 3
        two_bytes = self._padded[first] | self._padded[first + 1].astype(np.int64) << 8
        found: Integers = (two_bytes >> (starts & 7)) & ((1 << count) - 1)
        return found

    def only_ones_left(self) -> bool:
        rest = self.content[self.position >> 3 :]
        return not rest or (
            rest[0] >> (self.position & 7) == 0xFF >> (self.position & 7) and not rest[1:].strip(b"\xff")
        )

    def fail(self, what: str) -> NoReturn:
        message = f"weight stream, bit {min(self.position, self.size)} of {self.size}: {what}"
        raise StreamError(message)


@dataclass(frozen=True)
class _Slice:
    """A slice's header."""

    zero_divisor: int
    count: int
    """How many weights are coded, the zeros in runs not among them."""
    divisor: int
    truncated: bool
    """A quotient is at most 2, so that it needs no end."""
    compressed: bool
    runs: int
    """How many runs of zeros are coded."""


class _Coded:
    """The words and the places of the remainders of a slice's weights or zero runs, as they are found."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.words: list[tuple[int, int]] = []
        self.starts: list[int] = []
        self.counts: list[int] = []
        self.ended = 0
        """How many quotients ended so far; those beyond the wanted ones have no remainder."""
        self.pending = 0

    @property
    def missing(self) -> bool:
        return self.ended < self.wanted

    def add(self, words: tuple[int, int], symbols: int) -> None:
        self.words.append(words)
        self.pending = max(0, min(symbols, self.wanted - self.ended))
        self.ended += symbols

    def skip_remainders(self, bits: _Bits, count: int, width: int) -> None:
        self.starts.append(bits.position)
        self.counts.append(count)
        bits.position += count * width

    def values(self, bits: _Bits, quotients: Integers, width: int) -> Integers:
        """Return quotients and remainders put together."""
        counts = np.array(self.counts, np.int64)
        before = np.cumsum(counts) - counts
        starts = np.repeat(np.array(self.starts, np.int64) - before * width, counts) + np.arange(counts.sum()) * width
        return (quotients[: self.wanted] << width) + bits.at(starts, width)


def decode(stream: bytes, most: int) -> Weights:
    """Return the weights of one stream, in the order in which they come.

    Args:
        stream: all of it, with the padding at its end.
        most: how many weights it may have; bounds time and memory whatever the stream holds.

    Raises:
        StreamError: it isn't a weight stream, is cut short or has more weights; names the bit.

    """
    bits = _Bits(stream)
    palette: Palette | None = None
    found: list[Weights] = []
    room = most
    while (read := _header(bits, palette)) is not None:
        header, palette = read
        found.append(_body(bits, header, palette, room))
        room -= len(found[-1])
    return np.concatenate(found) if found else np.empty(0, np.int16)


def _header(bits: _Bits, palette: Palette | None) -> tuple[_Slice, Palette] | None:
    if bits.size - bits.position < END.bit_length() or (zero_divisor := bits.take(3)) == END:
        if not bits.only_ones_left():
            bits.fail("there is something behind its end")
        return None
    zero_runs = zero_divisor != NO_ZERO_RUNS
    count = bits.take(15) + 1
    divisor = bits.take(3)
    truncated = bool(bits.take(1))
    fresh = bool(bits.take(1))
    if fresh:
        palette = _palette(bits, zero_runs=zero_runs)
    if palette is None:
        bits.fail("the first slice has no palette")
    compressed = divisor != UNCOMPRESSED
    if (
        zero_divisor not in ZERO_DIVISORS
        or (compressed and divisor > WIDEST_REMAINDER)
        or zero_runs != palette.zero_runs
    ):
        bits.fail("a slice has a header that Vela doesn't write")
    if not compressed:
        divisor = (len(palette.values) - 1).bit_length() if len(palette.values) else palette.bits
    runs = (count + fresh) * zero_runs
    return _Slice(zero_divisor if zero_runs else 0, count, divisor, truncated, compressed, runs), palette


def _palette(bits: _Bits, *, zero_runs: bool) -> Palette:
    offset = bits.take(5)
    size = bits.take(5)
    width = bits.take(3) + 2
    values = [bits.take(width) for _ in range(size + 1 if size else 0)]
    return Palette(np.array(values, np.int16), offset, width, zero_runs)


def _body(bits: _Bits, header: _Slice, palette: Palette, room: int) -> Weights:
    if header.count > room:
        bits.fail(f"it has more weights than its layer, by {header.count - room} at least")
    weights, zeros = _chunks(bits, header)
    codes = weights.values(bits, _weight_quotients(weights.words, header), header.divisor)
    if codes.max() >= CODES:
        bits.fail(f"weight code {codes.max()} has more than 9 bits")
    found = palette.weights(codes)
    if not header.runs:
        return found
    runs = zeros.values(bits, _run_quotients(zeros.words, header), header.zero_divisor)
    if len(found) + runs.sum() > room:
        bits.fail(f"it has more weights than its layer, by {len(found) + runs.sum() - room} at least")
    before = np.cumsum(runs)[: header.count] if header.runs > header.count else np.cumsum(runs) - runs
    spread = np.zeros(len(found) + runs.sum(), np.int16)
    spread[np.arange(len(found)) + before] = found
    return spread


def _chunks(bits: _Bits, header: _Slice) -> tuple[_Coded, _Coded]:
    """Walk through a slice's chunks, from which one follows where the next one starts."""
    weights, zeros = _Coded(header.count), _Coded(header.runs)
    symbols = _symbols(header)
    run_bits = _run_bits(header)
    while True:
        balance = weights.ended - zeros.ended if header.runs else 0
        weights_now = balance < 8 and weights.missing  # noqa: PLR2004 - the decoder's flow control
        zeros_now = balance >= 0 and zeros.missing
        weights_before, weights.pending = weights.pending, 0
        zeros_before, zeros.pending = zeros.pending, 0
        first = bits.take(12) if weights_now and header.compressed else 0
        if zeros_now:
            word = bits.take(run_bits)
            zeros.add((word, 0), run_bits - word.bit_count())
        if weights_now:
            second = bits.take(first.bit_count())
            weights.add((first, second), symbols - (0 if header.truncated else second.bit_count()))
        weights.skip_remainders(bits, weights_before, header.divisor)
        zeros.skip_remainders(bits, zeros_before, header.zero_divisor)
        if not (weights_now or zeros_now):
            break
    if bits.position > bits.size:
        bits.fail("it ends in the middle of a slice")
    return weights, zeros


def _symbols(header: _Slice) -> int:
    """Return how many weights a chunk has at most."""
    return 12 if header.divisor <= WIDEST_REMAINDER else 8


def _run_bits(header: _Slice) -> int:
    """Return the width of a word of zero runs."""
    return 8 if header.zero_divisor == max(ZERO_DIVISORS[:-1]) else 12


def _weight_quotients(words: list[tuple[int, int]], header: _Slice) -> Integers:
    """Return the quotients of the weights: a one in the first word has a bit in the second one, to be added.

    Where both are ones, the next weight's digit is added too, unless the slice is truncated.
    """
    first, second = np.array(words, np.int64).T[:, :, None]
    ones = first >> np.arange(_symbols(header)) & 1
    digits = (ones + (ones & second >> (np.cumsum(ones, axis=1) - 1).clip(0))).ravel()
    if header.truncated:
        return np.asarray(digits)
    total = np.cumsum(digits)[digits < 2]  # noqa: PLR2004 - both are ones
    return _differences(total)


def _run_quotients(words: list[tuple[int, int]], header: _Slice) -> Integers:
    """Return the quotients of the zero runs: ones, and a zero at the end of each."""
    bits = (np.array(words, np.int64)[:, :1] >> np.arange(_run_bits(header)) & 1).ravel()
    return _differences(np.cumsum(bits)[bits == 0])


def _differences(totals: Integers) -> Integers:
    found: Integers = totals - np.concatenate([np.zeros(1, np.int64), totals[:-1]])
    return found
