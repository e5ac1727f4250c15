"""What each operator of the quantized model computes, in integers, as TensorFlow Lite Micro's kernels do.

Source: tflite-micro, kernels/{add,sub,mul}_common.cc, logistic_common.cc, tanh.cc, activations_common.cc,
quantize_common.cc, fully_connected_common.cc and what they call; tests compare each with those kernels over
every input.
"""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.proof import gemmlowp
from pipeline.emulator.proof.gemmlowp import Multiplier
from pipeline.emulator.proof.source import Operator, Tensor

Table = npt.NDArray[np.int8]
"""A result for every input: (256,) by stored a, or (256, 256) by stored a and b, each from -128 up."""

Precision = type[np.float32 | np.float64]

EVERY = np.arange(-128, 128, dtype=np.int64)
"""The numbers of int8."""
ADD_LEFT_SHIFT = 20
"""Bits that ADD and SUB make room for, of 8-bit numbers."""
BINARY = {"ADD", "SUB", "MUL"}
UNARY = {"LOGISTIC", "TANH", "RELU", "RELU6", "QUANTIZE"}
BOUNDS: Mapping[str, tuple[float | None, float | None]] = {
    "NONE": (None, None),
    "RELU": (0.0, None),
    "RELU6": (0.0, 6.0),
    "RELU_N1_TO_1": (-1.0, 1.0),
}
"""Activation -> what its real result is cut to."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function that TensorFlow Lite Micro computes in fixed point, and Vela by a table."""

    kernel: Callable[[gemmlowp.Integers], gemmlowp.Integers]
    real: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]
    bits: int
    """Fractional bits of the stored result."""
    zero_point: int
    """Of the stored result."""
    cut_from: int
    """The input scale from which on the kernel has end values where the function's own are others."""


FUNCTIONS: Mapping[str, Function] = {
    "LOGISTIC": Function(
        kernel=gemmlowp.logistic, real=lambda x: (1 + np.tanh(x / 2)) / 2, bits=8, zero_point=-128, cut_from=2
    ),
    "TANH": Function(kernel=gemmlowp.tanh, real=np.tanh, bits=7, zero_point=0, cut_from=8),
}
ROUNDED_BY_VELA = {"MUL", "RELU"}
"""Kinds whose multiplier Vela computes in single precision, and TensorFlow Lite Micro in double precision."""


def table(operator: Operator) -> Table:
    """Return an elementwise operator's whole table.

    Raises:
        NotVerifiedError: its kind, its activation, its precision or so far apart scales are not covered.

    """
    if operator.kind not in BINARY | UNARY:
        message = f"operator {operator}: no formula is known for {operator.kind}"
        raise NotVerifiedError(message)
    binary, output = operator.kind in BINARY, operator.outputs[0]
    a, b = operator.input(0), operator.input(1) if binary else operator.input(0)
    for tensor in (a, b, output):
        if tensor.dtype != np.int8:
            message = f"operator {operator}, of {tensor.dtype.name} numbers"
            raise NotVerifiedError(message)
    try:
        return cut(_BINARY[operator.kind](a, b, output), operator) if binary else _unary(operator)
    except OverflowError as error:
        message = f"operator {operator}: {error}, and TensorFlow Lite Micro's result depends on its C++ compiler"
        raise NotVerifiedError(message) from None


def composed(operators: Sequence[Operator]) -> Table:
    """Return the table of operators that follow each other, the first of them with one or two inputs."""
    return followed(table(operators[0]), operators[1:])


def followed(result: Table, by: Sequence[Operator]) -> Table:
    """Return a table whose results go through further operators of one input."""
    for operator in by:
        result = table(operator)[result.astype(np.int64) + 128]
    return result


def signature(operator: Operator) -> Hashable:
    """Return what decides an elementwise operator's table."""
    return (
        operator.kind,
        operator.activation,
        tuple(
            (tensor.dtype.str, tensor.scales.tobytes(), tensor.zero_points.tobytes())
            for tensor in (*operator.inputs, *operator.outputs)
            if tensor is not None
        ),
    )


def cut(result: npt.NDArray[np.int64], operator: Operator) -> Table:
    """Cut a result to what int8 and the operator's fused activation allow."""
    low, high = clamp(operator.activation, operator)
    return np.clip(result, low, high).astype(np.int8)


def clamp(activation: str, operator: Operator) -> tuple[int, int]:
    """Return the bounds of an operator's stored result: CalculateActivationRangeQuantized.

    Raises:
        NotVerifiedError: the activation is not known.

    """
    if activation not in BOUNDS:
        message = f"operator {operator}, with activation {activation}"
        raise NotVerifiedError(message)
    output, limits = operator.outputs[0], np.iinfo(operator.outputs[0].dtype)
    low, high = (None if bound is None else _stored(bound, output) for bound in BOUNDS[activation])
    return (
        limits.min if low is None else max(limits.min, low),
        limits.max if high is None else min(limits.max, high),
    )


def _stored(real: float, tensor: Tensor) -> int:
    steps = float(np.float32(real) / np.float32(tensor.scale))
    return tensor.zero_point + int(math.copysign(math.floor(abs(steps) + 0.5), steps))


def _sum(sign: int) -> Callable[[Tensor, Tensor, Tensor], npt.NDArray[np.int64]]:
    def formula(a: Tensor, b: Tensor, output: Tensor) -> npt.NDArray[np.int64]:
        twice_larger = 2 * max(a.scale, b.scale)
        x, y = (
            gemmlowp.multiply(
                EVERY - tensor.zero_point << ADD_LEFT_SHIFT, gemmlowp.quantize_multiplier(tensor.scale / twice_larger)
            )
            for tensor in (a, b)
        )
        real = twice_larger / (2**ADD_LEFT_SHIFT * output.scale)
        total = x[:, None] + sign * y[None, :]
        return gemmlowp.multiply(total, gemmlowp.quantize_multiplier(real)) + output.zero_point

    return formula


def _product(a: Tensor, b: Tensor, output: Tensor) -> npt.NDArray[np.int64]:
    return _scaled_product(a, b, output, _ratio((a, b), output, np.float64))


def _scaled_product(a: Tensor, b: Tensor, output: Tensor, by: Multiplier) -> npt.NDArray[np.int64]:
    product = (EVERY - a.zero_point)[:, None] * (EVERY - b.zero_point)[None, :]
    return gemmlowp.multiply(product, by) + output.zero_point


def multiplier(operator: Operator, precision: Precision) -> Multiplier:
    """Return the multiplier of a MUL, RELU or QUANTIZE, computed in a precision."""
    inputs = [operator.input(place) for place in range(2 if operator.kind in BINARY else 1)]
    return _ratio(inputs, operator.outputs[0], precision)


def _ratio(inputs: Sequence[Tensor], output: Tensor, precision: Precision) -> Multiplier:
    ratio = precision(1)
    for tensor in inputs:
        ratio = ratio * precision(tensor.scale)
    return gemmlowp.quantize_multiplier(float(ratio / precision(output.scale)))


def in_single_precision(operator: Operator) -> Table:
    """Return the table of a MUL or RELU if its multiplier were computed in single precision, as Vela does.

    Raises:
        OverflowError: the scales are so far apart that results go beyond 32 bits.

    """
    by, output = multiplier(operator, np.float32), operator.outputs[0]
    if operator.kind == "MUL":
        return cut(_scaled_product(operator.input(0), operator.input(1), output, by), operator)
    return _rescaled(operator, by)


_BINARY: Mapping[str, Callable[[Tensor, Tensor, Tensor], npt.NDArray[np.int64]]] = {
    "ADD": _sum(1),
    "SUB": _sum(-1),
    "MUL": _product,
}


def _unary(operator: Operator) -> Table:
    if operator.kind in FUNCTIONS:
        function, x = FUNCTIONS[operator.kind], operator.input(0)
        return gemmlowp.activation_table(function.kernel, x.scale, x.zero_point, function.bits, function.zero_point)
    if operator.kind == "RELU6":
        return _relu6(operator.input(0))
    return _rescaled(operator, multiplier(operator, np.float64))


def exact(operator: Operator) -> npt.NDArray[np.float64]:
    """Return the real function of a LOGISTIC or TANH for every input, in steps of the stored result, not rounded."""
    function, x = FUNCTIONS[operator.kind], operator.input(0)
    real = function.real(x.scale * (EVERY - x.zero_point))
    return np.asarray(real * 2**function.bits + function.zero_point, np.float64)


def _rescaled(operator: Operator, by: Multiplier) -> Table:
    result = gemmlowp.multiply(EVERY - operator.input(0).zero_point, by) + operator.outputs[0].zero_point
    low, high = clamp("NONE" if operator.kind == "QUANTIZE" else operator.kind, operator)
    return np.clip(result, low, high).astype(np.int8)


def _relu6(x: Tensor) -> Table:
    """Cut stored numbers, as the kernel does: it takes the output to be stored like the input, whatever it says."""
    six = _stored(6.0, x)
    if six > gemmlowp.ONE:
        message = f"6, of a scale of {x.scale:g}, goes beyond 32 bits"
        raise OverflowError(message)
    return np.clip(EVERY, x.zero_point, min(six, 127)).astype(np.int8)


def multipliers(operator: Operator) -> list[Multiplier]:
    """Return a fully connected operator's multiplier of each output channel."""
    x, weights, output = operator.input(0), operator.input(1), operator.outputs[0]
    if weights.scales.size == 1:  # a product of two float32 is kept in float32 where there is one scale
        product = float(np.float32(x.scale) * np.float32(weights.scale))
        return [gemmlowp.quantize_multiplier(product / output.scale)] * weights.shape[0]
    return [gemmlowp.quantize_multiplier(x.scale * float(scale) / output.scale) for scale in weights.scales]


def scaled_by_channel(total: npt.NDArray[np.int64], by_channel: Sequence[Multiplier]) -> npt.NDArray[np.int64]:
    """Return sums of (..., channels) scaled, each channel by its own multiplier."""
    return np.stack([gemmlowp.multiply(total[..., c], by) for c, by in enumerate(by_channel)], axis=-1)
