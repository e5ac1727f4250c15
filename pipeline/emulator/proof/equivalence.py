"""Compare what each command computes with what its operator computes in TensorFlow Lite Micro: for every input.

How an operator is compared stands in the file of its kind; here is what they share.
"""

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.proof.checks import Check, Tally
from pipeline.emulator.proof.int8 import Table
from pipeline.emulator.proof.kinds import composed, kind_of
from pipeline.emulator.proof.matches import Match
from pipeline.emulator.proof.source import Operator


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
    comparison, not_verified = Comparison(), dict[str, None]()
    for match in matches:
        try:
            kind_of(match.operators[0]).compare(match, comparison)
        except NotVerifiedError as error:
            not_verified[str(error)] = None
    return Equivalence(checks=comparison.checks, not_verified=tuple(not_verified), by_samples=comparison.by_samples)


class Comparison:
    """Counts what is compared, and keeps the tables that operators share."""

    def __init__(self) -> None:
        """Begin with nothing compared."""
        self._tallies: dict[str, Tally] = {}
        self.tables = self.tally("elementwise commands compute what their operators compute", "input pairs")
        self._composed: dict[Hashable, Table] = {}
        self._wide: Counter[str] = Counter()

    def tally(self, name: str, unit: str) -> Tally:
        """Return the one tally of a name, which is begun where it is first asked for."""
        return self._tallies.setdefault(name, Tally(name, unit))

    def table(self, operators: tuple[Operator, ...]) -> Table:
        """Return the table of operators that follow each other, made once.

        Raises:
            NotVerifiedError: there is none of one of them.

        """
        key = tuple(operator.signature for operator in operators)
        if key not in self._composed:
            self._composed[key] = composed(operators)
        return self._composed[key]

    def only_by_samples(self, operator: Operator) -> None:
        """Say of a command that its operator, on numbers of 16 bits, has too many inputs for all to be compared."""
        self._wide[operator.kind] += 1

    @property
    def checks(self) -> tuple[Check, ...]:
        """Return what was counted so far."""
        return tuple(tally.check for tally in self._tallies.values())

    @property
    def by_samples(self) -> tuple[str, ...]:
        """Return a sentence on what only samples show, if anything."""
        kinds = ", ".join(sorted(self._wide))
        wide = f"results of {kinds} on 16-bit numbers, in {self._wide.total():,} commands"
        return (wide,) if self._wide else ()
