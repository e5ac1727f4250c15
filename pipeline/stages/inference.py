"""Run a ``.tflite`` file with LiteRT, and look at its tensors."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from pipeline.data.arrays import Features

REFERENCE = OpResolverType.BUILTIN_REF
"""The kernels that Vela's own tests compare the NPU with. XNNPACK differs from them, and refuses some models."""
BUILTIN = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
"""For float models, where kernels differ in the seventh digit and the reference ones are five times slower."""

CHUNK = 250
"""Samples between two reports of progress."""


@dataclass(frozen=True, kw_only=True)
class Quantization:
    """How a tensor stores real numbers: real = scale * (stored - zero_point)."""

    scale: float
    zero_point: int

    def stored(self, real: Features) -> npt.NDArray[np.int8]:
        """Quantize as TFLite's QUANTIZE does: round halves away from zero, then saturate to int8."""
        steps = real / self.scale
        stored = np.copysign(np.floor(np.abs(steps) + 0.5), steps) + self.zero_point
        saturated: npt.NDArray[np.int8] = np.clip(stored, -128, 127).astype(np.int8)
        return saturated

    def real(self, stored: npt.NDArray[np.int8]) -> Features:
        """Return the real numbers that int8 values stand for."""
        return ((stored.astype(np.float32) - self.zero_point) * self.scale).astype(np.float32)


def interpreter(model: Path, kernels: OpResolverType) -> Interpreter:
    """Load a model on one thread, ready to run."""
    loaded = Interpreter(model_path=os.fspath(model), num_threads=1, experimental_op_resolver_type=kernels)
    loaded.allocate_tensors()
    return loaded


def quantization(details: dict[str, Any]) -> Quantization | None:
    """Return how an input or output is quantized, None for a float one."""
    scale, zero_point = details["quantization"]
    return Quantization(scale=float(scale), zero_point=int(zero_point)) if scale else None


def outputs(
    model: Path,
    x: Features,
    kernels: OpResolverType,
    progress: Callable[[int], None] = lambda done: None,  # noqa: ARG005
) -> npt.NDArray[Any]:
    """Run a batch-1 model with one input and one output on every sample, on all cores.

    Args:
        model: the ``.tflite`` file.
        x: float32 (samples, time steps, features); quantized here if the model asks for int8.
        kernels: ``REFERENCE`` or ``BUILTIN``.
        progress: is given the number of samples done, from several threads.

    Returns:
        The outputs as the model stores them, (samples, classes), int8 or float32.

    """
    starts = range(0, len(x), CHUNK)
    workers = min(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, len(starts)
    )
    done = [0]

    def run(first: int) -> npt.NDArray[Any]:
        found = _run_chunk(model, x[first : first + CHUNK], kernels)
        done[0] += len(found)
        progress(done[0])
        return found

    with ThreadPoolExecutor(workers) as pool:  # LiteRT leaves the GIL while it computes
        return np.concatenate(list(pool.map(run, starts)))


def _run_chunk(model: Path, x: Features, kernels: OpResolverType) -> npt.NDArray[Any]:
    loaded = interpreter(model, kernels)
    into, out = loaded.get_input_details()[0], loaded.get_output_details()[0]
    quantized = quantization(into)
    stored = quantized.stored(x) if quantized else x
    found = np.empty((len(x), *out["shape"][1:]), out["dtype"])
    for index in range(len(x)):
        loaded.set_tensor(into["index"], stored[index : index + 1])
        loaded.invoke()
        found[index] = loaded.get_tensor(out["index"])[0]
    return found
