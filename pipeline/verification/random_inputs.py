"""Random inputs, let through an emulated compiled file: of a model that was made elsewhere there is no test set."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import array_file
from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.machine.machine import Machine
from pipeline.emulator.proof import source
from pipeline.emulator.proof.static_checks import Findings
from pipeline.runtime import micro
from pipeline.runtime.litert import Stored
from pipeline.stage import Work
from pipeline.verification import comparing, differing
from pipeline.verification.comparing import COMPARED, Marked, Outputs
from pipeline.verification.differing import Compiled
from pipeline.verification.proving import QUANTIZED, Samples
from pipeline.verification.test_set import EMULATED

OF_SAMPLES = ("emulated_samples", *COMPARED)
RANDOM_INPUTS = "random inputs"
SEED = 0
BATCH_BYTES = 1 << 26
"""Memory that the samples of a batch may take together."""
MOST_IN_A_BATCH = 125


def emulate(quantized: Path, count: int, work: Work[Any], machine: Machine, checked: Findings) -> Samples:
    """Let random inputs through the commands and through TensorFlow Lite Micro, and write ``emulated.npz``.

    Args:
        quantized: the folder of the model.
        count: how many inputs.
        work: where to write; is told how far it is.
        machine: runs the commands.
        checked: what was found without samples.

    """
    path = quantized / QUANTIZED
    model, program = source.load(path), machine.program
    names = [place.name for place in (*program.inputs, *program.outputs)]
    if len(set(names)) < len(names):
        message = "a model of which two inputs or outputs have one name"
        raise NotVerifiedError(message)
    inputs = random_inputs({tensor.name: (tensor.shape, tensor.dtype) for tensor in model.inputs}, count)
    given = dict(zip((place.name for place in program.inputs), inputs.values(), strict=True))
    found = _run(machine, given, lambda done: work.progress(done, count, what="emulated"))
    saved = [("input", list(inputs.values())), ("output", list(found.values()))]
    array_file.save(
        work.into / EMULATED,
        {f"{kind}_{place}": values for kind, each in saved for place, values in enumerate(each)},
    )
    metrics = {"emulated_samples": count, "samples_are": RANDOM_INPUTS}
    try:
        of_micro = micro.computed(path.read_bytes(), list(inputs.values()))
    except micro.MicroError as error:
        return Samples(metrics=metrics, unavailable=dict.fromkeys(COMPARED, str(error)))
    compiled = Compiled(quantized=path, machine=machine, checked=checked)

    def marked(differ: Marked) -> dict[str, Stored]:
        return {name: values[differ] for name, values in given.items()}

    def first(differ: Marked) -> dict[str, Stored]:
        return {name: values[:1] for name, values in marked(differ).items()}

    outputs = Outputs(
        found=found,
        expected=dict(zip(found, of_micro, strict=True)),
        what="random input",
        rerun=lambda differ, other: _run(other, marked(differ), lambda _: None),
        first_operation=lambda differ: differing.first_operation_of(compiled, first(differ)),
    )
    return comparing.hold_against(compiled, outputs, metrics)


def random_inputs(of: Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]], count: int) -> dict[str, Stored]:
    """Draw stored numbers from all that each input can hold, the same whenever they are drawn.

    The first samples are the edges: all inputs at their lowest number, and all at their highest.

    Args:
        of: shape and type of each input by name.
        count: how many samples.

    Returns:
        By name, each (samples, *shape).

    """
    random = np.random.default_rng(SEED)
    found = {}
    for name, (shape, dtype) in of.items():
        limits = np.iinfo(dtype)
        drawn = random.integers(limits.min, limits.max, (count, *shape), dtype, endpoint=True)
        for sample, edge in zip(range(count - 1), (limits.min, limits.max), strict=False):
            drawn[sample] = edge
        found[name] = drawn
    return found


def _run(machine: Machine, given: Mapping[str, Stored], progress: Callable[[int], None]) -> dict[str, Stored]:
    """Run samples in batches that memory has room for; the outputs by name, each (samples, size)."""
    program = machine.program
    room = BATCH_BYTES // max(program.scratch_bytes + program.fast_scratch_bytes, 1)
    size, count = min(max(room, 1), MOST_IN_A_BATCH), len(next(iter(given.values())))
    parts = []
    for first in range(0, count, size):
        parts.append(machine.run({name: values[first : first + size] for name, values in given.items()}))
        progress(min(first + size, count))
    return {name: np.concatenate([part[name].reshape(len(part[name]), -1) for part in parts]) for name in parts[0]}
