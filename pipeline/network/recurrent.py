"""What the recurrent layers have in common: the product of the input is hoisted out of the loop over time.

What does not depend on the state is computed for all steps by one product, of which each step takes its row. Gates of
one function are computed side by side. In every formula, x is the input of the step, h the hidden state, W, U and b
the weights; without an initial state, h is 0 and what it multiplies is left out.
"""

import abc
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from pipeline.network.errors import LayerError
from pipeline.network.layer import GivenState, Layer, States, StateTensors
from pipeline.network.operations import Operations, Tensor
from pipeline.network.signals import Signal
from pipeline.network.values import Array, Value


@dataclass(frozen=True, kw_only=True)
class Recurrent(Layer):
    """A recurrent layer: F features, H units, G gates, whose columns lie gate after gate."""

    GATES: ClassVar[int]

    kernel: Array
    """W, (F, G * H)."""
    recurrent: Array
    """U, (H, G * H)."""
    bias: Array
    """b, (G * H,)."""
    return_sequences: bool
    """Put out the hidden state of every step, not only of the last one."""

    @property
    def units(self) -> int:
        """Width of the hidden state."""
        return int(self.recurrent.shape[0])

    @property
    def input_bias(self) -> Array:
        """What is added to the product of the input, which no state multiplies, (G * H,)."""
        return self.bias

    def infer(self, *inputs: Value) -> Value:
        """Return (units,), with a time axis if it returns sequences."""
        (x,) = inputs
        if not x.time:
            message = f"{x.name} has no time axis to go along"
            raise LayerError(message)
        columns = self.GATES * self.units
        wanted = {"kernel": (*x.shape, columns), "recurrent": (self.units, columns), "bias": (columns,)}
        for field, shape in wanted.items():
            if getattr(self, field).shape != shape:
                message = f"its {field} has the shape {getattr(self, field).shape}, not {shape}, for {x.name} {x.shape}"
                raise LayerError(message)
        return Value(self.output, (self.units,), x.steps if self.return_sequences else None)

    def run(self, inputs: Sequence[Array], state: States) -> tuple[Array, States]:
        """Compute the formula step after step."""
        product = inputs[0] @ self.kernel + self.input_bias
        hidden = []
        for step in range(product.shape[1]):
            state = self.computed(product[:, step], state)
            hidden.append(state["hidden"])
        return (np.stack(hidden, axis=1) if self.return_sequences else hidden[-1]), state

    @abc.abstractmethod
    def computed(self, product: Array, state: States) -> States:
        """Compute one time step in NumPy, as its formula is written; product is ``x W + b``, (batch, G * H)."""

    def lower(self, operations: Operations, inputs: Sequence[Signal], given: GivenState) -> tuple[Signal, StateTensors]:
        """Write one product of the input, and then step after step."""
        rows = inputs[0].rows(operations)
        product = operations.fully_connected(
            self.role("input_product"), rows, self.kernel, self.input_bias, f"{self.name}/input"
        )
        state = given()
        hidden = []
        for step in range(1, rows.shape[0] + 1):
            state = self.written(operations, step, product, state)
            hidden.append(state["hidden"])
        shown = hidden if self.return_sequences else hidden[-1:]
        return Signal.made_in_steps(self.role("hidden"), shown), state or {}

    @abc.abstractmethod
    def written(self, operations: Operations, step: int, product: Tensor, state: StateTensors | None) -> StateTensors:
        """Write time step ``step``, counted from 1; ``product`` is of all steps."""

    def part(self, operations: Operations, role: str, step: int, x: Tensor, gates: tuple[int, int]) -> Tensor:
        """Take the columns of some gates, the last not included; of a tensor of all steps, the row of this step."""
        row = step - 1 if x.shape[0] > 1 else 0
        columns = (gates[0] * self.units, gates[1] * self.units)
        return operations.slice(self.role(role, step), x, (row, row + 1), columns)

    def recurrent_product(self, operations: Operations, step: int, hidden: Tensor, bias: Array | None = None) -> Tensor:
        """Multiply the hidden state by U."""
        return operations.fully_connected(
            self.role("recurrent_product", step), hidden, self.recurrent, bias, f"{self.name}/recurrent"
        )

    def with_columns(self, order: Sequence[int], *arrays: Array) -> tuple[Array, ...]:
        """Return arrays with their gates in another order."""
        return tuple(
            np.concatenate([np.split(array, self.GATES, axis=-1)[gate] for gate in order], axis=-1) for array in arrays
        )

    def keras_config(self) -> dict[str, object]:
        """Return what every recurrent layer of Keras is told."""
        return {"name": self.name, "units": self.units, "return_sequences": self.return_sequences}

    def with_keras_arrays(self, arrays: Sequence[Array]) -> "Recurrent":
        """Take kernel, recurrent kernel and bias, in Keras' order of gates, which is ours."""
        kernel, recurrent, bias = arrays
        return replace(self, kernel=kernel, recurrent=recurrent, bias=bias)
