"""LOGISTIC and TANH: computed in fixed point by TensorFlow Lite Micro, and by an exact table by Vela.

The kernels are off by 1 for a few inputs, and have end values from few steps on of a large scale. Source: tflite-micro,
kernels/logistic_common.cc, tanh.cc and what they call.
"""

import abc
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from pipeline.emulator.proof import gemmlowp
from pipeline.emulator.proof.elementwise import Unary
from pipeline.emulator.proof.gemmlowp import FRACTION_BITS, Integers
from pipeline.emulator.proof.int8 import EVERY, Table
from pipeline.emulator.proof.kinds import kind, kind_of
from pipeline.emulator.proof.matches import Match
from pipeline.emulator.proof.source import Operator
from pipeline.emulator.stream.operations import Lookup, Substitution

Reals = npt.NDArray[np.float64]

ONE = 1 << FRACTION_BITS - 4
"""1 as the kernels take their input: with 4 integer bits."""
LEAST_SCALE = 0.5
"""Of an input, in such units: below, they shift by a negative number, of which C++ does not say what it does."""
TIE = 1e-9
"""Of a step: as near to the middle of two numbers as that, an exact table may have either."""


class FixedPointFunction(Unary):
    """A function that TensorFlow Lite Micro computes in fixed point, and Vela by a table."""

    BITS: ClassVar[int]
    """Fractional bits of the stored result."""
    ZERO_POINT: ClassVar[int]
    """Of the stored result."""
    CUT_FROM: ClassVar[int]
    """The input scale from which on the kernel has end values where the function's own are others."""

    @abc.abstractmethod
    def kernel(self, a: Integers) -> Integers:
        """Return the function of raw numbers with 4 integer bits, without integer bits."""

    @abc.abstractmethod
    def real(self, x: Reals) -> Reals:
        """Return the function itself."""

    def formula(self, operator: Operator) -> Table:
        """Return what the kernel makes of every input, whatever the output is said to be stored like."""
        x = operator.input(0)
        by, radius = gemmlowp.quantize_multiplier(x.scale * ONE), activation_radius(x.scale)
        steps = EVERY - x.zero_point
        inside = np.abs(steps) < radius
        raw = self.kernel(gemmlowp.multiply(np.where(inside, steps, 0), by))
        result = gemmlowp.divide_by_power_of_two(raw, FRACTION_BITS - self.BITS) + self.ZERO_POINT
        ends = np.where(steps <= -radius, -128, 127)  # of a radius of 0, the zero point is at the lower end
        return np.where(inside, np.clip(result, -128, 127), ends).astype(np.int8)

    def exact(self, operator: Operator) -> Reals:
        """Return the real function of every input, in steps of the stored result, not rounded."""
        x = operator.input(0)
        real = self.real(np.float64(x.scale) * (EVERY - x.zero_point))
        return np.asarray(real * 2**self.BITS + self.ZERO_POINT, np.float64)

    def known_difference(self, match: Match, operator: Operator) -> tuple[Substitution, str] | None:
        """Know entries of a table that are next to the real function, where TensorFlow Lite Micro's are not."""
        lookup = match.planned.lookup
        if lookup is None or not _is_table_of(match, operator):
            return None
        micro, limits = self.table(operator), np.iinfo(np.int8)
        exact = np.clip(self.exact(operator), limits.min, limits.max)
        known = (lookup != micro) & (np.abs(exact - lookup) <= 1 / 2 + TIE)
        if not known.any():
            return None
        reason = f"TensorFlow Lite Micro {self._manner(operator, known)}, where Vela's table is exact"
        return Substitution(lookup=np.where(known, micro, lookup)), reason

    def _manner(self, operator: Operator, differ: npt.NDArray[np.bool_]) -> str:
        """Say what TensorFlow Lite Micro does where the tables differ."""
        x = operator.input(0)
        steps = np.abs(EVERY - x.zero_point)
        if steps[differ].max() < activation_radius(x.scale):
            return f"computes {operator.kind} in fixed point"
        return f"cuts {operator.kind} from an input scale of {self.CUT_FROM} on"


def _is_table_of(match: Match, operator: Operator) -> bool:
    """Tell whether a command's table stands for an operator, and for nothing else."""
    activation = getattr(match.planned.operation, "activation", None)
    if activation is None or activation.lookup is not Lookup.DIRECT:
        return False
    first, *fused = match.operators
    by_table = match.operators if isinstance(kind_of(first), FixedPointFunction) else fused
    return len(by_table) == 1 and by_table[0] is operator


def activation_radius(scale: float) -> int:
    """Return how many steps from the zero point the kernels take their end values: CalculateInputRadius.

    Raises:
        OverflowError: the scale is so small that the kernel shifts by a negative number.

    """
    if scale * ONE < LEAST_SCALE:
        message = f"an input scale of {scale:g} is too small for 32 bits"
        raise OverflowError(message)
    return 15 * ONE >> gemmlowp.quantize_multiplier(scale * ONE).shift


@kind("LOGISTIC")
class Logistic(FixedPointFunction):
    """1 / (1 + exp(-x))."""

    BITS, ZERO_POINT, CUT_FROM = 8, -128, 2

    def kernel(self, a: Integers) -> Integers:
        """Return gemmlowp's sigmoid."""
        return gemmlowp.logistic(a)

    def real(self, x: Reals) -> Reals:
        """Return the sigmoid."""
        return np.asarray((1 + np.tanh(x / 2)) / 2)


@kind("TANH")
class Tanh(FixedPointFunction):
    """The hyperbolic tangent."""

    BITS, ZERO_POINT, CUT_FROM = 7, 0, 8

    def kernel(self, a: Integers) -> Integers:
        """Return gemmlowp's tanh."""
        return gemmlowp.tanh(a)

    def real(self, x: Reals) -> Reals:
        """Return the tanh."""
        return np.asarray(np.tanh(x))
