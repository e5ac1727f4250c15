"""ABS: the distance from 0, scaled to the output. Source: tflite-micro, kernels/elementwise.cc."""

import numpy as np

from pipeline.emulator.proof import gemmlowp, rescaling
from pipeline.emulator.proof.activations import cut
from pipeline.emulator.proof.elementwise import Unary
from pipeline.emulator.proof.int8 import EVERY, Table
from pipeline.emulator.proof.kinds import kind
from pipeline.emulator.proof.source import Operator


@kind("ABS")
class Absolute(Unary):
    """|x|."""

    def formula(self, operator: Operator) -> Table:
        """Return what TensorFlow Lite Micro makes of every input, -128 first."""
        x, output = operator.input(0), operator.outputs[0]
        distance = np.abs(EVERY - x.zero_point)
        scaled = gemmlowp.multiply(distance, rescaling.multiplier([x], output))
        return cut(scaled + output.zero_point, operator)
