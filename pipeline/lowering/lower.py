"""Write a network for a number of time steps as one ``.tflite`` file in float32, every step written out."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pipeline.lowering.writer import LoweringError, Writer
from pipeline.network.graph import Network, Port
from pipeline.network.layer import Layer, StateTensors
from pipeline.network.operations import Operations, Role, Tensor
from pipeline.network.signals import Signal
from pipeline.network.values import Value
from pipeline.tflite.roles import Graph, GraphPort


def lower(network: Network, steps: int, *, state: bool) -> tuple[bytes, Graph]:
    """Write a network.

    Args:
        network: what to write.
        steps: time steps of the network's inputs in one inference, which must divide the sequence.
        state: take the state before the first step as an input and return it after the last one, under one name
            (``gru_1_hidden``, (1, units)); without, it is 0 and what it multiplies is left out.

    Returns:
        The file, which takes each input as (1, steps, features) and returns each output as (rows, width), and what
        its tensors are for.

    Raises:
        LoweringError: an input is not what can be lowered, or two tensors would have one name.

    """
    return _Lowering(network, steps, list(network.states()) if state else []).done()


@dataclass
class InputSignal(Signal):
    """An input of the network. It comes as (1, steps, columns), in the steps of the layer that reads it first."""

    count: int = 0
    """Time steps of one inference."""
    add: Callable[[tuple[int, ...]], Tensor] | None = None
    """Adds the graph's input of a shape."""

    def __len__(self) -> int:
        """Return the number of time steps of one inference."""
        return self.count

    def rows(self, operations: Operations) -> Tensor:
        """Return all time steps below each other."""
        role = Role(self.role.layer, f"{self.role.role}_rows")
        return self.whole or self.in_shape(operations, role, (self.count, self.columns))

    def in_shape(self, operations: Operations, role: Role, shape: tuple[int, int]) -> Tensor:
        """Add the input in the shape that is wanted, if that has not been done; later readers reshape it."""
        if self.whole is not None or self.add is None:
            return super().in_shape(operations, role, shape)
        self.whole = operations.reshape(role, self.add((1, *shape)), shape)
        return self.whole


class _Lowering:
    """A network that is being written."""

    def __init__(self, network: Network, steps: int, states: list[Port]) -> None:
        self._network, self._steps, self._states = network, steps, states
        self._writer = Writer()
        self._inputs: dict[str, Tensor] = {}
        self._outputs: dict[str, Tensor] = {}

    def done(self) -> tuple[bytes, Graph]:
        """Write every layer, and put out what is to be put out."""
        signals: dict[str, Signal] = {value.name: self._input(value) for value in self._network.inputs}
        for layer in self._network.layers:
            read = [signals[name] for name in layer.inputs]
            signals[layer.output], after = layer.lower(self._writer, read, partial(self._state_before, layer))
            self._outputs |= {port.name: after[port.role] for port in self._states if port.layer == layer.name}
        self._outputs |= {name: signals[name].rows(self._writer) for name in self._network.outputs}
        graph = Graph(
            steps=self._steps,
            inputs=self._ports(self._inputs),
            outputs=self._ports(self._outputs),
            tensors=sorted(self._writer.roles(), key=lambda tensor: tensor.operation is not None),
        )
        return self._writer.finished(self._inputs, self._outputs), graph

    def _input(self, value: Value) -> InputSignal:
        if len(value.shape) != 1 or not value.time:
            message = f"input {value.name} has the shape {value.shape}: only features along a time axis can be lowered"
            raise LoweringError(message)
        role = Role(None, value.name)
        return InputSignal(role=role, columns=value.shape[0], count=self._steps, add=partial(self._add_input, role))

    def _add_input(self, role: Role, shape: tuple[int, ...]) -> Tensor:
        self._inputs[role.role] = tensor = self._writer.input(role, shape)
        return tensor

    def _state_before(self, layer: Layer) -> StateTensors | None:
        """Add the inputs of a layer's state; None if it begins with 0."""
        given = {}
        for port in self._states:
            if port.layer == layer.name:
                given[port.role] = self._writer.input(layer.role(port.role, 0), (1, *port.shape))
                self._inputs[port.name] = given[port.role]
        return given or None

    def _ports(self, tensors: dict[str, Tensor]) -> list[GraphPort]:
        states = {port.name for port in self._states}
        given = {value.name for value in self._network.inputs}
        return [
            GraphPort(
                name=name,
                tensor=tensor.name,
                kind="state" if name in states else "input" if name in given else "output",
            )
            for name, tensor in tensors.items()
        ]
