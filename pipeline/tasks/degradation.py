"""Whether quantizing cost more accuracy than it should, and what is known that may be the cause."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from pipeline.data.arrays import Features, Labels
from pipeline.quantization.role_loss import RoleLoss
from pipeline.tflite.quantization import Quantization

ROLES = "roles.json"
MOST_DROP = 0.02
"""Accuracy that 8 bits may cost. No network of ours that was calibrated well lost half as much."""
STANDARD_ERRORS = 3.0
"""Times the standard error of the difference that it must be, too: chance alone does that once in 700 test sets."""
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


class Predictions(NamedTuple):
    """What two models made of the test set; each array has the shape (samples,)."""

    labels: Labels
    in_float: Labels
    in_integers: Labels
    rung: str
    """``int8`` or ``int16``."""

    @property
    def drop(self) -> float:
        """Return the share of the samples by which the integers find fewer."""
        return float(np.mean(self.in_float == self.labels) - np.mean(self.in_integers == self.labels))

    @property
    def far_below(self) -> bool:
        """Tell whether that is more than 8 bits and chance explain (the paired comparison of McNemar's test)."""
        changed = (self.in_float == self.labels) != (self.in_integers == self.labels)
        standard_error = math.sqrt(changed.sum()) / len(self.labels)
        return self.drop > MOST_DROP and self.drop > STANDARD_ERRORS * standard_error


def warnings(predictions: Predictions, into: InputRange | None, roles: Sequence[RoleLoss]) -> list[str]:
    """Return sentences on a test set that saturates the input, and on integers far below float."""
    said = []
    if into is not None and into.exceeded:
        said.append(
            f"{into.sentence()}: raise quantization.representative_samples, or bring the test set to the training"
            " set's scale"
        )
    if predictions.far_below:
        causes = [*_of_the_input(into), *_of_roles(roles)]
        likely = f"likely causes: {'; '.join(causes)}" if causes else "no role and no input shows why"
        said.append(
            f"{predictions.rung} accuracy is {100 * predictions.drop:.1f} points below float, more than"
            f" {predictions.rung[3:]} bits and chance explain; {_worst_class(predictions)}; {likely}; what may help:"
            f" {REMEDIES}"
        )
    return said


def _worst_class(predictions: Predictions) -> str:
    found: dict[int, tuple[float, float]] = {}
    for label in np.unique(predictions.labels).tolist():
        of_class = predictions.labels == label
        found[label] = (
            float(np.mean(predictions.in_float[of_class] == label)),
            float(np.mean(predictions.in_integers[of_class] == label)),
        )
    worst = max(found, key=lambda label: found[label][0] - found[label][1])
    before, after = found[worst]
    never = "" if (predictions.in_integers == worst).any() else ", for it is never predicted"
    return f"class {worst} suffers most: {100 * before:.1f} % -> {100 * after:.1f} %{never}"


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
