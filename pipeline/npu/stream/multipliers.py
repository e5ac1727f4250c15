"""Where the NPU multiplies by something else than TensorFlow Lite Micro, for a reason that is known.

Vela computes MUL's multiplier in single precision, TensorFlow Lite Micro in double precision. Results then
differ by 1 for a few inputs: rarely on 8 bits, more often on 16.
"""

from collections.abc import Iterable

import numpy as np

from pipeline.npu.stream import formulas, gemmlowp
from pipeline.npu.stream.arithmetic import Scale
from pipeline.npu.stream.matches import Match
from pipeline.npu.stream.operations import Binary
from pipeline.npu.stream.source import Operator


def in_double_precision(matches: Iterable[Match]) -> dict[int, Scale]:
    """Return TensorFlow Lite Micro's scale of every MUL whose multiplier Vela rounded, by its command's offset.

    A multiplier that is neither of the two is left out: it is a defect, and samples must show it.
    """
    found = {}
    for match in matches:
        operation, operator = match.planned.operation, match.operators[0]
        if not isinstance(operation, Binary) or operator.kind != "MUL":
            continue
        double, single = (_scale(operator, kind) for kind in (np.float64, np.float32))
        if double != single and operation.scale == single:
            found[operation.command.offset] = double
    return found


def _scale(operator: Operator, precision: type[np.float32 | np.float64]) -> Scale:
    found = formulas.product_multiplier(operator.input(0), operator.input(1), operator.outputs[0], precision)
    return Scale(multiplier=found.significand, shift=gemmlowp.FRACTION_BITS - found.shift)
