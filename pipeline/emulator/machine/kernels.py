"""What each kernel computes, on arrays of (samples, height, width, depth)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.machine.lookup import look_up
from pipeline.emulator.stream.arithmetic import Integers, rescale
from pipeline.emulator.stream.feature_maps import FeatureMap
from pipeline.emulator.stream.operations import (
    Activation,
    Binary,
    Convolution,
    Elementwise,
    Lookup,
    Pool,
    Pooling,
    Window,
)
from pipeline.emulator.stream.weights import Scales

Numbers = npt.NDArray[Any]

EXACT_FLOAT32 = 1 << 24
"""Sums of products below this are exact in float32, whatever their order."""
CACHED = 1 << 15
"""Sums that are scaled at a time, so that they stay in the processor's cache: twice as fast."""
WORD = np.iinfo(np.int32)
WORD_BITS = 32
LARGEST_SHIFT = 31


def finish(value: Integers, ofm: FeatureMap, activation: Activation, table: Numbers | None) -> Numbers:
    """Add the zero point, cut to the bounds, look up, and store.

    Raises:
        NotVerifiedError: a number does not fit 32 bits, or a table; what the hardware then does is not known.

    """
    value = value + ofm.zero_point
    if table is not None and activation.lookup in {Lookup.SIGMOID, Lookup.TANH}:
        value = np.asarray(look_up(activation.lookup, value, table, signed=ofm.signed))
    if activation.low is not None:
        np.clip(value, activation.low, activation.high, out=value)
    if table is not None and activation.lookup in {Lookup.DIRECT, Lookup.INTERPOLATED}:
        return look_up(activation.lookup, value, table, signed=ofm.signed).astype(ofm.dtype)
    if ofm.bits == WORD_BITS and value.size and not WORD.min <= value.min() <= value.max() <= WORD.max:
        message = "a result is beyond 32 bits"
        raise NotVerifiedError(message)
    return value.astype(ofm.dtype)


@dataclass(frozen=True)
class Product:
    """A convolution with its weights made ready: ``matrix`` is (kernel elements * inputs, outputs)."""

    operation: Convolution
    matrix: npt.NDArray[Any]
    scales: Scales

    @classmethod
    def of(cls, operation: Convolution, weights: npt.NDArray[np.int16], scales: Scales) -> "Product":
        """Prepare the product of a convolution; weights are (outputs, height, width, inputs)."""
        ifm = operation.ifm
        largest = 1 << ifm.bits  # |stored - zero point| is below this
        heaviest = int(np.abs(weights.astype(np.int64)).sum(axis=(1, 2, 3)).max())
        dtype = np.float32 if largest * heaviest < EXACT_FLOAT32 else np.float64
        bound = largest * heaviest + int(np.abs(scales.bias).max())
        if bound > WORD.max and ifm.bits == 8:  # noqa: PLR2004 - bits
            message = f"{operation.command}: its sums may be beyond 32 bits"
            raise NotVerifiedError(message)
        if operation.layout.depthwise:
            weights = _each_on_its_own(weights)
        matrix = np.ascontiguousarray(weights.reshape(len(weights), -1).T, dtype)
        return cls(operation, matrix, scales)

    def __call__(self, ifm: Numbers) -> Integers:
        """Multiply, add the bias and scale; (samples, height, width, depth)."""
        operation = self.operation
        x: Numbers = ifm.astype(self.matrix.dtype)
        x -= operation.ifm.zero_point
        window = operation.window
        if window.height == window.width == 1 and window.stride_y == window.stride_x == 1:
            rows = x
        else:
            taps = list(_taps(x, window, operation.ofm, 0.0))
            rows = np.concatenate(taps, axis=-1)
        found = np.empty((*rows.shape[:-1], self.matrix.shape[1]), np.int64)
        flat_rows, flat = rows.reshape(-1, len(self.matrix)), found.reshape(-1, self.matrix.shape[1])
        block = max(1, CACHED // flat.shape[1])
        for start in range(0, len(flat), block):
            sums = (flat_rows[start : start + block] @ self.matrix).astype(np.int64)
            sums += self.scales.bias
            part = rescale(sums, self.scales.multiplier, self.scales.shift, operation.rounding)
            flat[start : start + block] = part
        return found


def _each_on_its_own(weights: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """Return the weights of a depthwise convolution as those of one with all inputs, of which each output has one."""
    outputs, height, width, _ = weights.shape
    whole = np.zeros((outputs, height, width, outputs), np.int16)
    channel = np.arange(outputs)
    whole[channel, :, :, channel] = weights[:, :, :, 0]
    return whole


def _taps(x: Numbers, window: Window, ofm: FeatureMap, outside: float) -> Iterator[Numbers]:
    """Return what each element of the window sees of the input, for every output; beyond the input is ``outside``."""
    reach_y = (ofm.height - 1) * window.stride_y + (window.height - 1) * window.dilation_y + 1
    reach_x = (ofm.width - 1) * window.stride_x + (window.width - 1) * window.dilation_x + 1
    after_y, after_x = reach_y - window.pad_top - x.shape[1], reach_x - window.pad_left - x.shape[2]
    pads = ((0, 0), (window.pad_top, max(after_y, 0)), (window.pad_left, max(after_x, 0)), (0, 0))
    padded = np.pad(x, pads, constant_values=outside)
    for row in range(window.height):
        for column in range(window.width):
            top, left = row * window.dilation_y, column * window.dilation_x
            yield padded[
                :,
                top : top + (ofm.height - 1) * window.stride_y + 1 : window.stride_y,
                left : left + (ofm.width - 1) * window.stride_x + 1 : window.stride_x,
            ]


def pool(operation: Pool, ifm: Numbers) -> Integers:
    """Pool; (samples, height, width, depth), of depth 1 for a sum over the depth.

    Raises:
        NotVerifiedError: an average of more than one element.

    """
    x = ifm.astype(np.int64) - operation.ifm.zero_point
    if operation.mode is Pooling.REDUCE_SUM:
        return operation.scale.apply(x.sum(axis=-1, keepdims=True))
    window = operation.window
    if operation.mode is Pooling.AVERAGE and (window.height, window.width) != (1, 1):
        message = f"{operation.command}: an average of {window.height} x {window.width}"
        raise NotVerifiedError(message)
    lowest = np.iinfo(np.int64).min // 2
    found = np.stack(list(_taps(x, window, operation.ofm, lowest))).max(axis=0)
    return operation.scale.apply(found)


def elementwise(operation: Binary, a: Numbers | int, b: Numbers | int | None) -> Integers:
    """Combine stored numbers (a scalar comes without its zero point) and scale the result."""
    left = _operand(operation.a.feature_map, a)
    unary = b is None or operation.b is None
    if operation.mode not in (_UNARY if unary else _BINARY):
        message = f"{operation.command}: {operation.mode.value}"
        raise NotVerifiedError(message)
    if b is None or operation.b is None:
        return operation.scale.apply(_UNARY[operation.mode](left))
    right = _operand(operation.b.feature_map, b)
    scaled = operation.a.scale.apply(left), operation.b.scale.apply(right)
    if operation.mode is Elementwise.SHR:
        return rescale(scaled[0], 1, _shifts(operation, scaled[1]), operation.scale.rounding)
    if operation.mode is Elementwise.SHL:
        return scaled[0] << _shifts(operation, scaled[1])
    return operation.scale.apply(_BINARY[operation.mode](*scaled))


def _operand(feature_map: FeatureMap | None, stored: Numbers | int) -> Integers:
    value = np.asarray(stored, np.int64)
    return value if feature_map is None else value - feature_map.zero_point


def _shifts(operation: Binary, by: Integers) -> Integers:
    if by.size and not 0 <= by.min() <= by.max() <= LARGEST_SHIFT:
        message = f"{operation.command}: shifts by {by.min()} to {by.max()}"
        raise NotVerifiedError(message)
    return by


def _leading_zeros(value: Integers) -> Integers:
    """Count the leading zeros of 32 bits."""
    bits = np.frexp(np.where(value > 0, value, 0).astype(np.float64))[1]
    return np.where(value < 0, 0, WORD_BITS - bits).astype(np.int64)


_UNARY: Mapping[Elementwise, Callable[[Integers], Integers]] = {
    Elementwise.ABS: np.abs,
    Elementwise.CLZ: _leading_zeros,
}
_BINARY: Mapping[Elementwise, Callable[[Integers, Integers], Integers]] = {
    Elementwise.MUL: np.multiply,
    Elementwise.ADD: np.add,
    Elementwise.SUB: np.subtract,
    Elementwise.SHR: np.right_shift,
    Elementwise.SHL: np.left_shift,
}


def table_of(operation: Binary, lookup: Numbers | None) -> Numbers | None:
    """Return the results of an operation on 8 bits for every input, by the bytes of its inputs.

    It has 65,536 entries, at ``a << 8 | b``, or 256 where only one operand is a feature map. None for
    wider numbers.
    """
    maps = [operand.feature_map for operand in (operation.a, operation.b) if operand and operand.feature_map]
    if any(feature_map.bits != 8 for feature_map in maps):  # noqa: PLR2004 - bits
        return None
    numbers = [np.arange(256, dtype=np.uint8).view(feature_map.dtype) for feature_map in maps]
    pairs = list(np.meshgrid(*numbers, indexing="ij"))
    a = pairs.pop(0) if operation.a.feature_map else operation.a.scalar
    b = None if operation.b is None else pairs.pop(0) if operation.b.feature_map else operation.b.scalar
    value = elementwise(operation, a, b)
    return finish(value, operation.ofm, operation.activation, lookup).ravel()
