"""What flows through a network, and what a layer carries from step to step."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]
"""Real numbers: float32 as trained, float64 where an oracle wants more digits."""


@dataclass(frozen=True)
class Value:
    """A result of a layer, or an input, assigned once."""

    name: str
    shape: tuple[int, ...]
    """Of one time step, where it has a time axis; batch and time are not part of it."""
    steps: int | None = None
    """How many time steps a whole sequence has; None where there is no time axis."""

    @property
    def time(self) -> bool:
        """Whether it has a time axis, which comes before its shape."""
        return self.steps is not None


@dataclass(frozen=True)
class State:
    """What a layer carries from step to step; it is 0 before the first one."""

    role: str
    """``hidden`` or ``cell``: what is stored, the same word at every step."""
    within: float | None = None
    """The largest magnitude it can have, where the layer's formula sees to that."""
