"""What an activation that is fused into an operator cuts its stored results to."""

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.proof.int8 import Table
from pipeline.emulator.proof.source import Operator, Tensor

BOUNDS: Mapping[str, tuple[float | None, float | None]] = {
    "NONE": (None, None),
    "RELU": (0.0, None),
    "RELU6": (0.0, 6.0),
    "RELU_N1_TO_1": (-1.0, 1.0),
}
"""Activation -> what its real result is cut to."""


def cut(result: npt.NDArray[np.int64], operator: Operator, activation: str | None = None) -> Table:
    """Cut a result to what int8 and an operator's activation allow: the fused one, if no other is named.

    Raises:
        NotVerifiedError: the activation is not known.

    """
    low, high = clamp(operator.activation if activation is None else activation, operator)
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
    low, high = (None if bound is None else stored(bound, output) for bound in BOUNDS[activation])
    return (
        limits.min if low is None else max(limits.min, low),
        limits.max if high is None else min(limits.max, high),
    )


def stored(real: float, tensor: Tensor) -> int:
    """Return a real number as a tensor stores it, halves away from 0, not cut to the tensor's type."""
    steps = float(np.float32(real) / np.float32(tensor.scale))
    return tensor.zero_point + int(math.copysign(math.floor(abs(steps) + 0.5), steps))
