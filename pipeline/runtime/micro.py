"""Run a quantized model with TensorFlow Lite Micro, whose bytes those of the compiled file must equal.

LiteRT's reference kernels differ from them: a fully connected layer with scales of its own for each output channel
they requantize in float64, with a single rounding; LOGISTIC and TANH of 8 bits are exact tables; multipliers of MUL,
RELU, LEAKY_RELU and ABS are of single precision; RELU6 rescales; a softmax of 16 bits has other last bits.
"""

import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache, partial
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from pipeline.data.arrays import Features
from pipeline.errors import UnrollError
from pipeline.runtime import litert
from pipeline.runtime.litert import Stored
from pipeline.tflite import reader

ARENA_BYTES_LEAST = 1 << 20
"""Room for what each operator needs beside its tensors, where the model itself is small."""


class MicroError(UnrollError):
    """TensorFlow Lite Micro can't run a model on this machine, and why."""


class Runner:
    """TensorFlow Lite Micro itself, which knows inputs and outputs by nothing but their places in the file.

    Only for a process of its own: it keeps the GIL while it computes, and what it can't do it prints to stderr.
    """

    def __init__(self, content: bytes) -> None:
        """Load a model.

        Raises:
            MicroError: it has an operator or a type that TensorFlow Lite Micro lacks.

        """
        from tflite_micro import runtime  # noqa: PLC0415 - a machine may have none

        with explained():
            self._micro = runtime.Interpreter.from_bytes(content, arena_size=max(10 * len(content), ARENA_BYTES_LEAST))

    def put(self, place: int, values: Stored) -> None:
        """Set an input, in its shape."""
        self._micro.set_input(values, place)

    def invoke(self) -> None:
        """Compute the outputs from the inputs."""
        self._micro.invoke()

    def read(self, place: int) -> Stored:
        """Return an output of the last inference; the next one overwrites it."""
        found: Stored = self._micro.get_output(place)
        return found


class MicroModel(litert.Model):
    """A model that TensorFlow Lite Micro computes; LiteRT only tells its inputs and outputs by name.

    Only for a process of its own: it keeps the GIL while it computes, and what it can't do it prints to stderr.
    """

    def __init__(self, path: Path) -> None:
        """Load it.

        Raises:
            MicroError: it has an operator or a type that TensorFlow Lite Micro lacks.

        """
        super().__init__(path, litert.REFERENCE)
        self._input_places = _places(self.interpreter.get_input_details())
        self._output_places = _places(self.interpreter.get_output_details())
        self._micro = Runner(path.read_bytes())

    def put(self, name: str, values: Stored) -> None:
        """Set an input."""
        self._micro.put(self._input_places[self.inputs[name].index], values)

    def invoke(self) -> None:
        """Compute the outputs from the inputs."""
        self._micro.invoke()

    def read(self, name: str) -> Stored:
        """Return an output of the last inference, (1, width)."""
        return self.read_tensor(self.outputs[name].index)

    def read_tensor(self, number: int) -> Stored:
        """Return a tensor that is among the model's outputs."""
        return self._micro.read(self._output_places[number])


def _places(details: list[dict[str, int]]) -> dict[int, int]:
    """Return tensor -> its place among the inputs, or outputs: TensorFlow Lite Micro knows nothing else of them."""
    return {port["index"]: place for place, port in enumerate(details)}


def outputs(model: Path, x: Features, progress: Callable[[int], None]) -> dict[str, Stored]:
    """Run a model on every sample, on all cores; arguments and result are those of ``inference.outputs``.

    Raises:
        MicroError: it can't, and why.

    """
    with _processes(litert.workers(len(x))) as pool:
        return litert.in_chunks(pool, partial(_run, model), x, progress)


def missing() -> str | None:
    """Say that there is no TensorFlow Lite Micro for this machine; None where there is."""
    if find_spec("tflite_micro") is not None:
        return None
    here = f"{platform.system()} on {platform.machine()}"
    return f"there is no package of TensorFlow Lite Micro for {here}, as there is for Linux on x86_64"


@contextmanager
def _processes(number: int) -> Iterator[ProcessPoolExecutor]:
    """Give processes to run a model in.

    Raises:
        MicroError: there is no TensorFlow Lite Micro, or it crashed.

    """
    if message := missing():
        raise MicroError(message)
    with ProcessPoolExecutor(number, get_context("spawn")) as pool:
        try:
            yield pool
        except BrokenProcessPool:
            message = "TensorFlow Lite Micro crashed on this model"
            raise MicroError(message) from None


def computed(content: bytes, inputs: Sequence[Stored]) -> list[Stored]:
    """Run any model, in a process of its own, on given inputs.

    Args:
        content: the model.
        inputs: by place, each (samples, *shape of the input).

    Returns:
        The outputs by place, each (samples, size).

    Raises:
        MicroError: it can't, and why.

    """
    with _processes(1) as pool:
        return pool.submit(_computed, content, inputs).result()


def _computed(content: bytes, inputs: Sequence[Stored]) -> list[Stored]:
    model = Runner(content)
    rows: list[list[Stored]] = [[] for _ in reader.parse(content).main.outputs]
    with explained():
        for sample in zip(*inputs, strict=True):
            for place, values in enumerate(sample):
                model.put(place, values)
            model.invoke()
            for place, row in enumerate(rows):
                row.append(model.read(place).ravel().copy())
    return [np.stack(row) for row in rows]


def _run(model: Path, x: Features) -> dict[str, Stored]:
    loaded = _load(model)
    with explained():
        return litert.run_chunk(loaded, x, reset=True)


@cache
def _load(model: Path) -> MicroModel:
    """Load a model once for all chunks of a process."""
    return MicroModel(model)


@contextmanager
def explained() -> Iterator[None]:
    """Turn an exception into what TensorFlow Lite Micro printed before it, which says more."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as printed:
        os.dup2(printed.fileno(), 2)
        try:
            yield
        except (RuntimeError, ValueError, IndexError) as error:
            printed.seek(0)
            said = printed.read()
            os.write(stderr, said)  # all of it, for the stage's log
            first = (said.decode(errors="replace").strip() or str(error)).splitlines()[0]
            message = f"TensorFlow Lite Micro can't run this model: {first}"
            raise MicroError(message) from error
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
