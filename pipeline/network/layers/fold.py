"""Several rows of a sequence as one time step: fewer steps, wider ones."""

from dataclasses import dataclass

import numpy as np

from pipeline.network.errors import LayerError
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
    steps: int
    """Of the folded sequence; Keras wants to know."""

    def infer(self, *inputs: Value) -> Value:
        """Return so many times fewer and wider steps."""
        (x,) = inputs
        if x.steps is None or len(x.shape) != 1:
            message = f"{x.name} has the shape {x.shape}, but rows of numbers along a time axis are folded"
            raise LayerError(message)
        if x.steps != self.rows * self.steps:
            message = f"{self.rows} rows a step and {self.steps} steps don't make up the {x.steps} steps of {x.name}"
            raise LayerError(message)
        return Value(self.output, (self.rows * x.shape[0],), self.steps)

    def compute(self, *inputs: Array) -> Array:
        """Show the numbers in another shape."""
        batch, steps, features = inputs[0].shape
        return np.asarray(inputs[0].reshape(batch, steps // self.rows, self.rows * features))

    def write(self, operations: Operations, *inputs: Signal) -> Signal:
        """Write no more than another shape."""
        (x,) = inputs
        shape = (len(x) // self.rows, self.rows * x.columns)
        role = self.result("rows")
        return Signal.made_at_once(role, x.in_shape(operations, role, shape))

    def keras(self) -> KerasLayer:
        """Return ``Reshape``."""
        return KerasLayer("Reshape", {"name": self.name, "target_shape": (self.steps, -1)})
