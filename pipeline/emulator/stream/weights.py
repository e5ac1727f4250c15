"""The weights, biases and scales that a convolution's streams hold, as arrays."""

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.emulator.errors import StreamError
from pipeline.emulator.stream import fast_weights, weight_format
from pipeline.emulator.stream.npu import Family
from pipeline.emulator.stream.weight_order import PADDING, WeightLayout, positions

MOST_PER_BYTE = 64
"""A bit of a stream is at most 8 weights, zeros of a run."""
RECORD = 10
"""Bytes of a channel's bias and scale."""


class Scales(NamedTuple):
    """By output channel: what is added to a sum of products, and what it is multiplied with."""

    bias: npt.NDArray[np.int64]
    multiplier: npt.NDArray[np.int64]
    shift: npt.NDArray[np.int64]
    """To the right, after the multiplication."""


def weights(streams: Sequence[bytes], layout: WeightLayout) -> npt.NDArray[np.int16]:
    """Return the weights of a convolution, their zero point subtracted.

    Args:
        streams: one for each core, or a single one where ``layout.fast``; all of a stream's bytes.
        layout: what their order depends on.

    Returns:
        Output channels, kernel height, kernel width, input channels (1 where depthwise).

    Raises:
        StreamError: a stream can't be decoded, has too few or too many weights, or something where padding is.
        NotVerifiedError: their order isn't known.

    """
    if prod(layout.shape) > MOST_PER_BYTE * sum(map(len, streams)):
        message = f"{sum(map(len, streams))} bytes of weight streams can't hold {prod(layout.shape)} weights"
        raise StreamError(message)
    places = positions(layout)
    if len(streams) != len(places):
        message = f"a convolution has {len(streams)} weight streams instead of {len(places)}"
        raise StreamError(message)
    found = np.zeros(prod(layout.shape), np.int16)
    for number, (stream, place) in enumerate(zip(streams, places, strict=True)):
        values = fast_weights.decode(stream, len(place)) if layout.fast else weight_format.decode(stream, len(place))
        if len(values) != len(place):
            message = f"weight stream {number} has {len(values)} weights instead of {len(place)}"
            raise StreamError(message)
        padding = place == PADDING
        if values[padding].any():
            first = int(np.flatnonzero(padding & (values != 0))[0])
            message = f"weight {first} of weight stream {number} is {values[first]}, where padding of zeros belongs"
            raise StreamError(message)
        found[place[~padding]] = values[~padding]
    return found.reshape(layout.shape)


def scales(streams: Sequence[bytes], channels: int, family: Family, *, wide_bias: bool = False) -> Scales:
    """Return a convolution's biases and scales.

    A record has 5 bytes of bias, 4 of multiplier and 1 of shift on U55 and U65; on the U85 4, 4 and 1
    and an unused one, or for sums of 48 bits 6, 2, 1 and the unused one.

    Args:
        streams: all bytes of each; with two, channels are in turn from both.
        channels: how many output channels the convolution has.
        family: of the NPU.
        wide_bias: U85: the records are those for sums of 48 bits.

    Raises:
        StreamError: a stream is too short, or what follows a stream's records isn't zero.

    """
    records = np.zeros((channels, RECORD), np.uint8)
    for number, stream in enumerate(streams):
        own = len(range(number, channels, len(streams)))
        if len(stream) < own * RECORD:
            message = f"scale stream {number} ends at byte {len(stream)}, before its {own} channels of {RECORD} bytes"
            raise StreamError(message)
        if (rest := stream[own * RECORD :]).strip(b"\0"):
            message = (
                f"scale stream {number} goes on with {rest.lstrip(bytes(1))[:4].hex(' ')} after its {own} channels"
            )
            raise StreamError(message)
        records[number :: len(streams)] = np.frombuffer(stream, np.uint8, own * RECORD).reshape(own, RECORD)
    bias_bytes, scale_bytes = (5, 4) if family is not Family.U85 else (6, 2) if wide_bias else (4, 4)
    bias = _little_endian(records[:, :bias_bytes])
    bits = 8 * bias_bytes
    return Scales(
        bias=np.where(bias >> (bits - 1), bias - (1 << bits), bias),
        multiplier=_little_endian(records[:, bias_bytes : bias_bytes + scale_bytes]),
        shift=records[:, bias_bytes + scale_bytes].astype(np.int64) & 0x3F,
    )


def _little_endian(records: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    powers = 1 << np.arange(0, 8 * records.shape[1], 8)
    return records.astype(np.int64) @ powers
