"""RELU6: the stored input, cut at 0 and 6. Source: tflite-micro, kernels/activations_common.cc."""

import numpy as np

from pipeline.emulator.proof import gemmlowp
from pipeline.emulator.proof.activations import stored
from pipeline.emulator.proof.elementwise import Unary
from pipeline.emulator.proof.int8 import EVERY, Table
from pipeline.emulator.proof.kinds import kind
from pipeline.emulator.proof.source import Operator


@kind("RELU6")
class Relu6(Unary):
    """min(max(x, 0), 6)."""

    def formula(self, operator: Operator) -> Table:
        """Cut stored numbers, as the kernel does: it takes the output to be stored like the input, whatever it says."""
        x = operator.input(0)
        six = stored(6.0, x)
        if six > gemmlowp.ONE:
            message = f"6, of a scale of {x.scale:g}, goes beyond 32 bits"
            raise OverflowError(message)
        return np.clip(EVERY, x.zero_point, min(six, 127)).astype(np.int8)
