"""Where the NPU computes something else than TensorFlow Lite Micro, for a reason that is known.

Each rule recognises a multiplier, or entries of a table, that are to the last bit what Vela is known to make of an
operator, and says what TensorFlow Lite Micro has in their place. That the command then computes the same is not
believed: the checks look at it as substituted, and samples that differ must not with all substitutions in place.
What no rule recognises is compared as it is, and fails.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.machine.machine import Machine
from pipeline.emulator.machine.planning import Planned
from pipeline.emulator.proof import formulas, gemmlowp
from pipeline.emulator.proof.matches import Match
from pipeline.emulator.proof.reach import Reach
from pipeline.emulator.proof.source import Model, Operator
from pipeline.emulator.proof.whole_tables import whole_table
from pipeline.emulator.stream.arithmetic import Scale
from pipeline.emulator.stream.operations import Binary, Convolution, Lookup, Pool, Substitution

TIE = 1e-9
"""Of a step: as near to the middle of two numbers as that, an exact table may have either."""


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
    """Return every command that a rule knows to differ; those that have the same tables are looked at once."""
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
    first = match.operators[0]
    if first.input(0).dtype != np.int8:
        return None
    if isinstance(match.planned.operation, Convolution):
        found, wanted, possible, what = match.planned.lookup, as_micro.lookup, None, "entries of its table"
    else:
        found, wanted = whole_table(match.planned), whole_table(as_micro)
        possible = match.by_operands(reach.inputs(first))
        what = "input pairs" if first.kind in formulas.BINARY else "inputs"
    if found is None or wanted is None:
        return None
    distance = np.abs(found.astype(np.int64) - wanted)
    differ = int((distance > 0).sum())
    most = f"{'at most ' if differ > 1 else ''}{distance.max()}"
    before = f"the NPU differs from TensorFlow Lite Micro by {most} at {differ} of {distance.size:,} {what}"
    if possible is None:
        return before, ""
    within = int((possible & (distance > 0)).sum())
    return before, f"; {within or 'none'} of these {what.removeprefix('input ')} can come up"


def _decisive(match: Match) -> Hashable:
    operation, lookup = match.planned.operation, match.planned.lookup
    return (
        tuple(formulas.signature(operator) for operator in match.operators),
        operation.scale if isinstance(operation, Binary | Pool) else None,
        None if lookup is None else lookup.tobytes(),
    )


def _difference(match: Match) -> KnownDifference | None:
    scale, lookup, reasons = None, None, []
    for rule in RULES:
        try:
            recognised_by_rule = rule(match)
        except (NotVerifiedError, OverflowError):  # the comparison says what is not covered
            continue
        if recognised_by_rule is not None:
            substitution, reason = recognised_by_rule
            scale, lookup = substitution.scale or scale, substitution.lookup if lookup is None else lookup
            reasons.append(reason)
    if not reasons:
        return None
    return KnownDifference(match=match, substitution=Substitution(scale=scale, lookup=lookup), reasons=tuple(reasons))


def _rounded_multiplier(match: Match) -> tuple[Substitution, str] | None:
    """Know a multiplier that Vela computed in single precision, and TensorFlow Lite Micro in double precision.

    Results then differ by 1 for a few inputs: rarely on 8 bits, more often on 16.
    """
    operation, operator = match.planned.operation, match.operators[0]
    if not isinstance(operation, Binary | Pool) or operator.kind not in formulas.ROUNDED_BY_VELA:
        return None
    double, single = (_scale(operator, precision) for precision in (np.float64, np.float32))
    if double == single or operation.scale != single:
        return None
    of_8_bits = operator.input(0).dtype == np.int8
    if of_8_bits and np.array_equal(formulas.table(operator), formulas.in_single_precision(operator)):
        return None
    reason = f"Vela rounds multipliers of {operator.kind} to single precision"
    return Substitution(scale=double), reason


def _scale(operator: Operator, precision: formulas.Precision) -> Scale:
    multiplier = formulas.multiplier(operator, precision)
    return Scale(multiplier=multiplier.significand, shift=gemmlowp.FRACTION_BITS - multiplier.shift)


def _exact_function(match: Match) -> tuple[Substitution, str] | None:
    """Know entries of a table that are next to the real function, where TensorFlow Lite Micro's are not.

    Its kernel, in fixed point, is off by 1 for a few inputs, and has end values from few steps on of a large scale.
    """
    operator, lookup = _looked_up(match), match.planned.lookup
    if operator is None or lookup is None:
        return None
    micro, limits = formulas.table(operator), np.iinfo(np.int8)
    exact = np.clip(formulas.exact(operator), limits.min, limits.max)
    known = (lookup != micro) & (np.abs(exact - lookup) <= 1 / 2 + TIE)
    if not known.any():
        return None
    reason = f"TensorFlow Lite Micro {_manner(operator, known)}, where Vela's table is exact"
    return Substitution(lookup=np.where(known, micro, lookup)), reason


def _looked_up(match: Match) -> Operator | None:
    """Return the sigmoid or tanh that a command's table stands for, if it stands for nothing else."""
    activation = getattr(match.planned.operation, "activation", None)
    if activation is None or activation.lookup is not Lookup.DIRECT:
        return None
    of_table = match.operators if match.operators[0].kind in formulas.FUNCTIONS else match.operators[1:]
    if len(of_table) != 1 or of_table[0].kind not in formulas.FUNCTIONS:
        return None
    return of_table[0]


def _manner(operator: Operator, differ: npt.NDArray[np.bool_]) -> str:
    """Say what TensorFlow Lite Micro does where the tables differ."""
    x = operator.input(0)
    steps = np.abs(formulas.EVERY - x.zero_point)
    if steps[differ].max() < gemmlowp.activation_radius(x.scale):
        return f"computes {operator.kind} in fixed point"
    return f"cuts {operator.kind} from an input scale of {formulas.FUNCTIONS[operator.kind].cut_from} on"


RULES = (_rounded_multiplier, _exact_function)
"""Each returns what to substitute, and why; None where a command is not what the rule knows."""
