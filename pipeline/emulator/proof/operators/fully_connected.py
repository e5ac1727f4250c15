"""FULLY_CONNECTED: a convolution of 1x1 to Vela, in parts where it is large.

It has too many inputs for a table: every weight, bias, multiplier, shift, zero point and bound must be the quantized
model's. Source: tflite-micro, kernels/fully_connected_common.cc.
"""

import numpy as np
import numpy.typing as npt

from pipeline.emulator.machine.kernels import Product
from pipeline.emulator.machine.planning import Planned
from pipeline.emulator.proof import gemmlowp
from pipeline.emulator.proof.activations import clamp
from pipeline.emulator.proof.equivalence import Comparison
from pipeline.emulator.proof.following import Following, alike
from pipeline.emulator.proof.gemmlowp import Multiplier
from pipeline.emulator.proof.kinds import Kind, Results, kind
from pipeline.emulator.proof.matches import Match, Mismatch, positions
from pipeline.emulator.proof.reach import Reach
from pipeline.emulator.proof.source import Operator
from pipeline.emulator.stream.arithmetic import Rounding
from pipeline.emulator.stream.operations import Convolution

BIAS = 2
"""The input that it is, if there is one."""


@kind("FULLY_CONNECTED")
class FullyConnected(Kind):
    """The product of each row and a matrix, with a bias, scaled by output channel."""

    def follow(self, following: Following, planned: Planned, operators: tuple[Operator, ...]) -> Match | None:
        """Follow a convolution of some rows and some outputs."""
        operation, first, elements = planned.operation, operators[0], following.elements
        if not isinstance(operation, Convolution):
            return None
        read, output = first.input(0), first.outputs[0]
        inputs, outputs = (elements.of(tensor).reshape(-1, tensor.shape[-1]) for tensor in (read, output))
        inputs = inputs.reshape(len(outputs), -1)
        seen = following.traces.read(operation.ifm).reshape(-1, operation.ifm.depth)
        rows = positions(inputs[:, 0], seen[:, 0])
        if seen.shape[1] != inputs.shape[1] or not np.array_equal(seen, inputs[rows]):
            message = f"it does not read {read.name}"
            raise Mismatch(message)
        channels = following.next_outputs(first, operation.ofm.depth)
        alike(operation.ifm, read)
        following.store(planned, operators, outputs[rows, channels].ravel())
        return Match(planned=planned, operators=operators, channels=channels)

    def compare(self, match: Match, comparison: Comparison) -> None:
        """Compare all that decides what a convolution computes."""
        product = _product(match)
        weights = np.asarray(match.operators[0].constant(1), np.int64)[match.channels]
        compiled = product.matrix.T.astype(np.int64)
        differ = int((compiled != weights).sum()) if compiled.shape == weights.shape else weights.size
        comparison.tally("weights are those of the quantized model", "weights").add(
            weights.size, differ, f"{match}: {differ:,} of {weights.size:,} weights differ"
        )
        wrong = {name: where for name, where in _wrong(match, product, comparison).items() if where.any()}
        failed = int(np.any(list(wrong.values()), axis=0).sum()) if wrong else 0
        comparison.tally("biases, scales and bounds are those of the quantized model", "output channels").add(
            len(weights), failed, f"{match}: {', '.join(wrong)} differ in {failed} of {len(weights)} channels"
        )

    def results(self, match: Match, as_micro: Planned, reach: Reach) -> Results | None:
        """Return the entries of the table that is fused behind it; which of them can come up is not known."""
        del reach
        compiled, micro = match.planned.lookup, as_micro.lookup
        if match.operators[0].input(0).dtype != np.int8 or compiled is None or micro is None:
            return None
        return Results(compiled=compiled, micro=micro, possible=None, what="entries of its table")


def _product(match: Match) -> Product:
    product = match.planned.product
    assert product is not None  # noqa: S101 - the machine makes one of every convolution
    return product


def _wrong(match: Match, product: Product, comparison: Comparison) -> dict[str, npt.NDArray[np.bool_]]:
    """Return where each part differs from the operator's, by output channel."""
    first, operation = match.operators[0], product.operation
    scales, rounding = _scales(first)
    of_channels = scales[match.channels]
    channels = len(of_channels)
    bias = first.inputs[BIAS] if len(first.inputs) > BIAS else None
    wanted = {
        "biases": np.zeros(channels, np.int64) if bias is None else first.constant(BIAS)[match.channels],
        "multipliers": of_channels[:, 0],
        "shifts": of_channels[:, 1],
    }
    compiled = dict(zip(wanted, product.scales, strict=True))
    low, high = clamp(first.activation, first)
    common = {
        "input zero point": operation.ifm.zero_point == first.input(0).zero_point,
        "output zero point": operation.ofm.zero_point == first.outputs[0].zero_point,
        "bounds": (operation.activation.low, operation.activation.high) == (low, high),
        "rounding": operation.rounding is rounding,
        "table": _right_table(match, comparison),
    }
    return {name: np.asarray(compiled[name] != wanted[name]) for name in wanted} | {
        name: np.full(channels, not right) for name, right in common.items()
    }


def _right_table(match: Match, comparison: Comparison) -> bool:
    lookup, fused = match.planned.lookup, match.operators[1:]
    if lookup is None or not fused:
        return lookup is None and not fused
    return np.array_equal(lookup, comparison.table(fused))


def _scales(operator: Operator) -> tuple[npt.NDArray[np.int64], Rounding]:
    """Return (multiplier, shift to the right) of each output, (outputs, 2), and how it rounds."""
    of_outputs = multipliers(operator)
    if operator.input(0).dtype == np.int16:
        return np.array([gemmlowp.reduced(multiplier) for multiplier in of_outputs]), Rounding.NATURAL
    return np.array([(of.significand, gemmlowp.FRACTION_BITS - of.shift) for of in of_outputs]), Rounding.DOUBLE


def multipliers(operator: Operator) -> list[Multiplier]:
    """Return the multiplier of each output."""
    x, weights, output = operator.input(0), operator.input(1), operator.outputs[0]
    if weights.scales.size == 1:  # a product of two float32 is kept in float32 where there is one scale
        product = float(np.float32(x.scale) * np.float32(weights.scale))
        return [gemmlowp.quantize_multiplier(product / output.scale)] * weights.shape[0]
    return [gemmlowp.quantize_multiplier(x.scale * float(scale) / output.scale) for scale in weights.scales]
