"""Where the NPU computes something else than TensorFlow Lite Micro, for a reason that is known.

The file of a kind of operator recognises a multiplier, or entries of a table, that are to the last bit what Vela is
known to make of it, and says what TensorFlow Lite Micro has in their place. That the command then computes the same is
not believed: the checks look at it as substituted, and samples that differ must not with all substitutions in place.
What no kind recognises is compared as it is, and fails.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.machine.machine import Machine
from pipeline.emulator.machine.planning import Planned
from pipeline.emulator.proof.kinds import kind_of
from pipeline.emulator.proof.matches import Match
from pipeline.emulator.proof.reach import Reach
from pipeline.emulator.proof.source import Model
from pipeline.emulator.stream.operations import Binary, Pool, Substitution


@dataclass(frozen=True, kw_only=True)
class KnownDifference:
    """A command that computes something else than TensorFlow Lite Micro."""

    match: Match
    """The command as it was compiled, and what it computes of the quantized model."""
    substitution: Substitution
    """With which it computes what TensorFlow Lite Micro does."""
    reasons: tuple[str, ...]
    """Why it does not, each a part of a sentence."""


def recognised(matches: Iterable[Match]) -> tuple[KnownDifference, ...]:
    """Return every command that is known to differ; those that have the same tables are looked at once."""
    looked_at: dict[Hashable, KnownDifference | None] = {}
    differences = []
    for match in matches:
        key = _decisive(match)
        if key not in looked_at:
            looked_at[key] = _difference(match)
        difference = looked_at[key]
        if difference is not None:
            differences.append(replace(difference, match=match))
    return tuple(differences)


def substitutions(differences: Iterable[KnownDifference]) -> Mapping[int, Substitution]:
    """Return what a machine needs to compute what TensorFlow Lite Micro does, by the offset of the command."""
    return {each.match.planned.command.offset: each.substitution for each in differences}


def substituted(machine: Machine, matches: Sequence[Match], differences: Sequence[KnownDifference]) -> Sequence[Match]:
    """Return the matches with their commands planned anew, all substitutions in place."""
    if not differences:
        return matches
    planned_anew = Machine(machine.program, substitutions(differences)).planned
    by_offset = {planned.command.offset: planned for planned in planned_anew}
    return [replace(match, planned=by_offset[match.planned.command.offset]) for match in matches]


def sentences(
    differences: Iterable[KnownDifference], substituted_matches: Iterable[Match], model: Model
) -> tuple[str, ...]:
    """Say of commands on 8 bits how many of their results differ, how much, and why; alike ones share a sentence.

    Of wider numbers nothing is said here: only samples show how many differ.
    """
    reach = Reach(model)
    as_micro = {match.planned.command.offset: match.planned for match in substituted_matches}
    operators: dict[str, dict[str, None]] = defaultdict(dict)
    for each in differences:
        extent = _extent(each.match, as_micro[each.match.planned.command.offset], reach)
        if extent is not None:
            ours = f"{extent[0]}, because {' and '.join(each.reasons)}{extent[1]}"
            operators[ours][str(each.match.operators[0])] = None
    return tuple(f"{_named(list(names))}: {sentence}" for sentence, names in operators.items())


def _named(operators: Sequence[str]) -> str:
    more = len(operators) - 1
    return f"{operators[0]} and {more:,} more like it" if more else operators[0]


def _extent(match: Match, as_micro: Planned, reach: Reach) -> tuple[str, str] | None:
    """Return what stands before and after the reason; None where there is no table to be counted in."""
    results = kind_of(match.operators[0]).results(match, as_micro, reach)
    if results is None:
        return None
    distance = np.abs(results.compiled.astype(np.int64) - results.micro)
    differ = int((distance > 0).sum())
    most = f"{'at most ' if differ > 1 else ''}{distance.max()}"
    before = f"the NPU differs from TensorFlow Lite Micro by {most} at {differ} of {distance.size:,} {results.what}"
    if results.possible is None:
        return before, ""
    within = int((results.possible & (distance > 0)).sum())
    return before, f"; {within or 'none'} of these {results.what.removeprefix('input ')} can come up"


def _decisive(match: Match) -> Hashable:
    operation, lookup = match.planned.operation, match.planned.lookup
    return (
        tuple(operator.signature for operator in match.operators),
        operation.scale if isinstance(operation, Binary | Pool) else None,
        None if lookup is None else lookup.tobytes(),
    )


def _difference(match: Match) -> KnownDifference | None:
    scale, lookup, reasons = None, None, []
    for operator in match.operators:
        try:
            recognised_by_kind = kind_of(operator).known_difference(match, operator)
        except (NotVerifiedError, OverflowError):  # the comparison says what is not covered
            continue
        if recognised_by_kind is not None:
            substitution, reason = recognised_by_kind
            scale, lookup = substitution.scale or scale, substitution.lookup if lookup is None else lookup
            reasons.append(reason)
    if not reasons:
        return None
    return KnownDifference(match=match, substitution=Substitution(scale=scale, lookup=lookup), reasons=tuple(reasons))
