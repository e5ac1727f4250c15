"""Operators that scale what they compute with one multiplier, and what Vela makes of some: another multiplier."""

import abc
from collections.abc import Sequence

import numpy as np

from pipeline.emulator.proof import gemmlowp
from pipeline.emulator.proof.activations import cut
from pipeline.emulator.proof.elementwise import Elementwise
from pipeline.emulator.proof.gemmlowp import Multiplier
from pipeline.emulator.proof.int8 import EVERY, Table
from pipeline.emulator.proof.matches import Match
from pipeline.emulator.proof.source import Operator, Tensor
from pipeline.emulator.stream import operations
from pipeline.emulator.stream.arithmetic import Scale
from pipeline.emulator.stream.operations import Pool, Substitution

Precision = type[np.float32 | np.float64]


def multiplier(inputs: Sequence[Tensor], output: Tensor, precision: Precision = np.float64) -> Multiplier:
    """Return the product of the scales of some inputs over that of an output, computed in a precision."""
    ratio = precision(1)
    for tensor in inputs:
        ratio = ratio * precision(tensor.scale)
    return gemmlowp.quantize_multiplier(float(ratio / precision(output.scale)))


def rescaled(operator: Operator, by: Multiplier, activation: str) -> Table:
    """Return the table of an operator that stores its input otherwise, cut as an activation does.

    Raises:
        OverflowError: the scales are so far apart that results go beyond 32 bits.

    """
    result = gemmlowp.multiply(EVERY - operator.input(0).zero_point, by) + operator.outputs[0].zero_point
    return cut(result, operator, activation)


class RoundedByVela(Elementwise):
    """An operator whose multiplier Vela computes in single precision, and TensorFlow Lite Micro in double precision.

    Results then differ by 1 for a few inputs: rarely on 8 bits, more often on 16.
    """

    @abc.abstractmethod
    def scaled(self, operator: Operator, by: Multiplier) -> Table:
        """Return its table with a multiplier.

        Raises:
            OverflowError: the scales are so far apart that results go beyond 32 bits.

        """

    def formula(self, operator: Operator) -> Table:
        """Return its table as TensorFlow Lite Micro has it."""
        return self.scaled(operator, self.multiplier(operator, np.float64))

    def multiplier(self, operator: Operator, precision: Precision) -> Multiplier:
        """Return its multiplier, computed in a precision."""
        return multiplier(self.operands(operator), operator.outputs[0], precision)

    def known_difference(self, match: Match, operator: Operator) -> tuple[Substitution, str] | None:
        """Know the multiplier in single precision, where it makes a difference."""
        operation = match.planned.operation
        if operator is not match.operators[0] or not isinstance(operation, operations.Binary | Pool):
            return None
        double, single = (self.multiplier(operator, precision) for precision in (np.float64, np.float32))
        if double == single or operation.scale != _scale(single):
            return None
        of_8_bits = operator.input(0).dtype == np.int8
        if of_8_bits and np.array_equal(self.table(operator), self.scaled(operator, single)):
            return None
        reason = f"Vela rounds multipliers of {operator.kind} to single precision"
        return Substitution(scale=_scale(double)), reason


def _scale(by: Multiplier) -> Scale:
    return Scale(multiplier=by.significand, shift=gemmlowp.FRACTION_BITS - by.shift)
