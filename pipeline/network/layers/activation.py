"""A function of every number by itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from pipeline.network.functions import sigmoid
from pipeline.network.layer import KerasLayer, Stateless, layer
from pipeline.network.operations import Operations
from pipeline.network.signals import Signal
from pipeline.network.values import Array, Value

FUNCTIONS: Mapping[str, Callable[[Array], Array]] = {
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": sigmoid,
    "tanh": np.tanh,
}


@layer("activation")
@dataclass(frozen=True, kw_only=True)
class Activation(Stateless):
    """``relu``, ``sigmoid`` or ``tanh`` of each number."""

    function: Literal["relu", "sigmoid", "tanh"]

    def infer(self, *inputs: Value) -> Value:
        """Return the shape of the input."""
        (x,) = inputs
        return replace(x, name=self.output)

    def compute(self, *inputs: Array) -> Array:
        """Compute the function."""
        return np.asarray(FUNCTIONS[self.function](inputs[0]))

    def write(self, operations: Operations, *inputs: Signal) -> Signal:
        """Write one operation for all time steps."""
        role = self.result(self.function)
        write = {"relu": operations.relu, "sigmoid": operations.sigmoid, "tanh": operations.tanh}[self.function]
        return Signal.made_at_once(role, write(role, inputs[0].rows(operations)))

    def keras(self) -> KerasLayer:
        """Return ``Activation``."""
        return KerasLayer("Activation", {"name": self.name, "activation": self.function})
