"""Whether quantizing cost more accuracy than it should, and what is known that may be the cause."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from pipeline.data.arrays import Features
from pipeline.quantization.role_loss import RoleLoss
from pipeline.tflite.quantization import Quantization

ROLES = "roles.json"
MOST_BEYOND = 0.01
"""Share of a feature's values beyond the input's range from which the user is warned."""
MOST_SATURATED = 0.01
"""Share of a role's values beyond its range from which it is a likely cause."""
LOUD = 0.05
"""Noise of a role from which it is a likely cause: twice that of the weakest role of a sound int8 model."""
FEWEST_STEPS = 2.0
"""Steps of the input's scale that a feature's standard deviation should be, for int8 to see what is in it."""
REMEDIES = (
    'raise quantization.representative_samples, or set quantization.ranges = "min_max" or'
    ' quantization.activations = "int16"'
)


class InputRange(NamedTuple):
    """What the quantized model's input can hold, and how a test set fits in."""

    low: float
    high: float
    scale: float
    beyond: npt.NDArray[np.float64]
    """(features,): the share of each feature's values that saturate."""
    steps: npt.NDArray[np.float64]
    """(features,): the standard deviation of each, in steps of the scale."""

    @property
    def exceeded(self) -> bool:
        """Tell whether a feature saturates too often."""
        return bool(self.beyond.max() > MOST_BEYOND)

    def sentence(self) -> str:
        """Say how many values saturate, and of which feature the most."""
        worst = int(self.beyond.argmax())
        return (
            f"{100 * self.beyond.mean():.1f} % of the test set's values lie beyond the input's range, {self.low:.3g} to"
            f" {self.high:.3g}, which the representative samples showed; of feature {worst} (counted from 0)"
            f" {100 * self.beyond[worst]:.1f} %"
        )


def input_range(x: Features, quantization: Quantization, dtype: npt.DTypeLike) -> InputRange:
    """Compare a test set, (samples, time steps, features), with what the input of a quantized model can hold."""
    limits = np.iinfo(np.dtype(dtype))
    low, high = (quantization.scale * (limit - quantization.zero_point) for limit in (limits.min, limits.max))
    half = quantization.scale / 2
    beyond = ((x < low - half) | (x > high + half)).mean(axis=(0, 1))
    steps = x.std(axis=(0, 1), dtype=np.float64) / quantization.scale
    return InputRange(low=low, high=high, scale=quantization.scale, beyond=beyond, steps=steps)


def warnings(
    degraded: tuple[float, str] | None, activations: str, into: InputRange | None, roles: Sequence[RoleLoss]
) -> list[str]:
    """Return sentences on a test set that saturates the input, and on integers far below float.

    Args:
        degraded: what the task says of that, see ``Task.degraded``.
        activations: ``int8`` or ``int16``.
        into: how the test set fits into the model's input.
        roles: what quantizing each of them loses.

    """
    sentences = []
    if into is not None and into.exceeded:
        sentences.append(
            f"{into.sentence()}: raise quantization.representative_samples, or bring the test set to the training"
            " set's scale"
        )
    if degraded:
        lost, suffers = degraded
        causes = [*_of_the_input(into), *_of_roles(roles)]
        likely = f"likely causes: {'; '.join(causes)}" if causes else "no role and no input shows why"
        sentences.append(
            f"{activations} accuracy is {100 * lost:.1f} points below float, more than"
            f" {activations[3:]} bits and chance explain; {suffers}; {likely}; what may help:"
            f" {REMEDIES}"
        )
    return sentences


def _of_the_input(into: InputRange | None) -> Iterator[str]:
    if into is None:
        return
    if into.exceeded:
        yield into.sentence()
    narrow = (into.steps > 0) & (into.steps < FEWEST_STEPS)
    if narrow.any():
        yield (
            f"{narrow.sum()} of {len(narrow)} features vary by less than {FEWEST_STEPS:g} steps of the input's scale"
            f" ({into.scale:.3g}), feature {int(np.where(narrow, into.steps, np.inf).argmin())} least: scale each"
            " feature by itself"
        )


def _of_roles(roles: Sequence[RoleLoss]) -> Iterator[str]:
    for role in roles:
        if role.saturated > MOST_SATURATED and not role.harmless:
            yield f"{100 * role.saturated:.1f} % of the values of {role.tie} saturate"
    weakest = max(roles, key=lambda role: role.noise, default=None)
    if weakest and weakest.noise > LOUD:
        yield f"quantizing {weakest.tie}, the weakest role, makes noise of {100 * weakest.noise:.1f} % of its spread"


def read_roles(quantized: Path) -> list[RoleLoss]:
    """Read ``roles.json`` of a quantized stage's folder; the guide's graph has none."""
    path = quantized / ROLES
    return msgspec.json.decode(path.read_bytes(), type=list[RoleLoss]) if path.exists() else []
