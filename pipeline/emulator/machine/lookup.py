"""What a table in the NPU makes of a result: its entry, or a point between two of them.

The formulas for 16 bits are TensorFlow Lite's: ``generic_int16_table_lookup`` (common.h), and ``Logistic``
and ``Tanh`` of ``reference_integer_ops``, which look up one table of sigmoid(i / 24), since
tanh(x) = 2 sigmoid(2 x) - 1. Of the table that is built into U55 and U65 nothing is published: that it is
TensorFlow Lite's is inferred, and so are the sums of the U85, which brings the same table in its stream.
"""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.stream.arithmetic import Integers
from pipeline.emulator.stream.operations import Lookup

Numbers = npt.NDArray[Any]

MIDDLE = {Lookup.DIRECT: 128, Lookup.INTERPOLATED: 256, Lookup.SIGMOID: 256, Lookup.TANH: 256}
"""The entry that is for 0, of signed numbers."""
BETWEEN = {Lookup.INTERPOLATED: 7, Lookup.SIGMOID: 9, Lookup.TANH: 8}
"""Bits of a number that say where it is between two entries."""
ENTRIES_PER_UNIT = 24
ENDS = 255
"""From this entry on, and as far below zero, TensorFlow Lite has a constant; what the NPU has there isn't known."""


def look_up(how: Lookup, value: Integers, table: Numbers, *, signed: bool) -> Numbers:
    """Return the results for numbers that are cut to what the table is for.

    Args:
        how: the table's kind.
        value: scaled, with its zero point; a sigmoid's and tanh's is in units of 1 / 12,288, and not cut.
        table: its entries; of those to be interpolated, the slope is in the upper 16 bits.
        signed: whether the numbers are, so that the table begins below zero.

    Raises:
        NotVerifiedError: a number beyond the table.

    """
    bits = BETWEEN.get(how, 0)
    place = (value >> bits) + (MIDDLE[how] if signed else 0)
    within = abs(value) < ENDS << bits if how in {Lookup.SIGMOID, Lookup.TANH} else (place >= 0) & (place < len(table))
    if not within.all():
        message = f"a {how.value} of a number beyond it"
        raise NotVerifiedError(message)
    if how is Lookup.DIRECT:
        return np.asarray(table[place])
    base, slope = _parts(table[place])
    rise = slope * (value & (1 << bits) - 1)
    if how is Lookup.INTERPOLATED:
        return base + (rise + (1 << bits - 1) >> bits)
    found = (base << bits) + rise - (value < 0)
    if how is Lookup.TANH:
        return found + (1 << 7) >> 8
    return found + (1 << 24) + (1 << 9) >> 10


def _parts(entries: Numbers) -> tuple[Integers, Integers]:
    """Return the bases and the slopes of entries of 32 bits."""
    wide = entries.astype(np.int64)
    slope = wide >> 16
    base = wide & 0xFFFF
    return base - ((base & 0x8000) << 1), slope


@cache
def built_in() -> npt.NDArray[np.int32]:
    """Return the table of U55 and U65 for sigmoid and tanh, as a stream of the U85 brings it: 2**16 (sigmoid - 1/2).

    An entry is off the curve by half of what a straight line to the next one would be off at its middle:
    that gives TensorFlow Lite's ``sigmoid_table_uint16`` to the last number.
    """
    entry = np.arange(MIDDLE[Lookup.SIGMOID])
    bend = (_curve(entry) + _curve(entry + 1)) / 2 - _curve(entry + 0.5)
    above = np.rint(_curve(entry) - bend / 2).astype(np.int64)
    above[ENDS] = (1 << 15) - 1
    above = np.append(above, above[ENDS])
    bases = np.concatenate([-above[:0:-1], above])
    return ((bases[:-1] & 0xFFFF) | np.diff(bases) << 16).astype(np.int32)


def _curve(entry: Numbers) -> Numbers:
    return np.asarray((1 << 16) / (1 + np.exp(-entry / ENTRIES_PER_UNIT)) - (1 << 15))
