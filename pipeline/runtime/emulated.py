"""Run a compiled file on our emulator of the NPU, in batches, its inputs and outputs by the quantized model's names."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from threadpoolctl import threadpool_limits

from pipeline.data.arrays import Features
from pipeline.emulator.machine.machine import Machine, Watch
from pipeline.runtime import litert
from pipeline.runtime.litert import INPUT, Stored

BATCH = 125
"""Samples that go through every command together: enough to be quick, few enough to stay in the caches."""


class EmulatedModel(litert.Model):
    """A compiled model, to be run on many samples at a time; the quantized one tells its inputs and outputs."""

    def __init__(self, quantized: Path, machine: Machine, watch: Watch | None = None) -> None:
        """Take the names, scales and zero points of the one, and the commands of the other.

        What watches is told the results of every command.
        """
        super().__init__(quantized, litert.REFERENCE)
        self._machine = machine
        self._watch = watch
        self._in: dict[str, Stored] = {}
        self._out: dict[str, Stored] = {}

    def put(self, name: str, values: Stored) -> None:
        """Set an input, (samples, ...)."""
        self._in[self.inputs[name].tensor] = values

    def invoke(self) -> None:
        """Compute the outputs from the inputs."""
        self._out = self._machine.run(self._in, self._watch)

    def read(self, name: str) -> Stored:
        """Return an output of the last inference, (samples, width)."""
        port = self.outputs[name]
        found = self._out[port.tensor]
        return found.reshape(len(found), *port.shape[1:])

    def infer(self, steps: Stored) -> None:
        """Run one inference on (samples, steps, features)."""
        self.put(INPUT, steps)
        self.invoke()


def outputs(quantized: Path, machine: Machine, x: Features, progress: Callable[[int], None]) -> dict[str, Stored]:
    """Run a compiled model on every sample, on all cores; the rest is as in ``inference.outputs``.

    Raises:
        NotVerifiedError: a number goes beyond what is known of the hardware.

    """
    run = partial(_run, quantized, machine)
    # A thread of ours on each core, each with threads of the linear algebra on all of them: seventeen times slower.
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(litert.workers(len(x))) as pool:
        return litert.in_chunks(pool, run, x, progress, BATCH)


def _run(quantized: Path, machine: Machine, x: Features) -> dict[str, Stored]:
    model = EmulatedModel(quantized, machine)
    model.reset(len(x))
    model.run(model.inputs[INPUT].stored(model.folded(x)))
    return {name: model.read(name) for name in model.outputs}
