"""Compare what each command computes with what its operator computes in TensorFlow Lite Micro: for every input.

An operator on 8 bits has 256 or 65,536 inputs, so its whole table is compared, with the tables that are
fused behind it. A fully connected operator has too many; there every weight, bias, multiplier, shift, zero
point and bound must be the quantized model's.
"""

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.proof import formulas, gemmlowp
from pipeline.emulator.proof.checks import Check, Tally
from pipeline.emulator.proof.formulas import Table
from pipeline.emulator.proof.matches import MIDDLE, Match
from pipeline.emulator.proof.source import Operator
from pipeline.emulator.proof.whole_tables import whole_table
from pipeline.emulator.stream.arithmetic import Rounding
from pipeline.emulator.stream.operations import Convolution

Numbers = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Equivalence:
    """What was compared."""

    checks: tuple[Check, ...]
    not_verified: tuple[str, ...]
    """What could not be compared."""
    by_samples: tuple[str, ...]
    """What has too many inputs for all of them to be compared, so that only samples show it."""


def compare(matches: Iterable[Match]) -> Equivalence:
    """Compare every command that computes an operator with that operator."""
    return _Comparison().all(matches)


class _Comparison:
    def __init__(self) -> None:
        self._tables = Tally("elementwise commands compute what their operators compute", "input pairs")
        self._weights = Tally("weights are those of the quantized model", "weights")
        self._channels = Tally("biases, scales and bounds are those of the quantized model", "output channels")
        self._formulas: dict[Hashable, Table] = {}
        self._not_verified: dict[str, None] = {}
        self._wide: Counter[str] = Counter()

    def all(self, matches: Iterable[Match]) -> Equivalence:
        for match in matches:
            try:
                if isinstance(match.planned.operation, Convolution):
                    self._product(match, match.planned.operation)
                else:
                    self._elementwise(match)
            except NotVerifiedError as error:
                self._not_verified[str(error)] = None
        kinds = ", ".join(sorted(self._wide))
        wide = f"results of {kinds} on 16-bit numbers, in {self._wide.total():,} commands"
        return Equivalence(
            checks=(self._tables.check, self._weights.check, self._channels.check),
            not_verified=tuple(self._not_verified),
            by_samples=(wide,) if self._wide else (),
        )

    def _elementwise(self, match: Match) -> None:
        first = match.operators[0]
        if first.input(0).dtype != np.int8:
            self._wide[first.kind] += 1
            return
        wanted = match.by_operands(self._formula(match.operators))
        found = whole_table(match.planned)
        if found is None or found.shape != wanted.shape:
            self._tables.add(wanted.size, wanted.size, f"{match}: it does not have {wanted.size:,} inputs of 8 bits")
            return
        differ = int((found != wanted).sum())
        self._tables.add(wanted.size, differ, f"{match}: {_first_difference(found, wanted)}" if differ else "")

    def _formula(self, operators: tuple[Operator, ...]) -> Table:
        key = tuple(formulas.signature(operator) for operator in operators)
        if key not in self._formulas:
            self._formulas[key] = formulas.composed(operators)
        return self._formulas[key]

    def _product(self, match: Match, operation: Convolution) -> None:
        first, product = match.operators[0], match.planned.product
        assert product is not None  # noqa: S101 - the machine makes one of every convolution
        weights = np.asarray(first.constant(1), np.int64)[match.channels]
        found = product.matrix.T.astype(np.int64)
        same_shape = found.shape == weights.shape
        differ = int((found != weights).sum()) if same_shape else weights.size
        self._weights.add(weights.size, differ, f"{match}: {differ:,} of {weights.size:,} weights differ")
        wrong = self._wrong(match, operation)
        channels = [what for what in wrong.values() if what.any()]
        failed = int(np.any(channels, axis=0).sum()) if channels else 0
        what = ", ".join(name for name, where in wrong.items() if where.any())
        self._channels.add(len(weights), failed, f"{match}: {what} differ in {failed} of {len(weights)} channels")

    def _wrong(self, match: Match, operation: Convolution) -> dict[str, npt.NDArray[np.bool_]]:
        """Return where each part of a fully connected operator differs, by output channel."""
        first, product = match.operators[0], match.planned.product
        assert product is not None  # noqa: S101 - the machine makes one of every convolution
        multipliers, rounding = _scales(first)
        channels = len(multipliers[match.channels])
        bias = first.inputs[2] if len(first.inputs) > 2 else None  # noqa: PLR2004 - the bias is the third
        wanted = {
            "biases": np.zeros(channels, np.int64) if bias is None else first.constant(2)[match.channels],
            "multipliers": multipliers[match.channels, 0],
            "shifts": multipliers[match.channels, 1],
        }
        found = dict(zip(wanted, product.scales, strict=True))
        low, high = formulas.clamp(first.activation, first)
        common = {
            "input zero point": operation.ifm.zero_point == first.input(0).zero_point,
            "output zero point": operation.ofm.zero_point == first.outputs[0].zero_point,
            "bounds": (operation.activation.low, operation.activation.high) == (low, high),
            "rounding": operation.rounding is rounding,
            "table": self._right_table(match),
        }
        return {name: np.asarray(found[name] != wanted[name]) for name in wanted} | {
            name: np.full(channels, not right) for name, right in common.items()
        }

    def _right_table(self, match: Match) -> bool:
        lookup, fused = match.planned.lookup, match.operators[1:]
        if lookup is None or not fused:
            return lookup is None and not fused
        return np.array_equal(lookup, self._formula(fused))


def _scales(operator: Operator) -> tuple[npt.NDArray[np.int64], Rounding]:
    """Return (multiplier, shift to the right) of each output of a fully connected operator, and how it rounds."""
    found = formulas.multipliers(operator)
    if operator.input(0).dtype == np.int16:
        return np.array([gemmlowp.reduced(multiplier) for multiplier in found]), Rounding.NATURAL
    return np.array([(of.significand, gemmlowp.FRACTION_BITS - of.shift) for of in found]), Rounding.DOUBLE


def _first_difference(found: npt.NDArray[Any], wanted: npt.NDArray[Any]) -> str:
    where = np.argwhere(found != wanted)
    inputs = " and ".join(str(int(place) - MIDDLE) for place in where[0])
    first = tuple(where[0])
    return f"of {inputs} it makes {found[first]} instead of {wanted[first]}; {len(where):,} of {wanted.size:,} differ"
