"""The verify stage: whether the compiled file computes what the quantized model does, without a board."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.data import arrays
from pipeline.data.arrays import Features
from pipeline.errors import UnrollError
from pipeline.npu import compiler
from pipeline.npu.stream import container, debug_database, known_differences, source, static_checks
from pipeline.npu.stream.errors import NotVerifiedError
from pipeline.npu.stream.machine import Machine
from pipeline.stages import differing, emulated
from pipeline.stages.contract import Found, Work
from pipeline.stages.differing import Compiled
from pipeline.stages.inference import OUTPUT, Stored

QUANTIZED, COMPILED, MICRO = "quantized.tflite", "compiled.tflite", "micro.npz"
EMULATED = "emulated.npz"
TEST_SAMPLES = "test_samples"
"""What ``emulated.npz`` calls the numbers of its rows in the test set."""
COMPARED = ("identical_samples", "max_difference", "first_difference")
OF_SAMPLES = ("compiled_accuracy", "emulated_samples", *COMPARED)
NO_CHECKS = static_checks.Findings(checks=(), warnings=(), not_verified=(), by_samples=())


SOFTMAX_16_DIFFERENCE = 16
"""Of 32,768 steps: more than Vela's softmax of 16 bits has shown."""
Metrics = dict[str, Any]


class VerifyError(UnrollError):
    """The compiled file computes something else than the quantized model; the sentence says where."""


def make(work: Work) -> Found:
    """Check every command of the compiled file, and let the test set through them.

    What is not covered is a warning and never a guess; a check that fails, or a byte that differs, ends the stage.
    Writes ``emulated.npz``: what came out for every sample, as the model stores it, states included, and which
    samples of the test set those are.

    Raises:
        VerifyError: a check failed, or an output differs from TensorFlow Lite Micro's.
        StreamError: the compiled file is damaged, or of another model.
        compiler.CompileError: Vela, which tells what each command is for, failed.

    """
    compiled = work.inputs["vela"] / COMPILED
    try:
        machine = Machine(container.load(compiled))
    except NotVerifiedError as error:
        why = str(error).removeprefix(f"{compiled}: ")  # where it lies is no part of a result
        return _found(NO_CHECKS, dict.fromkeys(OF_SAMPLES, why), {}, [why])
    not_verified = []
    checked = NO_CHECKS
    try:
        checked = check(work, machine)
    except NotVerifiedError as error:
        not_verified.append(str(error))
    try:
        metrics, unavailable, warnings = _emulate(work, machine, checked)
    except NotVerifiedError as error:
        metrics, unavailable, warnings = {}, dict.fromkeys(OF_SAMPLES, str(error)), []
        not_verified.append(str(error))
    checked = replace(checked, warnings=(*checked.warnings, *warnings))
    return _found(checked, unavailable, metrics, [*checked.not_verified, *not_verified])


def _found(
    checked: static_checks.Findings,
    unavailable: Mapping[str, str],
    metrics: Mapping[str, Any],
    not_verified: Sequence[str],
) -> Found:
    checks = [
        {"name": each.name, "unit": each.unit, "checked": each.checked, "failed": each.failed}
        for each in checked.checks
    ]
    said = {
        **dict.fromkeys(unavailable),
        **metrics,
        "checks": checks,
        "only_by_samples": list(checked.by_samples),
        "not_verified": list(not_verified),
    }
    return Found(
        metrics=said,
        unavailable=unavailable,
        basis=dict.fromkeys(said, "emulated"),
        warnings=[*checked.warnings, *(f"not verified: {what}" for what in not_verified)],
    )


def check(work: Work, machine: Machine) -> static_checks.Findings:
    """Check what holds for every input.

    Vela, called once more, tells what each command is for; a wrong answer can fail a check, and not pass it.

    Raises:
        VerifyError: a check failed.
        NotVerifiedError: the model holds what no check covers.

    """
    quantized = work.inputs["quantized"] / QUANTIZED
    with tempfile.TemporaryDirectory(dir=work.into.parent) as folder:
        compiled, _ = compiler.compile_model(quantized, Path(folder), work.config, debug_database.ARGUMENT)
        origins = debug_database.read(debug_database.beside(compiled))
    checked = static_checks.check(machine, source.load(quantized), origins)
    for each in checked.checks:
        if each.failed:
            message = f"{each.first} ({each.failed:,} of {each.checked:,} {each.unit} fail: {each.name})"
            raise VerifyError(message)
    return checked


def _emulate(work: Work, machine: Machine, checked: static_checks.Findings) -> tuple[Metrics, Metrics, list[str]]:
    """Let the test set through the commands; return metrics, why others are not available, and warnings."""
    x, labels = arrays.load_part(work.inputs["dataset"], "test")
    samples = arrays.spread(labels, work.config["verify"]["samples"])
    x, labels = x[samples], labels[samples]
    quantized = work.inputs["quantized"] / QUANTIZED
    found = emulated.outputs(quantized, machine, x, lambda done: work.progress(done, len(x), what="emulated"))
    arrays.save(work.into / EMULATED, {**found, TEST_SAMPLES: samples})
    metrics = {
        "compiled_accuracy": float(np.mean(found[OUTPUT].argmax(axis=1) == labels)),
        "emulated_samples": len(x),
    }
    micro = work.inputs["accuracy"] / MICRO
    if not micro.exists():
        why = "the accuracy stage has no bytes of TensorFlow Lite Micro to compare with"
        return metrics, dict.fromkeys(COMPARED, why), []
    with np.load(micro, allow_pickle=False) as stored:
        expected = {name: stored[name][samples] for name in stored.files}
    compared = compare(found, expected, samples)
    differ = samples_that_differ(found, expected)
    if not differ.any():
        return metrics | compared, {}, []
    counted = f"{differ.sum():,} of {len(x):,} samples differ, by at most {compared['max_difference']}"
    of_those = {name: values[differ] for name, values in expected.items()}
    compiled = Compiled(quantized=quantized, machine=machine, checked=checked)
    operation = differing.first_operation(compiled, x[differ][0])
    if operation:
        compared["first_difference"] += f"; the first operation that differs is {operation}"
    reason = explained(compiled, x[differ], of_those)
    if reason is None:
        message = f"{compared['first_difference']}; {counted}"
        raise VerifyError(message)
    return metrics | compared, {}, [f"{counted}: {reason}"]


def explained(compiled: Compiled, x: Features, expected: Mapping[str, Stored]) -> str | None:
    """Say why samples differ, if that is known and proved, else None.

    With all that TensorFlow Lite Micro has in place of what is known to differ, the emulator must give its bytes;
    only a softmax of 16 bits, which Vela computes by tables of its own, may then still be a little different.
    """
    known = compiled.checked.known
    machine = Machine(compiled.machine.program, known_differences.substitutions(known))
    found = emulated.outputs(compiled.quantized, machine, x, lambda _: None)
    still = compare(found, expected)
    reasons = list(dict.fromkeys(reason for each in known for reason in each.reasons))
    if still["first_difference"]:
        states = [name for name in expected if name != OUTPUT]
        softmax = found[OUTPUT].dtype == np.int16 and still["max_difference"] <= SOFTMAX_16_DIFFERENCE
        if not softmax or any((found[name] != expected[name]).any() for name in states):
            return None
        reasons.append(f"its softmax of 16 bits differs by at most {still['max_difference']} of 32,768 steps")
    return "; ".join(reasons) or None


def samples_that_differ(found: Mapping[str, Stored], expected: Mapping[str, Stored]) -> npt.NDArray[np.bool_]:
    """Return which samples have an output that is not the same, byte for byte."""
    return np.asarray(np.any([(values != found[name]).any(axis=1) for name, values in expected.items()], axis=0))


def compare(
    found: Mapping[str, Stored], expected: Mapping[str, Stored], samples: npt.NDArray[np.int64] | None = None
) -> dict[str, Any]:
    """Compare outputs, each of shape (samples, width), byte for byte; ``samples`` are their numbers in the test set.

    Returns:
        ``identical_samples``; ``max_difference``, in steps of the stored numbers; ``first_difference``, a sentence.

    """
    differences = {name: np.abs(values.astype(np.int64) - found[name]) for name, values in expected.items()}
    differs = samples_that_differ(found, expected)
    first = None
    if differs.any():
        sample = int(differs.argmax())
        name = next(name for name, difference in differences.items() if difference[sample].any())
        place = int(differences[name][sample].argmax())
        number = sample if samples is None else int(samples[sample])
        first = (
            f"{name}[{place}] of test sample {number} is {found[name][sample, place]},"
            f" where TensorFlow Lite Micro has {expected[name][sample, place]}"
        )
    return {
        "identical_samples": int((~differs).sum()),
        "max_difference": int(max(difference.max() for difference in differences.values())),
        "first_difference": first,
    }
