"""What the proof can know of a kind of operator, and the kinds there are. What is known of one stands in its file."""

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.machine.planning import Planned
from pipeline.emulator.proof import int8
from pipeline.emulator.proof.codes import Codes
from pipeline.emulator.proof.int8 import MIDDLE, Possible, Table
from pipeline.emulator.proof.matches import Match
from pipeline.emulator.proof.source import Operator
from pipeline.emulator.stream.operations import Substitution

if TYPE_CHECKING:  # these use the kinds
    from pipeline.emulator.proof.equivalence import Comparison
    from pipeline.emulator.proof.following import Following
    from pipeline.emulator.proof.reach import Reach


@dataclass(frozen=True, kw_only=True)
class Results:
    """All results of a command, as it was compiled and as TensorFlow Lite Micro has them, of the same shape."""

    compiled: npt.NDArray[Any]
    micro: npt.NDArray[Any]
    possible: Possible | None
    """Which of them can come up at all; None where that is not known."""
    what: str
    """What there is a result for: ``inputs``, ``input pairs``, ..."""


class Kind:
    """A kind of operator. Of one that says no more than this, nothing is known but its inputs and outputs."""

    BY_SAMPLES: ClassVar[bool] = False
    """Whether it is known that Vela makes many commands of it and that only samples can show them."""

    def is_view(self, operator: Operator) -> bool:
        """Tell whether an operator only shows numbers of others."""
        del operator
        return False

    def shown(self, operator: Operator, read: Sequence[Codes]) -> Sequence[Codes]:
        """Return what the outputs of a view show.

        Args:
            operator: the view.
            read: the codes of its inputs that are there, each in its tensor's shape.

        Returns:
            The codes of each output, in the order of its elements.

        Raises:
            NotVerifiedError: it does what is not covered.
            ValueError, IndexError: shapes don't fit.

        """
        del read
        message = f"operator {operator}, which is no view"
        raise NotVerifiedError(message)

    def table(self, operator: Operator) -> Table:
        """Return what TensorFlow Lite Micro makes of every input of 8 bits.

        Raises:
            NotVerifiedError: it is no such operator, or not covered.

        """
        message = f"operator {operator}: no formula is known for {operator.kind}"
        raise NotVerifiedError(message)

    def follow(self, following: "Following", planned: Planned, operators: tuple[Operator, ...]) -> Match | None:
        """Check that a command reads what its operator reads, and store what it computes.

        Args:
            following: what is in the NPU's memories.
            planned: a kernel.
            operators: the first is of this kind, the others are fused behind it.

        Returns:
            What is to be compared; None of a command that is not known for such operators.

        Raises:
            Mismatch: it reads something else.

        """
        del following, planned, operators
        return None

    def compare(self, match: Match, comparison: "Comparison") -> None:
        """Compare what a command that was followed computes with its operators, for every input.

        Raises:
            NotVerifiedError: that is not covered.

        """
        del comparison
        message = f"{match}: there is nothing to compare it with"
        raise NotVerifiedError(message)

    def known_difference(self, match: Match, operator: Operator) -> tuple[Substitution, str] | None:
        """Recognise, to the last bit, what Vela is known to make of an operator of this kind, where Micro has other.

        Args:
            match: a command, and the operators that it computes.
            operator: one of them.

        Returns:
            What TensorFlow Lite Micro has in its place, and the reason; None where it is not what is known.

        Raises:
            NotVerifiedError, OverflowError: the operator is not covered.

        """
        del match, operator
        return None

    def results(self, match: Match, as_micro: Planned, reach: "Reach") -> Results | None:
        """Return all results of a command that differs as is known; None where they are too many to be counted.

        Args:
            match: the command as it was compiled, its first operator of this kind.
            as_micro: the same with what TensorFlow Lite Micro has.
            reach: what can come up.

        """
        del match, as_micro, reach
        return None

    def possible(self, operator: Operator, reach: "Reach") -> Possible:
        """Return which numbers of 8 bits it can compute at all."""
        del operator, reach
        return int8.any_number()


Class = TypeVar("Class", bound="type[Kind]")
UNKNOWN = Kind()
_KINDS: dict[str, Kind] = {}


def kind(name: str) -> Callable[[Class], Class]:
    """Register a class as what is known of the operators of one of the format's kinds, ``ADD`` and the like."""

    def register(of: Class) -> Class:
        _KINDS[name] = of()
        return of

    return register


@cache
def load() -> None:
    """Load every module of ``operators/``, which registers its own."""
    from pipeline.emulator.proof import operators  # noqa: PLC0415 - its modules import this one

    for module in pkgutil.iter_modules(operators.__path__):
        importlib.import_module(f"{operators.__name__}.{module.name}")


def kind_of(operator: Operator) -> Kind:
    """Return what is known of an operator's kind."""
    load()
    return _KINDS.get(operator.kind, UNKNOWN)


def composed(operators: Sequence[Operator]) -> Table:
    """Return the table of operators that follow each other, the first of them with one or two inputs.

    Raises:
        NotVerifiedError: there is none of one of them.

    """
    result = kind_of(operators[0]).table(operators[0])
    for operator in operators[1:]:
        result = kind_of(operator).table(operator)[result.astype(np.int64) + MIDDLE]
    return result
