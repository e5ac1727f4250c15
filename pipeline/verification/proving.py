"""What both verify stages share: check what holds for every input, let samples through, and say what is proved."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.machine.machine import Machine
from pipeline.emulator.proof import source, static_checks
from pipeline.emulator.stream import debug_database, program
from pipeline.metrics import nulls
from pipeline.npu import compiler
from pipeline.npu.section import Target
from pipeline.stage import Found, Work
from pipeline.verification.verdicts import FAILED, NOTHING, PARTLY, PROVED

QUANTIZED, COMPILED = "quantized.tflite", "compiled.tflite"
NO_CHECKS = static_checks.Findings(checks=(), warnings=(), not_verified=(), by_samples=())
Metrics = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Samples:
    """What came of letting samples through."""

    metrics: Metrics
    unavailable: Mapping[str, str] = field(default_factory=dict)
    """Metric -> why there is none."""
    warnings: Sequence[str] = ()
    """Sentences on differences that are known and proved."""
    failures: Sequence[str] = ()
    """Sentences on those that are not."""


Emulate = Callable[[Machine, static_checks.Findings], Samples]
"""Lets samples through a compiled file; raises a NotVerifiedError where that is not covered."""


def prove(work: Work[Any], target: Target, of_samples: Sequence[str], emulate: Emulate) -> Found:
    """Check what holds for every input, let samples through where no check failed, and say what both prove.

    Args:
        work: its inputs are the ``compiled`` file and the ``quantized`` model.
        target: that the file is for.
        of_samples: the metrics that ``emulate`` gives where it can.
        emulate: lets samples through.

    Raises:
        StreamError: the compiled file is damaged, or of another model.
        compiler.CompileError: Vela, which tells what each command is for, failed.

    """
    compiled = work.inputs["compiled"] / COMPILED
    try:
        machine = Machine(program.load(compiled))
    except NotVerifiedError as error:
        why = str(error).removeprefix(f"{compiled}: ")  # where it lies is no part of a result
        return _found(NO_CHECKS, Samples(metrics={}, unavailable=dict.fromkeys(of_samples, why)), [why])
    not_verified = []
    checked = NO_CHECKS
    try:
        checked = check(work, target, machine)
    except NotVerifiedError as error:
        not_verified.append(str(error))
    try:
        samples = emulate(machine, checked)
    except NotVerifiedError as error:
        samples = Samples(metrics={}, unavailable=dict.fromkeys(of_samples, str(error)))
        not_verified.append(str(error))
    else:
        if "identical_samples" in samples.unavailable:
            not_verified.append(f"no sample is compared: {samples.unavailable['identical_samples']}")
    return _found(checked, samples, [*checked.not_verified, *dict.fromkeys(not_verified)])


def verdict(checked: static_checks.Findings, samples: Samples, not_verified: Sequence[str]) -> str:
    """Say in one of the words of ``verdicts`` what is proved."""
    compared = samples.metrics.get("identical_samples") is not None
    if samples.failures or any(each.failed for each in checked.checks):
        return FAILED
    if checked.checks and compared and not not_verified:
        return PROVED
    return PARTLY if checked.checks or compared else NOTHING


def _found(checked: static_checks.Findings, samples: Samples, not_verified: Sequence[str]) -> Found:
    checks = [
        {"name": each.name, "unit": each.unit, "checked": each.checked, "failed": each.failed}
        for each in checked.checks
    ]
    failures = [
        f"{each.first} ({each.failed:,} of {each.checked:,} {each.unit} fail: {each.name})"
        for each in checked.checks
        if each.failed
    ]
    said = {
        **nulls(samples.unavailable),
        **samples.metrics,
        "checks": checks,
        "only_by_samples": list(checked.by_samples),
        "not_verified": list(not_verified),
        "failures": [*failures, *samples.failures],
        "verdict": verdict(checked, samples, not_verified),
    }
    return Found(
        metrics=said,
        unavailable=samples.unavailable,
        basis=dict.fromkeys(said, "emulated"),
        warnings=[
            *(f"failed: {what}" for what in said["failures"]),
            *checked.warnings,
            *samples.warnings,
            *(f"not verified: {what}" for what in not_verified),
        ],
    )


def check(work: Work[Any], target: Target, machine: Machine) -> static_checks.Findings:
    """Check what holds for every input.

    Vela, called once more, tells what each command is for; a wrong answer can fail a check, and not pass it.

    Raises:
        NotVerifiedError: the model holds what no check covers.

    """
    quantized = work.inputs["quantized"] / QUANTIZED
    with tempfile.TemporaryDirectory(dir=work.into.parent) as folder:
        compiled, _ = compiler.compile_model(quantized, Path(folder), target, debug_database.ARGUMENT)
        origins = debug_database.read(debug_database.beside(compiled))
    return static_checks.check(machine, source.load(quantized), origins)
