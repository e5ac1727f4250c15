"""A model of the test's folder, compiled, and TensorFlow Lite Micro, given the same."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from tflite_micro import runtime

from pipeline.emulator.machine.machine import Machine
from pipeline.emulator.stream.program import load

Vela = Callable[..., tuple[Path, str]]
"""The fixture ``vela_once``."""
SAMPLES = 20


def machine(vela_once: Vela, model: str, *target: str) -> Machine:
    """Compile a model for a target, and make it ready to run."""
    (path,) = vela_once(model, *target)[0].glob("*_vela.tflite")
    return Machine(load(path))


def unlike(model: Path, machine: Machine) -> int:
    """Count the outputs of random samples that aren't those of TensorFlow Lite Micro to the last bit."""
    (into,), (out,) = machine.program.inputs, machine.program.outputs
    limits = np.iinfo(into.dtype)
    rng = np.random.default_rng(0)
    samples = rng.integers(limits.min, limits.max + 1, (SAMPLES, *into.shape)).astype(into.dtype)
    found = machine.run({into.name: samples})[out.name]
    reference = runtime.Interpreter.from_file(str(model))
    differ = 0
    for sample, result in zip(samples, found, strict=True):
        reference.set_input(sample.reshape(reference.get_input_details(0)["shape"]), 0)
        reference.invoke()
        differ += reference.get_output(0).tobytes() != result.tobytes()
    return differ
