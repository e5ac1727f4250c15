"""The test set of an experiment, let through an emulated compiled file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import array_file
from pipeline.data import arrays
from pipeline.emulator.machine.machine import Machine
from pipeline.emulator.proof import static_checks
from pipeline.metrics import SCORES
from pipeline.runtime import emulated, litert, micro
from pipeline.runtime.litert import OUTPUT
from pipeline.stage import Work
from pipeline.tasks.classification import CLASSIFICATION as TASK
from pipeline.verification import differing
from pipeline.verification.comparing import COMPARED, Outputs, hold_against
from pipeline.verification.differing import Compiled
from pipeline.verification.proving import QUANTIZED, Samples

MICRO = "micro.npz"
EMULATED = "emulated.npz"
ROWS = "test_samples"
"""What ``emulated.npz`` calls the numbers of its rows in the test set."""
OF_SAMPLES = (f"{SCORES}.compiled", "emulated_samples", *COMPARED)
TEST_SAMPLES = "samples"


def emulate(
    inputs: Mapping[str, Path],
    count: int | None,
    work: Work[Any],
    machine: Machine,
    checked: static_checks.Findings,
) -> Samples:
    """Let the test set through the commands, and write ``emulated.npz``.

    Args:
        inputs: folders of what the stage needs.
        count: only so many samples, of all classes and spread over the set.
        work: where to write; is told how far it is.
        machine: runs the commands.
        checked: what was found without samples.

    """
    if any(each.failed for each in checked.checks):
        return Samples(metrics={}, unavailable=dict.fromkeys(OF_SAMPLES, "a check failed before"))
    x, labels = arrays.load_part(inputs["dataset"], "test")
    samples = arrays.spread(labels, count)
    x, labels = x[samples], labels[samples]
    quantized = inputs["quantized"] / QUANTIZED
    found = emulated.outputs(quantized, machine, x, lambda done: work.progress(done, len(x), what="emulated"))
    array_file.save(work.into / EMULATED, {**found, ROWS: samples})
    how_stored = litert.Model(quantized, litert.REFERENCE).outputs[OUTPUT].quantization
    metrics = {
        "task": TASK.name,
        SCORES: TASK.scores(labels, {"compiled": TASK.answers(found[OUTPUT], how_stored)}),
        "emulated_samples": len(x),
        "samples_are": TEST_SAMPLES,
    }
    of_micro = inputs["accuracy"] / MICRO
    if not of_micro.exists():
        why = micro.missing() or "the accuracy stage has no bytes of TensorFlow Lite Micro, and says why"
        return Samples(metrics=metrics, unavailable=dict.fromkeys(COMPARED, why))
    with np.load(of_micro, allow_pickle=False) as stored:
        expected = {name: stored[name][samples] for name in stored.files}
    compiled = Compiled(quantized=quantized, machine=machine, checked=checked)

    outputs = Outputs(
        found=found,
        expected=expected,
        what="test sample",
        numbers=samples,
        rerun=lambda differ, other: emulated.outputs(quantized, other, x[differ], lambda _: None),
        first_operation=lambda differ: differing.first_operation(compiled, x[differ][0]),
        softmax_reads_the_same=lambda differ, other: differing.softmax_reads_the_same(compiled, other, x[differ]),
    )
    return hold_against(compiled, outputs, metrics)
