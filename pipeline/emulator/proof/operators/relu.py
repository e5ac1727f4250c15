"""RELU: the input, scaled, and cut at 0. Source: tflite-micro, kernels/activations_common.cc."""

from pipeline.emulator.proof.elementwise import Unary
from pipeline.emulator.proof.gemmlowp import Multiplier
from pipeline.emulator.proof.int8 import Table
from pipeline.emulator.proof.kinds import kind
from pipeline.emulator.proof.rescaling import RoundedByVela, rescaled
from pipeline.emulator.proof.source import Operator


@kind("RELU")
class Relu(RoundedByVela, Unary):
    """max(x, 0)."""

    def scaled(self, operator: Operator, by: Multiplier) -> Table:
        """Scale, and cut."""
        return rescaled(operator, by, "RELU")
