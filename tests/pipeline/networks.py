"""Networks with random weights, and their deployment graphs."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.frontends import built
from pipeline.frontends.section import Model
from pipeline.lowering.lower import lower
from pipeline.network.layer import Layer
from pipeline.quantization import ranges, tied
from pipeline.quantization.ranges import Range
from pipeline.quantization.ties import ties
from pipeline.runtime import litert
from pipeline.tflite.roles import Graph

Array = npt.NDArray[np.float32]
CELLS = ("gru", "lstm", "simple_rnn")
CLASSES = 3
FEATURES = 6


class Network:
    """A network with random weights."""

    def __init__(self, cell: str, seed: int = 0, *, features: int = FEATURES, bias: bool = True, **model: Any) -> None:
        """Draw the weights: kernels a little wider than Keras' own, biases large enough to be seen, or 0."""
        self.model = {"cell": cell, "units": 4, "layers": 1, "dense": [], "reset_after": True, **model}
        self.features = features
        random = np.random.default_rng(seed)
        zero = built.build(Model(**self.model), 8, features, CLASSES)
        self.network = zero.with_layers({layer.name: drawn(layer, random, bias=bias) for layer in zero.layers})
        self._lowered: dict[tuple[int, bool], tuple[bytes, Graph]] = {}
        self._ranges: dict[int, dict[str, Range]] = {}
        self._quantized: dict[tuple[int, int, bool], bytes] = {}

    def lower(self, time_steps: int, *, state: bool = False) -> tuple[bytes, Graph]:
        """Return the deployment graph and what its tensors are for; made once."""
        key = time_steps, state
        if key not in self._lowered:
            self._lowered[key] = lower(self.network, time_steps, state=state)
        return self._lowered[key]

    def build(self, time_steps: int, *, state: bool = False) -> bytes:
        """Return the deployment graph."""
        return self.lower(time_steps, state=state)[0]

    def graph(self, time_steps: int, *, state: bool = False) -> Graph:
        """Return what the tensors of the deployment graph are for."""
        return self.lower(time_steps, state=state)[1]

    def samples(self, count: int, time_steps: int, seed: int = 1) -> Array:
        """Return sequences, (count, time steps, features)."""
        return np.random.default_rng(seed).normal(0.3, 0.7, (count, time_steps, self.features)).astype(np.float32)

    def expected(self, x: Array) -> dict[str, npt.NDArray[Any]]:
        """Return what the network's formulas give: the output, and the states after the last step."""
        return self.network.run({built.INPUT: x.astype(np.float64)})

    def ranges(self, time_steps: int = 4, bits: int = 8, method: str = "min_max") -> dict[str, Range]:
        """Return the ranges that a graph with state shows over a few sequences."""
        return choose(self.lower(time_steps, state=True), self.samples(20, time_steps, seed=2), bits, method)

    def quantize(self, time_steps: int, bits: int = 8, *, state: bool = False) -> bytes:
        """Return the quantized graph, with the ranges of sequences of 4 steps; made once."""
        key = time_steps, bits, state
        if key not in self._quantized:
            model, graph = self.lower(time_steps, state=state)
            if bits not in self._ranges:
                self._ranges[bits] = self.ranges(bits=bits)
            self._quantized[key] = tied.quantize(model, graph.ties, self._ranges[bits], bits)
        return self._quantized[key]


def drawn(layer: Layer, random: np.random.Generator, *, bias: bool = True) -> Layer:
    """Return a layer with random weights."""
    return layer.with_arrays({name: _drawn(name, array, random, bias=bias) for name, array in layer.arrays().items()})


def _drawn(name: str, array: npt.NDArray[Any], random: np.random.Generator, *, bias: bool) -> Array:
    if "bias" in name:
        return np.asarray(random.normal(0, 0.5, array.shape) * bias, np.float32)
    return np.asarray(random.normal(0, 1.5 / np.sqrt(len(array)), array.shape), np.float32)


@cache
def made(cell: str, layers: int = 1, *, reset_after: bool = True) -> Network:
    """Return a small network, made once."""
    return Network(cell, layers=layers, reset_after=reset_after)


def choose(lowered: tuple[bytes, Graph], x: Array, bits: int = 8, method: str = "min_max") -> dict[str, Range]:
    """Run a float graph on sequences, and choose the range of every tie."""
    model, graph = lowered
    known = ties(graph)
    seen = ranges.collect(graph.ties, readers(model, x), len(x))
    return {tie: ranges.choose(known[tie], what, method, 99.9, bits) for tie, what in seen.items()}


def readers(model: bytes, x: Array) -> Iterator[Callable[[str], npt.NDArray[Any]]]:
    """Run a float graph on each sequence, and give what reads its tensors by name."""
    loaded = load(model, keep_all=True)
    index = {tensor["name"]: tensor["index"] for tensor in loaded.interpreter.get_tensor_details()}
    for sequence in x:
        loaded.reset()
        loaded.infer(sequence)
        yield lambda name: loaded.interpreter.get_tensor(index[name])


def load(model: bytes, *, keep_all: bool = False) -> litert.Model:
    """Load a model that is no file; what it takes and returns by one name is its state."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(model)
        loaded = litert.Model(path, litert.REFERENCE, keep_all=keep_all)
        loaded.states = sorted(loaded.inputs.keys() & loaded.outputs.keys())
        return loaded


def run(model: bytes, x: Array) -> Mapping[str, npt.NDArray[Any]]:
    """Run a graph on sequences, each from a state of 0, in as many inferences as it takes."""
    loaded = load(model)
    rows: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in loaded.outputs}
    for sequence in loaded.inputs[litert.INPUT].stored(loaded.folded(x)):
        loaded.reset()
        loaded.run(sequence)
        for name, row in rows.items():
            row.append(loaded.read(name))
    return {name: np.concatenate(row) for name, row in rows.items()}
