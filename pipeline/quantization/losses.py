"""What quantizing costs each role, so that the weak tensor of a bad model has a name."""

import numpy as np

from pipeline.quantization.ranges import Range, Seen
from pipeline.quantization.role_loss import METHODS, RoleLoss
from pipeline.tflite.quantization import Quantization

MOST_ROUNDING = 0.5 + 1e-6
"""Steps by which rounding alone may change a value; the edge of a range may lie so far beyond the last step."""


def judge(tie: str, seen: Seen, chosen: Range, parameters: Quantization, bits: int) -> RoleLoss:
    """Quantize the values that a tie was seen to hold, and compare.

    Where a function ignores what is beyond its bounds, so does the comparison.
    """
    values = seen.values.astype(np.float64)
    if chosen.basis not in METHODS:
        values = np.clip(values, chosen.low, chosen.high)
    lowest, highest = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    exact = values / parameters.scale + parameters.zero_point
    stored = np.clip(np.round(exact), lowest, highest)
    error = float(np.sqrt(np.mean(((stored - parameters.zero_point) * parameters.scale - values) ** 2)))
    spread = float(values.std())
    return RoleLoss(
        tie=tie,
        scale=parameters.scale,
        zero_point=parameters.zero_point,
        seen_low=seen.low,
        seen_high=seen.high,
        low=chosen.low,
        high=chosen.high,
        basis=chosen.basis,
        rounding_error=error / parameters.scale,
        saturated=float(np.mean(np.abs(exact - stored) > MOST_ROUNDING)),
        noise=error / spread if spread else 0.0,
    )
