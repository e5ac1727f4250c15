"""Probabilities of the classes."""

from dataclasses import dataclass, replace

import numpy as np

from pipeline.network.layer import KerasLayer, Stateless, layer
from pipeline.network.operations import Operations
from pipeline.network.signals import Signal
from pipeline.network.values import Array, Value


@layer("softmax")
@dataclass(frozen=True, kw_only=True)
class Softmax(Stateless):
    """``exp(x) / sum(exp(x))`` over the last axis."""

    def infer(self, *inputs: Value) -> Value:
        """Return the shape of the input."""
        (x,) = inputs
        return replace(x, name=self.output)

    def compute(self, *inputs: Array) -> Array:
        """Compute it, the largest number taken off first, which changes nothing but the overflow."""
        raised = np.exp(inputs[0] - inputs[0].max(axis=-1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=-1, keepdims=True))

    def write(self, operations: Operations, *inputs: Signal) -> Signal:
        """Write one operation for all time steps."""
        role = self.result("softmax")
        return Signal.made_at_once(role, operations.softmax(role, inputs[0].rows(operations)))

    def keras(self) -> KerasLayer:
        """Return ``Softmax``."""
        return KerasLayer("Activation", {"name": self.name, "activation": "softmax"})
