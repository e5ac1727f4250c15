"""Several rows of a sequence as one time step: fewer steps, wider ones."""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.network.errors import LayerError
from pipeline.network.graph import Network
from pipeline.network.layer import KerasLayer, Stateless, layer
from pipeline.network.operations import Operations
from pipeline.network.signals import Signal
from pipeline.network.values import Array, Value


@layer("fold")
@dataclass(frozen=True, kw_only=True)
class Fold(Stateless):
    """(steps, features) as (steps / rows, rows * features): the same numbers in the same order."""

    rows: int
    """That make one time step."""
    columns: int
    """Of a folded step: rows * features."""

    def infer(self, *inputs: Value) -> Value:
        """Return so many times fewer and wider steps."""
        (x,) = inputs
        if x.steps is None or len(x.shape) != 1:
            message = f"{x.name} has the shape {x.shape}, but rows of numbers along a time axis are folded"
            raise LayerError(message)
        if x.steps % self.rows or self.columns != self.rows * x.shape[0]:
            message = (
                f"{self.rows} rows make a step of {self.columns} numbers, which the {x.steps} steps of {x.name},"
                f" {x.shape[0]} numbers each, are not made of"
            )
            raise LayerError(message)
        return Value(self.output, (self.columns,), x.steps // self.rows)

    def compute(self, *inputs: Array) -> Array:
        """Show the numbers in another shape."""
        (x,) = inputs
        return np.asarray(x.reshape(len(x), -1, self.columns))

    def write(self, operations: Operations, *inputs: Signal) -> Signal:
        """Write no more than another shape."""
        (x,) = inputs
        role = self.result("rows")
        return Signal.made_at_once(role, x.in_shape(operations, role, (len(x) // self.rows, self.columns)))

    def keras(self) -> KerasLayer:
        """Return ``Reshape``."""
        return KerasLayer("Reshape", {"name": self.name, "target_shape": (-1, self.columns)})


def taken_folded(network: Network) -> tuple[Network, int]:
    """Return a network that takes its input folded already, as it lies in memory, and how many rows make a step."""
    (first, *rest) = network.layers
    if not isinstance(first, Fold):
        return network, 1
    folded = first.infer(network.inputs[0])
    read = tuple(
        replace(each, inputs=tuple(first.inputs[0] if name == first.output else name for name in each.inputs))
        for each in rest
    )
    return replace(network, inputs=(replace(folded, name=first.inputs[0]),), layers=read), first.rows
