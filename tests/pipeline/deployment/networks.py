"""Networks with random weights, as Keras computes them and as our deployment graph does."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from pipeline.deployment import graph, ranges, tied, weights
from pipeline.deployment.ranges import Range
from pipeline.stages import inference, network

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
        self.keras = network.build(self.model, 1, features, CLASSES)
        self._ranges: dict[int, dict[str, Range]] = {}
        self._quantized: dict[tuple[int, int, bool], bytes] = {}
        random = np.random.default_rng(seed)
        for layer in self.keras.layers:
            drawn = [random.normal(0, 1.5 / np.sqrt(array.shape[0]), array.shape) for array in layer.get_weights()]
            if drawn:
                drawn[-1] = random.normal(0, 0.5, drawn[-1].shape) * bias
            layer.set_weights(drawn)

    @property
    def weights(self) -> weights.Weights:
        """The weights as the deployment graph wants them."""
        return weights.of_keras({layer.name: layer.get_weights() for layer in self.keras.layers}, self.model)

    def build(self, time_steps: int, *, state: bool = False) -> bytes:
        """Return the deployment graph."""
        return graph.build(self.weights, time_steps, self.features, state=state)

    def samples(self, count: int, time_steps: int, seed: int = 1) -> Array:
        """Return sequences, (count, time steps, features)."""
        return np.random.default_rng(seed).normal(0.3, 0.7, (count, time_steps, self.features)).astype(np.float32)

    def expected(self, x: Array) -> dict[str, Array]:
        """Return what Keras computes: the output, and the states after the last step under our names."""
        found: dict[str, Array] = {}
        rows: Any = keras.ops.convert_to_tensor(x)
        for layer in self.keras.layers[1:]:
            if layer.name.startswith(self.model["cell"]):
                layer.return_state = True
                rows, *states = layer(rows)
                layer.return_state = False
                names = [f"{layer.name}_{role}" for role in network.STATES[self.model["cell"]]]
                found |= dict(zip(names, map(np.asarray, states), strict=True))
            else:
                rows = layer(rows)
        return {inference.OUTPUT: np.asarray(rows), **found}

    def ranges(self, time_steps: int = 4, bits: int = 8, method: str = "min_max") -> dict[str, Range]:
        """Return the ranges that a graph with state shows over a few sequences."""
        return choose(self.build(time_steps, state=True), self.samples(20, time_steps, seed=2), bits, method)

    def quantize(self, time_steps: int, bits: int = 8, *, state: bool = False) -> bytes:
        """Return the quantized graph, with the ranges of sequences of 4 steps; made once."""
        key = time_steps, bits, state
        if key not in self._quantized:
            model = self.build(time_steps, state=state)
            if bits not in self._ranges:
                self._ranges[bits] = self.ranges(bits=bits)
            self._quantized[key] = tied.quantize(model, tied.ties(model), self._ranges[bits], bits)
        return self._quantized[key]


@cache
def made(cell: str, layers: int = 1, *, reset_after: bool = True) -> Network:
    """Return a small network, made once."""
    return Network(cell, layers=layers, reset_after=reset_after)


def choose(model: bytes, x: Array, bits: int = 8, method: str = "min_max") -> dict[str, Range]:
    """Run a float graph on sequences, and choose the range of every tie."""
    seen = ranges.collect(tied.ties(model), readers(model, x), len(x))
    return {tie: ranges.choose(tie, what, method, 99.9, bits) for tie, what in seen.items()}


def readers(model: bytes, x: Array) -> Iterator[Callable[[str], npt.NDArray[Any]]]:
    """Run a float graph on each sequence, and give what reads its tensors by name."""
    loaded = load(model, keep_all=True)
    index = {tensor["name"]: tensor["index"] for tensor in loaded.interpreter.get_tensor_details()}
    for sequence in x:
        loaded.reset()
        loaded.infer(sequence)
        yield lambda name: loaded.interpreter.get_tensor(index[name])


def load(model: bytes, *, keep_all: bool = False) -> inference.Model:
    """Load a model that is no file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(model)
        return inference.Model(path, inference.REFERENCE, keep_all=keep_all)


def run(model: bytes, x: Array) -> Mapping[str, npt.NDArray[Any]]:
    """Run a graph on sequences, each from a state of 0, in as many inferences as it takes."""
    loaded = load(model)
    rows: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in loaded.outputs}
    for sequence in loaded.inputs[inference.INPUT].stored(x):
        loaded.reset()
        loaded.run(sequence)
        for name, row in rows.items():
            row.append(loaded.read(name))
    return {name: np.concatenate(row) for name, row in rows.items()}
