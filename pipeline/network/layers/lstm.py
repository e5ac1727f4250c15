"""LSTM (Hochreiter and Schmidhuber 1997, with forget gate), as Keras has it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from pipeline.network.functions import sigmoid
from pipeline.network.layer import KerasLayer, States, StateTensors, layer
from pipeline.network.operations import Operations, Tensor
from pipeline.network.recurrent import Recurrent
from pipeline.network.values import Array, State

KERAS_GATES = (1, 0, 3, 2)
"""Keras keeps input, forget, cell, output; here it is forget, input, output, cell: the three sigmoids side by side,
with the forget gate, which a first step without state does not need, at the edge. It is its own inverse."""


@layer("lstm")
@dataclass(frozen=True, kw_only=True)
class LSTM(Recurrent):
    """``c' = f c + i g``, ``h' = o tanh(c')``; f, i, o are sigmoids and g a tanh of ``x W + b + h U``."""

    GATES: ClassVar[int] = 4
    STATE: ClassVar[tuple[State, ...]] = (State("hidden", within=1.0), State("cell"))

    def computed(self, product: Array, state: States) -> States:
        """Compute one time step."""
        forget, into, out, candidate = np.split(product + state["hidden"] @ self.recurrent, 4, axis=-1)
        cell = sigmoid(forget) * state["cell"] + sigmoid(into) * np.tanh(candidate)
        return {"hidden": sigmoid(out) * np.tanh(cell), "cell": cell}

    def written(self, operations: Operations, step: int, product: Tensor, state: StateTensors | None) -> StateTensors:
        """Write one time step."""
        first = 0 if state else 1  # without a cell state there is nothing to forget
        gates = self.part(operations, "input_gates", step, product, (first, 3))
        candidate = self.part(operations, "input_candidate", step, product, (3, 4))
        if state:
            recurrent = self.recurrent_product(operations, step, state["hidden"])
            gates = operations.add(
                self.role("gate_sum", step), gates, self.part(operations, "recurrent_gates", step, recurrent, (0, 3))
            )
            candidate = operations.add(
                self.role("candidate_sum", step),
                candidate,
                self.part(operations, "recurrent_candidate", step, recurrent, (3, 4)),
            )
        gates = operations.sigmoid(self.role("gates", step), gates)
        candidate = operations.tanh(self.role("candidate", step), candidate)
        into = self.part(operations, "input_gate", step, gates, (1 - first, 2 - first))
        out = self.part(operations, "output_gate", step, gates, (2 - first, 3 - first))
        if state:
            forget = self.part(operations, "forget_gate", step, gates, (0, 1))
            kept = operations.multiply(self.role("kept_cell", step), forget, state["cell"])
            added = operations.multiply(self.role("added_cell", step), into, candidate)
            cell = operations.add(self.role("cell", step), kept, added)
        else:
            cell = operations.multiply(self.role("cell", step), into, candidate)
        squashed = operations.tanh(self.role("cell_tanh", step), cell)
        return {"hidden": operations.multiply(self.role("hidden", step), out, squashed), "cell": cell}

    def keras(self) -> KerasLayer:
        """Return ``LSTM``."""
        arrays = self.with_columns(KERAS_GATES, self.kernel, self.recurrent, self.bias)
        return KerasLayer("LSTM", self.keras_config(), arrays)

    def with_keras_arrays(self, arrays: Sequence[Array]) -> "LSTM":
        """Take kernel, recurrent kernel and bias in Keras' order of gates."""
        kernel, recurrent, bias = self.with_columns(KERAS_GATES, *arrays)
        return replace(self, kernel=kernel, recurrent=recurrent, bias=bias)
