"""All that is checked of a compiled file without running a sample through it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.emulator.machine.machine import Machine
from pipeline.emulator.proof import dataflow, equivalence, hazards, known_differences
from pipeline.emulator.proof.checks import Check
from pipeline.emulator.proof.codes import Codes
from pipeline.emulator.proof.kinds import kind_of
from pipeline.emulator.proof.known_differences import KnownDifference
from pipeline.emulator.proof.source import Model, Operator
from pipeline.emulator.stream.debug_database import Origin

MOST_NAMES = 5


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What the checks found."""

    checks: tuple[Check, ...]
    warnings: tuple[str, ...]
    """Sentences on results that differ for a reason that is known and harmless."""
    not_verified: tuple[str, ...]
    """What no check covers."""
    by_samples: tuple[str, ...]
    """What only samples show: operators by kind and name, and results of 16 bits."""
    computes: Mapping[int, Codes] = field(default_factory=dict)
    """What each kernel writes: the codes of its result's elements, by the offset of the command."""
    known: tuple[KnownDifference, ...] = ()
    """Commands that differ from TensorFlow Lite Micro for a reason that is known; they were checked as substituted."""


def check(machine: Machine, model: Model, origins: Mapping[int, Origin]) -> Findings:
    """Check a compiled model against the quantized one.

    That every address is inside its region, and that nothing is read before it is written, was checked when
    the machine planned its commands.

    Args:
        machine: the compiled model, planned.
        model: the quantized model that was compiled.
        origins: which operators each command is for, by its offset; a wrong one can fail a check, not pass it.

    Raises:
        StreamError: they are not of the same model.
        NotVerifiedError: the quantized model holds what is not covered at all.

    """
    flow = dataflow.follow(machine, model, origins)
    known = known_differences.recognised(flow.matches)
    as_micro = known_differences.substituted(machine, flow.matches, known)
    compared = equivalence.compare(as_micro)
    return Findings(
        checks=tuple(
            check for check in (flow.check, *compared.checks, hazards.order(machine.planned)) if check.checked
        ),
        warnings=known_differences.sentences(known, as_micro, model),
        not_verified=(*compared.not_verified, *_unknown(flow.by_samples)),
        by_samples=(*map(str, flow.by_samples), *compared.by_samples),
        computes=flow.computes,
        known=known,
    )


def _unknown(by_samples: Sequence[Operator]) -> list[str]:
    """Say which operators no formula of ours covers, so that nothing but samples can speak for them."""
    unknown = [str(operator) for operator in by_samples if not kind_of(operator).BY_SAMPLES]
    if not unknown:
        return []
    rest = f" and {len(unknown) - MOST_NAMES} more" * (len(unknown) > MOST_NAMES)
    return [f"{', '.join(unknown[:MOST_NAMES])}{rest}: for every input; no formula is known, only samples show them"]
