"""The network: layers in order, each value assigned once; and its grammar, which ``check`` executes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from pipeline.network.errors import LayerError, NetworkError
from pipeline.network.layer import Layer, States
from pipeline.network.values import Array, Value


class Port(NamedTuple):
    """Where the state of a layer goes in before the first step, and comes out after the last."""

    name: str
    """As it is known outside: ``gru_1_hidden``."""
    shape: tuple[int, ...]
    """Of one time step."""
    layer: str
    """Whose state it is."""
    role: str
    """What the layer calls it."""


@dataclass(frozen=True)
class Network:
    """A recurrent network, from its inputs to its outputs."""

    inputs: tuple[Value, ...]
    layers: tuple[Layer, ...]
    """Each after those whose results it reads."""
    outputs: tuple[str, ...]
    """Names of the values that are put out."""

    def check(self) -> None:
        """Hold it against its grammar.

        Raises:
            NetworkError: every fault that could be seen.

        """
        faults: list[str] = []
        values = {value.name: value for value in self.inputs}
        faults += _repeated("input", [value.name for value in self.inputs])
        faults += _repeated("layer", [layer.name for layer in self.layers])
        for layer in self.layers:
            faults += _faults_of(layer, values)
        faults += [f"output {name} is made by no layer" for name in self.outputs if name not in values]
        read = {*self.outputs, *(name for layer in self.layers for name in layer.inputs)}
        faults += [f"value {name} is read by nothing" for name in values if name not in read]
        if faults:
            raise NetworkError(faults)

    def values(self) -> Mapping[str, Value]:
        """Return every value by name.

        Raises:
            LayerError: shapes don't fit (see ``check``, which names the layer).

        """
        values = {value.name: value for value in self.inputs}
        for layer in self.layers:
            values[layer.output] = layer.infer(*(values[name] for name in layer.inputs))
        return values

    def states(self) -> Iterator[Port]:
        """Yield what is carried from step to step, layer after layer: ``gru_1_hidden``, ``lstm_1_cell``, ..."""
        values = self.values()
        for layer in self.layers:
            for state in layer.STATE:
                shape = values[layer.output].shape
                yield Port(f"{layer.name}_{state.role}", shape, layer.name, state.role)

    def run(self, inputs: Mapping[str, Array], states: Mapping[str, Array] | None = None) -> dict[str, Array]:
        """Compute it in NumPy.

        Args:
            inputs: name -> (batch, steps, ...) or (batch, ...).
            states: name -> (batch, units) before the first step; 0 where it is not told.

        Returns:
            Every output, and every state after the last step, by name.

        """
        values = dict(inputs)
        first = next(iter(inputs.values()))
        after: dict[str, Array] = {}
        ports = list(self.states())
        for layer in self.layers:
            mine = [port for port in ports if port.layer == layer.name]
            before: States = {
                port.role: (states or {}).get(port.name, np.zeros((len(first), *port.shape), first.dtype))
                for port in mine
            }
            values[layer.output], left = layer.run([values[name] for name in layer.inputs], before)
            after |= {port.name: left[port.role] for port in mine}
        return {**{name: values[name] for name in self.outputs}, **after}

    def with_layers(self, changed: Mapping[str, Layer]) -> "Network":
        """Return it with other layers under the same names."""
        return replace(self, layers=tuple(changed.get(layer.name, layer) for layer in self.layers))


def _repeated(what: str, names: Sequence[str]) -> list[str]:
    return [f"{what} {name} is there {names.count(name)} times" for name in sorted(set(names)) if names.count(name) > 1]


def _faults_of(layer: Layer, values: dict[str, Value]) -> list[str]:
    """Return what is wrong with a layer; add what it makes to the values."""
    unknown = [name for name in layer.inputs if name not in values]
    if unknown:
        return [f"layer {layer.name} reads {name}, which nothing before it makes" for name in unknown]
    faults = [f"value {layer.output} is made twice, again by layer {layer.name}"] * (layer.output in values)
    try:
        values[layer.output] = layer.infer(*(values[name] for name in layer.inputs))
    except LayerError as error:
        faults.append(f"layer {layer.name} ({layer.KIND}): {error}")
    faults += [f"layer {layer.name}: its {name} holds {bad:g}" for name, bad in _not_finite(layer)]
    return faults


def _not_finite(layer: Layer) -> Iterator[tuple[str, float]]:
    for name, array in layer.arrays().items():
        if not np.isfinite(array).all():
            yield name, float(array[~np.isfinite(array)][0])
