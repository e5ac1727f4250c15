"""Run a ``.tflite`` file with LiteRT: sample after sample, chunk after chunk, its state fed back."""

import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from pipeline.data import arrays
from pipeline.data.arrays import Features
from pipeline.tflite import roles
from pipeline.tflite.quantization import Quantization
from pipeline.tflite.roles import Graph

REFERENCE = OpResolverType.BUILTIN_REF
"""The kernels that Vela's own tests compare the NPU with. XNNPACK differs from them, and refuses some models."""
BUILTIN = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
"""For float models, where kernels differ in the seventh digit and the reference ones are five times slower."""

CHUNK = 250
"""Samples between two reports of progress."""
WHOLE, SINGLE = "whole_sequence.tflite", "single_step.tflite"
"""A graph with state, cut otherwise than was chosen: into one inference, and into one for every step."""
INPUT, OUTPUT = "input", "output"
"""What a model's signature calls the sequence and the class probabilities."""

Stored = npt.NDArray[Any]
"""Numbers as a model stores them: int8, int16 or float32."""


@dataclass(frozen=True, kw_only=True)
class Port:
    """An input or output of a model."""

    index: int
    tensor: str
    """The name of its tensor, which a compiled file keeps; signatures call it otherwise."""
    shape: tuple[int, ...]
    dtype: Any
    quantization: Quantization | None
    """None for float32."""

    def stored(self, real: Features) -> Stored:
        """Return real numbers as this port stores them."""
        return self.quantization.stored(real, self.dtype) if self.quantization else real.astype(self.dtype)

    def real(self, stored: Stored) -> Features:
        """Return the real numbers that this port's values stand for."""
        return self.quantization.real(stored) if self.quantization else stored


class Model:
    """A batch-1 model, loaded and ready to run on one thread."""

    def __init__(
        self, path: Path, kernels: OpResolverType, graph: Graph | None = None, *, keep_all: bool = False
    ) -> None:
        """Load it; with ``keep_all``, every tensor can be read after an inference.

        Which of its inputs are states says ``graph``, or the ``graph.json`` beside the file; without one, none is.
        """
        with _unwarned() if keep_all else nullcontext():
            self.interpreter = Interpreter(
                model_path=os.fspath(path),
                num_threads=1,
                experimental_op_resolver_type=kernels,
                experimental_preserve_all_tensors=keep_all,
            )
        self.interpreter.allocate_tensors()
        signature = self.interpreter.get_signature_runner()
        self.inputs = {name: _port(found) for name, found in signature.get_input_details().items()}
        self.outputs = {name: _port(found) for name, found in signature.get_output_details().items()}
        if len(self.outputs) == 1:  # TFLiteConverter calls a single output output_0
            self.outputs = dict(zip([OUTPUT], self.outputs.values(), strict=True))
        graph = graph or roles.of(path)
        self.states = sorted(graph.states) if graph else []

    @property
    def steps(self) -> int:
        """Time steps of one inference."""
        return self.inputs[INPUT].shape[1]

    def put(self, name: str, values: Stored) -> None:
        """Set an input: its shape and dtype are the port's."""
        self.interpreter.set_tensor(self.inputs[name].index, values)

    def folded(self, x: Features) -> Features:
        """Show sequences of the data set, (samples, rows, features of a row), in this model's time steps."""
        return arrays.folded(x, self.inputs[INPUT].shape[-1])

    def invoke(self) -> None:
        """Compute the outputs from the inputs."""
        self.interpreter.invoke()

    def read(self, name: str) -> Stored:
        """Return an output of the last inference, (1, width)."""
        found: Stored = self.interpreter.get_tensor(self.outputs[name].index)
        return found

    def reset(self, samples: int = 1) -> None:
        """Set every state to 0: its zero point."""
        for name in self.states:
            port = self.inputs[name]
            self.put(name, port.stored(np.zeros((samples, *port.shape[1:]), np.float32)))

    def infer(self, steps: Stored) -> None:
        """Run one inference on (steps, features), stored as the input wants it."""
        self.put(INPUT, steps[np.newaxis])
        self.invoke()

    def feed_back(self) -> None:
        """Give the state that came out to the next inference: the bytes as they are, where both sides agree."""
        for name in self.states:
            out, into = self.outputs[name], self.inputs[name]
            state = self.read(name)
            if (out.quantization, out.dtype) != (into.quantization, into.dtype):
                state = into.stored(out.real(state))
            self.put(name, state)

    def run(self, sequence: Stored) -> None:
        """Run (time steps, features) in as many inferences as it takes, from whatever the state is."""
        for first in range(0, sequence.shape[-2], self.steps):
            if first:
                self.feed_back()
            self.infer(sequence[..., first : first + self.steps, :])


@contextmanager
def _unwarned() -> Iterator[None]:
    """Let LiteRT keep all tensors without a warning that this takes memory; not for use in threads."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*experimental_preserve_all_tensors")
        yield


def _port(details: Mapping[str, Any]) -> Port:
    return Port(
        index=int(details["index"]),
        tensor=str(details["name"]),
        shape=tuple(int(size) for size in details["shape"]),
        dtype=np.dtype(details["dtype"]),
        quantization=quantization(details),
    )


def quantization(details: Mapping[str, Any]) -> Quantization | None:
    """Return how an input or output is quantized, None for a float one."""
    scale, zero_point = details["quantization"]
    if not scale:
        return None
    return Quantization.single(float(scale), int(zero_point))


def outputs(
    model: Path,
    x: Features,
    kernels: OpResolverType,
    progress: Callable[[int], None] = lambda done: None,  # noqa: ARG005
    *,
    reset: bool = True,
) -> dict[str, Stored]:
    """Run a model on every sample, on all cores.

    Args:
        model: the ``.tflite`` file; its signature has ``input``, ``output`` and, in and out alike, any states.
        x: float32 (samples, rows, features of a row); folded to the model's time steps and quantized here.
        kernels: ``REFERENCE`` or ``BUILTIN``.
        progress: is given the number of samples done.
        reset: begin each sample with a state of 0; else go on from the sample before, within ``CHUNK`` samples.

    Returns:
        What the last inference of each sample returned, as the model stores it: ``output`` (samples, classes)
        and each state (samples, units).

    """
    with ThreadPoolExecutor(workers(len(x))) as pool:  # LiteRT leaves the GIL while it computes
        return in_chunks(pool, partial(_run_anew, model, kernels, reset=reset), x, progress)


def _run_anew(model: Path, kernels: OpResolverType, x: Features, *, reset: bool) -> dict[str, Stored]:
    return run_chunk(Model(model, kernels), x, reset=reset)


def workers(samples: int) -> int:
    """Return how many chunks can run at a time: one on each core that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, -(-samples // CHUNK))


def in_chunks(
    pool: Executor,
    run: Callable[[Features], dict[str, Stored]],
    x: Features,
    progress: Callable[[int], None],
    size: int = CHUNK,
) -> dict[str, Stored]:
    """Run so many samples at a time in a pool; return what came out, in the order of the samples."""
    chunks = [pool.submit(run, x[first : first + size]) for first in range(0, len(x), size)]
    done = 0
    for chunk in as_completed(chunks):
        done += len(chunk.result()[OUTPUT])
        progress(done)
    parts = [chunk.result() for chunk in chunks]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def run_chunk(model: Model, x: Features, *, reset: bool) -> dict[str, Stored]:
    """Run a model on some samples, one after the other; returns the same as ``outputs``."""
    found = {name: np.empty((len(x), *port.shape[1:]), port.dtype) for name, port in model.outputs.items()}
    stored = model.inputs[INPUT].stored(model.folded(x))
    model.reset()
    for index in range(len(x)):
        if index:
            model.reset() if reset else model.feed_back()
        model.run(stored[index])
        for name, rows in found.items():
            rows[index] = model.read(name)[0]
    return found
