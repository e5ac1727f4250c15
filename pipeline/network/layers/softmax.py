"""Probabilities of the classes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.network.layer import GivenState, KerasLayer, Layer, States, StateTensors, layer
from pipeline.network.operations import Operations
from pipeline.network.signals import Signal
from pipeline.network.values import Array, Value


@layer("softmax")
@dataclass(frozen=True, kw_only=True)
class Softmax(Layer):
    """``exp(x) / sum(exp(x))`` over the last axis."""

    def infer(self, *inputs: Value) -> Value:
        """Return the shape of the input."""
        (x,) = inputs
        return replace(x, name=self.output)

    def run(self, inputs: Sequence[Array], state: States) -> tuple[Array, States]:
        """Compute it, the largest number taken off first, which changes nothing but the overflow."""
        raised = np.exp(inputs[0] - inputs[0].max(axis=-1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=-1, keepdims=True)), state

    def lower(
        self, operations: Operations, inputs: Sequence[Signal], given: GivenState
    ) -> tuple[Signal, StateTensors]:
        """Write one operation for all time steps."""
        role = self.result("softmax")
        return Signal.made_at_once(role, operations.softmax(role, inputs[0].rows(operations))), {}

    def keras(self) -> KerasLayer:
        """Return ``Softmax``."""
        return KerasLayer("Activation", {"name": self.name, "activation": "softmax"})
