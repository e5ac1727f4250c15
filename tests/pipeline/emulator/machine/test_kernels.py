"""Kernels on arrays, against their definitions written out in Python's integers and in NumPy."""

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.machine import kernels
from pipeline.emulator.machine.kernels import Product
from pipeline.emulator.stream.arithmetic import IDENTITY, Rounding, Scale
from pipeline.emulator.stream.commands import Command, Kind
from pipeline.emulator.stream.npu import Family, Npu
from pipeline.emulator.stream.operations import (
    Activation,
    Binary,
    Convolution,
    Elementwise,
    Lookup,
    Operand,
    Pool,
    Pooling,
    Window,
)
from pipeline.emulator.stream.weight_order import WeightLayout
from pipeline.emulator.stream.weights import Scales
from tests.pipeline.emulator.stream.test_feature_maps import ROWS

COMMAND = Command(offset=0, kind=Kind.CONV, parameter=0, registers=MappingProxyType({}))
NPU = Npu(family=Family.U55, macs=128, shram_bytes=0)
INT8 = Activation(low=-128, high=127)
WORDS = replace(ROWS, bits=32)
UNCUT = Activation(low=None, high=None)
RANDOM = np.random.default_rng(0)
EVERY = np.arange(-128, 128).astype(np.int8)


def convolution(window: Window, inputs: int, outputs: int, *, depthwise: bool = False, bits: int = 8) -> Convolution:
    """Return a convolution of 6 x 7 inputs to 3 x 2 outputs."""
    layout = WeightLayout(
        npu=NPU,
        ofm_depth=outputs,
        kernel_height=window.height,
        kernel_width=window.width,
        ifm_depth=inputs,
        ofm_block_depth=16,
        depthwise=depthwise,
    )
    return Convolution(
        command=COMMAND,
        ifm=replace(ROWS, height=6, width=7, depth=inputs, bits=bits, zero_point=-5),
        ofm=replace(ROWS, height=3, width=2, depth=outputs),
        window=window,
        weights=(),
        scales=(),
        layout=layout,
        activation=INT8,
        rounding=Rounding.NATURAL,
    )


@pytest.mark.parametrize(
    ("window", "depthwise", "bits"),
    [
        (Window(height=1, width=1), False, 8),
        (Window(height=1, width=1, stride_y=2, stride_x=3), False, 8),
        (Window(height=3, width=2, stride_x=2, pad_top=1, pad_left=1), False, 8),
        (Window(height=2, width=3, dilation_y=2, dilation_x=2, pad_left=2), False, 8),
        (Window(height=3, width=3, stride_y=2, stride_x=2, pad_top=1), True, 8),
        (Window(height=2, width=2, pad_top=1), False, 16),
    ],
)
def test_a_convolution_is_the_sum_of_products_written_out(window: Window, *, depthwise: bool, bits: int) -> None:
    """Natural rounding takes halves up; beyond the input there is the zero point."""
    operation = convolution(window, 4, 4 if depthwise else 5, depthwise=depthwise, bits=bits)
    outputs = operation.ofm.depth
    weights = RANDOM.integers(-255, 256, operation.layout.shape).astype(np.int16)
    scales = Scales(*(RANDOM.integers(*limits, outputs) for limits in ((-9000, 9000), (1, 1 << 15), (0, 20))))
    x = RANDOM.integers(-(1 << bits - 1), 1 << bits - 1, (2, 6, 7, 4)).astype(f"i{bits // 8}")

    found = Product.of(operation, weights, scales)(x if window.height > 1 or window.stride_y > 1 else x[:, :3, :2])

    for sample, y, column, output in np.ndindex(found.shape):
        total = int(scales.bias[output])
        for row, across, channel in np.ndindex(weights.shape[1:]):
            at_y = y * window.stride_y + row * window.dilation_y - window.pad_top
            at_x = column * window.stride_x + across * window.dilation_x - window.pad_left
            if 0 <= at_y < 6 and 0 <= at_x < 7:
                read = int(x[sample, at_y, at_x, output if depthwise else channel])
                total += (read + 5) * int(weights[output, row, across, channel])
        shift = int(scales.shift[output])
        wanted = (2 * total * int(scales.multiplier[output]) + (1 << shift)) >> (shift + 1)
        assert found[sample, y, column, output] == wanted


def test_sums_beyond_32_bits_are_not_guessed() -> None:
    operation = convolution(Window(height=1, width=1), 4, 1)
    scales = Scales(np.array([2**31 - 1 - 4 * 256 * 255]), np.array([1]), np.array([0]))
    weights = np.full((1, 1, 1, 4), 255, np.int16)

    Product.of(operation, weights, scales)
    with pytest.raises(NotVerifiedError, match=r"CONV at byte 0x0 .*: its sums may be beyond 32 bits"):
        Product.of(operation, weights, scales._replace(bias=scales.bias + 1))


def pooling(mode: Pooling, window: Window, scale: Scale = IDENTITY) -> Pool:
    ofm = replace(ROWS, height=2, width=3, depth=4)
    return Pool(
        command=COMMAND, mode=mode, ifm=replace(ofm, zero_point=7), ofm=ofm, window=window, scale=scale, activation=INT8
    )


def test_the_largest_of_a_window_is_taken_and_nothing_beyond_the_input_is() -> None:
    x = RANDOM.integers(-128, -90, (2, 2, 3, 4)).astype(np.int8)

    found = kernels.pool(pooling(Pooling.MAX, Window(height=2, width=3, pad_top=1, pad_left=1)), x)

    for y, column in np.ndindex(2, 3):
        seen = x[:, max(y - 1, 0) : y + 1, max(column - 1, 0) : column + 2]
        assert np.array_equal(found[:, y, column], seen.max(axis=(1, 2)).astype(int) - 7)


def test_a_sum_over_the_depth_is_scaled() -> None:
    x = RANDOM.integers(-128, 128, (2, 2, 3, 4)).astype(np.int8)

    halved = Scale(multiplier=1, shift=1, rounding=Rounding.TRUNCATE)
    found = kernels.pool(pooling(Pooling.REDUCE_SUM, Window(height=1, width=1), halved), x)

    assert np.array_equal(found, (x.astype(int) - 7).sum(axis=-1, keepdims=True) // 2)


def test_an_average_of_several_is_not_covered() -> None:
    with pytest.raises(NotVerifiedError, match="an average of 1 x 2"):
        kernels.pool(pooling(Pooling.AVERAGE, Window(height=1, width=2)), np.zeros((1, 2, 3, 4), np.int8))


def binary(mode: Elementwise, *, unary: bool = False, **output: Any) -> Binary:
    return Binary(
        command=COMMAND,
        mode=mode,
        a=Operand(feature_map=WORDS),
        b=None if unary else Operand(feature_map=WORDS),
        **{"ofm": WORDS, "scale": IDENTITY, "activation": UNCUT, **output},
    )


NUMBERS = [-(2**31) + 1, -65_536, -3, -1, 0, 1, 2, 255, 65_535, 2**31 - 1]


@pytest.mark.parametrize(
    ("mode", "function"),
    [
        (Elementwise.MUL, lambda a, b: a * b),
        (Elementwise.ADD, lambda a, b: a + b),
        (Elementwise.SUB, lambda a, b: a - b),
        (Elementwise.SHL, lambda a, b: a << (b & 31)),
        (Elementwise.SHR, lambda a, b: (2 * a + (1 << (b & 31))) >> ((b & 31) + 1)),
    ],
)
def test_two_operands_are_what_pythons_integers_make_of_them(
    mode: Elementwise, function: Callable[[int, int], int]
) -> None:
    """A shift to the right rounds as its command says: here halves up."""
    shifts = mode in {Elementwise.SHL, Elementwise.SHR}
    rounded = replace(IDENTITY, rounding=Rounding.NATURAL)
    for b in NUMBERS:
        by = b & 31 if shifts else b
        found = kernels.elementwise(binary(mode, scale=rounded), np.array(NUMBERS), np.full(len(NUMBERS), by))
        assert found.tolist() == [function(a, b) for a in NUMBERS]


def test_one_operand_is_what_pythons_integers_make_of_it() -> None:
    zeros = kernels.elementwise(binary(Elementwise.CLZ, unary=True), np.array(NUMBERS), None)
    absolute = kernels.elementwise(binary(Elementwise.ABS, unary=True), np.array(NUMBERS), None)

    assert zeros.tolist() == [0 if a < 0 else 32 - a.bit_length() for a in NUMBERS]
    assert absolute.tolist() == [abs(a) for a in NUMBERS]


def test_what_is_not_covered_is_named() -> None:
    with pytest.raises(NotVerifiedError, match="CONV at byte 0x0 of the command stream: MIN"):
        kernels.elementwise(binary(Elementwise.MIN), np.array([1]), np.array([2]))
    with pytest.raises(NotVerifiedError, match="LRELU"):
        kernels.elementwise(binary(Elementwise.LRELU, unary=True), np.array([1]), None)
    for mode in (Elementwise.SHL, Elementwise.SHR):
        with pytest.raises(NotVerifiedError, match="shifts by -1 to 32"):
            kernels.elementwise(binary(mode), np.array([1, 1]), np.array([-1, 32]))


def test_a_result_gets_its_zero_point_is_cut_and_then_looked_up() -> None:
    ofm, table = replace(ROWS, zero_point=10), EVERY[::-1]
    values = np.array([-200, -60, 0, 45, 200])

    cut = kernels.finish(values.copy(), ofm, Activation(low=-50, high=50), None)
    looked_up = kernels.finish(values.copy(), ofm, Activation(low=-50, high=50, lookup=Lookup.DIRECT), table)

    assert cut.tolist() == [-50, -50, 10, 50, 50]
    assert cut.dtype == np.int8
    assert looked_up.tolist() == [49, 49, -11, -51, -51]


def test_a_result_beyond_32_bits_is_not_guessed() -> None:
    for limit, beyond in ((2**31 - 1, 1), (-(2**31), -1)):
        assert kernels.finish(np.array([limit]), WORDS, UNCUT, None).item() == limit
        with pytest.raises(NotVerifiedError, match="beyond 32 bits"):
            kernels.finish(np.array([limit + beyond]), WORDS, UNCUT, None)


def by_bytes(numbers: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    return numbers.view(np.uint8).astype(int)


def test_a_table_holds_the_result_for_the_bytes_of_the_inputs() -> None:
    small, unsigned = replace(ROWS, zero_point=3), replace(ROWS, signed=False, zero_point=100)
    half = Scale(multiplier=1, shift=1, rounding=Rounding.NATURAL)
    operation = Binary(
        command=COMMAND,
        mode=Elementwise.SUB,
        a=Operand(feature_map=small),
        b=Operand(feature_map=unsigned),
        ofm=replace(ROWS, zero_point=-1),
        scale=half,
        activation=INT8,
    )
    a, b = np.meshgrid(EVERY, np.arange(256, dtype=np.uint8), indexing="ij")
    wanted = np.clip((a.astype(int) - 3 - (b.astype(int) - 100) + 1 >> 1) - 1, -128, 127)

    table = kernels.table_of(operation, None)
    with_a_number = kernels.table_of(replace(operation, b=Operand(scalar=20)), None)

    assert table is not None
    assert with_a_number is not None
    assert np.array_equal(table[by_bytes(a) << 8 | by_bytes(b)], wanted)
    assert np.array_equal(with_a_number[by_bytes(EVERY)], wanted[:, 120])
    assert kernels.table_of(replace(operation, a=Operand(feature_map=replace(small, bits=16))), None) is None
