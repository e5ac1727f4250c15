"""ADD and SUB: both inputs are brought to one scale, twice the larger of theirs, with bits to spare.

Source: tflite-micro, kernels/add_common.cc and sub_common.cc.
"""

from typing import ClassVar

from pipeline.emulator.proof import gemmlowp
from pipeline.emulator.proof.activations import cut
from pipeline.emulator.proof.elementwise import Binary
from pipeline.emulator.proof.int8 import EVERY, Table
from pipeline.emulator.proof.kinds import kind
from pipeline.emulator.proof.source import Operator

LEFT_SHIFT = 20
"""Bits to spare, of 8-bit numbers."""


@kind("ADD")
class Add(Binary):
    """a + b."""

    SIGN: ClassVar[int] = 1

    def formula(self, operator: Operator) -> Table:
        """Add, and scale to the output."""
        output, inputs = operator.outputs[0], self.operands(operator)
        twice_larger = 2 * max(tensor.scale for tensor in inputs)
        a, b = (
            gemmlowp.multiply(
                EVERY - tensor.zero_point << LEFT_SHIFT, gemmlowp.quantize_multiplier(tensor.scale / twice_larger)
            )
            for tensor in inputs
        )
        by = gemmlowp.quantize_multiplier(twice_larger / (2**LEFT_SHIFT * output.scale))
        total = gemmlowp.multiply(a[:, None] + self.SIGN * b[None, :], by)
        return cut(total + output.zero_point, operator)


@kind("SUB")
class Sub(Add):
    """a - b."""

    SIGN = -1
