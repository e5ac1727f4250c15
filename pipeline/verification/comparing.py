"""Outputs of a compiled file held against TensorFlow Lite Micro's, and the reasons of differences that are known."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.emulator.machine.machine import Machine
from pipeline.emulator.proof import known_differences
from pipeline.runtime.litert import OUTPUT, Stored
from pipeline.verification.differing import Compiled
from pipeline.verification.proving import Metrics, Samples

COMPARED = ("identical_samples", "max_difference", "first_difference")
SOFTMAX_16_DIFFERENCE = 16
"""Of 32,768 steps: more than Vela's softmax of 16 bits has shown."""

Marked = npt.NDArray[np.bool_]
"""Of each sample, whether it is meant."""


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """What came out for every sample, and how to look into those that differ."""

    found: Mapping[str, Stored]
    """By output, (samples, size)."""
    expected: Mapping[str, Stored]
    """The same, of TensorFlow Lite Micro."""
    what: str
    """What a sample is."""
    numbers: npt.NDArray[np.int64] | None = None
    """What each sample is called by; its place among them by default."""
    rerun: Callable[[Marked, Machine], Mapping[str, Stored]]
    """Lets the samples that are marked through another machine."""
    first_operation: Callable[[Marked], str | None]
    """Names the first operation that differs in the first of the samples that are marked."""
    softmax_reads_the_same: Callable[[Marked, Machine], bool] = lambda *_: False
    """Tells whether another machine's softmax gets TensorFlow Lite Micro's bytes in the samples that are marked."""


def hold_against(compiled: Compiled, outputs: Outputs, metrics: Metrics) -> Samples:
    """Compare all that came out with TensorFlow Lite Micro's bytes, and look for the reason where a byte differs.

    Args:
        compiled: the compiled file, and what is known of it.
        outputs: of both.
        metrics: what is known of the samples so far.

    """
    found, expected = outputs.found, outputs.expected
    compared = compare(found, expected, outputs.what, outputs.numbers)
    differ = samples_that_differ(found, expected)
    if not differ.any():
        return Samples(metrics=metrics | compared)
    counted = f"{differ.sum():,} of {len(differ):,} samples differ, by at most {compared['max_difference']}"
    operation = outputs.first_operation(differ)
    if operation:
        compared["first_difference"] += f"; the first operation that differs is {operation}"
    reason = explained(compiled, outputs, differ)
    if reason is None:
        return Samples(metrics=metrics | compared, failures=[f"{compared['first_difference']}; {counted}"])
    return Samples(metrics=metrics | compared, warnings=[f"{counted}: {reason}"])


def explained(compiled: Compiled, outputs: Outputs, differ: Marked) -> str | None:
    """Say why the samples that are marked differ, if that is known and proved, else None.

    With all that TensorFlow Lite Micro has in place of what is known to differ, the emulator must give its bytes;
    only a softmax of 16 bits, which Vela computes by tables of its own, may then still be a little different, from the
    same input.
    """
    known = compiled.checked.known
    machine = Machine(compiled.machine.program, known_differences.substitutions(known))
    found, expected = outputs.rerun(differ, machine), {name: of[differ] for name, of in outputs.expected.items()}
    still = compare(found, expected)
    reasons = list(dict.fromkeys(reason for each in known for reason in each.reasons))
    if still["first_difference"]:
        states = [name for name in expected if name != OUTPUT]
        softmax = (
            OUTPUT in found and found[OUTPUT].dtype == np.int16 and still["max_difference"] <= SOFTMAX_16_DIFFERENCE
        )
        if not softmax or any((found[name] != expected[name]).any() for name in states):
            return None
        if not outputs.softmax_reads_the_same(differ, machine):
            return None
        reasons.append(f"its softmax of 16 bits differs by at most {still['max_difference']} of 32,768 steps")
    return "; ".join(reasons) or None


def samples_that_differ(found: Mapping[str, Stored], expected: Mapping[str, Stored]) -> Marked:
    """Return which samples have an output that is not the same, byte for byte."""
    return np.asarray(np.any([(values != found[name]).any(axis=1) for name, values in expected.items()], axis=0))


def compare(
    found: Mapping[str, Stored],
    expected: Mapping[str, Stored],
    what: str = "test sample",
    numbers: npt.NDArray[np.int64] | None = None,
) -> dict[str, Any]:
    """Compare outputs, each of shape (samples, width), byte for byte; ``numbers`` are what samples are called by.

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
        number = sample if numbers is None else int(numbers[sample])
        first = (
            f"{name}[{place}] of {what} {number} is {found[name][sample, place]},"
            f" where TensorFlow Lite Micro has {expected[name][sample, place]}"
        )
    return {
        "identical_samples": int((~differs).sum()),
        "max_difference": int(max(difference.max() for difference in differences.values())),
        "first_difference": first,
    }
