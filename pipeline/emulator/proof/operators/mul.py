"""MUL: the product, scaled with one multiplier. Source: tflite-micro, kernels/mul_common.cc."""

from pipeline.emulator.proof import gemmlowp
from pipeline.emulator.proof.activations import cut
from pipeline.emulator.proof.elementwise import Binary
from pipeline.emulator.proof.gemmlowp import Multiplier
from pipeline.emulator.proof.int8 import EVERY, Table
from pipeline.emulator.proof.kinds import kind
from pipeline.emulator.proof.rescaling import RoundedByVela
from pipeline.emulator.proof.source import Operator


@kind("MUL")
class Mul(RoundedByVela, Binary):
    """a * b."""

    def scaled(self, operator: Operator, by: Multiplier) -> Table:
        """Multiply, and scale."""
        a, b = (EVERY - tensor.zero_point for tensor in self.operands(operator))
        product = gemmlowp.multiply(a[:, None] * b[None, :], by)
        return cut(product + operator.outputs[0].zero_point, operator)
