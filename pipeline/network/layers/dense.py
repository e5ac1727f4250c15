"""A fully connected layer, at every time step where there is a time axis."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.network.errors import LayerError
from pipeline.network.layer import KerasLayer, Stateless, layer
from pipeline.network.operations import Operations
from pipeline.network.signals import Signal
from pipeline.network.values import Array, Value


@layer("dense")
@dataclass(frozen=True, kw_only=True)
class Dense(Stateless):
    """``x W + b``."""

    kernel: Array
    """(features, units)."""
    bias: Array
    """(units,)."""

    @property
    def units(self) -> int:
        """Width of the output."""
        return int(self.kernel.shape[1])

    def infer(self, *inputs: Value) -> Value:
        """Return (units,) for (features,)."""
        (x,) = inputs
        if x.shape != (len(self.kernel),):
            message = f"its kernel has {len(self.kernel)} rows, but {x.name} has the shape {x.shape}"
            raise LayerError(message)
        if self.bias.shape != (self.units,):
            message = f"its bias has the shape {self.bias.shape}, its kernel {self.units} columns"
            raise LayerError(message)
        return replace(x, name=self.output, shape=(self.units,))

    def compute(self, *inputs: Array) -> Array:
        """Multiply and add."""
        return np.asarray(inputs[0] @ self.kernel + self.bias)

    def write(self, operations: Operations, *inputs: Signal) -> Signal:
        """Write one product of all time steps."""
        role = self.result("dense_layer")
        rows = operations.fully_connected(role, inputs[0].rows(operations), self.kernel, self.bias, self.name)
        return Signal.made_at_once(role, rows)

    def keras(self) -> KerasLayer:
        """Return ``Dense`` without an activation: that is a layer of its own here."""
        return KerasLayer("Dense", {"name": self.name, "units": self.units}, (self.kernel, self.bias))

    def with_keras_arrays(self, arrays: Sequence[Array]) -> "Dense":
        """Take kernel and bias."""
        kernel, bias = arrays
        return replace(self, kernel=kernel, bias=bias)
