"""The recurrent cells, one time step as plain operations with the fewest passes over the data.

What does not depend on the state is hoisted out of the loop: one product multiplies the input of
all steps, and each step takes its row. Gates of one function are computed side by side. In every
formula, x is the input of the step, h the hidden state, W, U and b the weights as Keras trains
them (keras.layers.GRU, LSTM, SimpleRNN with their default activations); without an initial state,
h and c are 0 and what they multiply is left out.
"""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from pipeline.deployment.names import Name
from pipeline.deployment.weights import Recurrent
from pipeline.deployment.writer import Tensor, Writer

State = Mapping[str, Tensor]
"""What a cell carries from step to step, by role: ``hidden``, and ``cell`` of an LSTM; each (1, units)."""


class Cell:
    """Writes the steps of one recurrent layer."""

    STATE: ClassVar[tuple[str, ...]] = ("hidden",)
    """Roles of what is carried from step to step."""

    def __init__(self, writer: Writer, weights: Recurrent) -> None:
        """Prepare to write a layer."""
        self.writer = writer
        self.weights = weights
        self.units = weights.units

    def name(self, role: str, step: int | None = None) -> str:
        """Return the name of a tensor of this layer."""
        return str(Name(self.weights.name, role, step))

    def input_product(self, rows: Tensor) -> Tensor:
        """Multiply the input of all time steps, (steps, features), by the kernel at once."""
        return self.writer.fully_connected(
            self.name("input_product"),
            rows,
            self.weights.kernel,
            self.weights.input_bias,
            self.name("input"),
        )

    def step(self, number: int, product: Tensor, state: State | None) -> State:
        """Write time step ``number``, counted from 1; ``product`` is of all steps."""
        raise NotImplementedError

    def _part(self, role: str, step: int, x: Tensor, gates: tuple[int, int]) -> Tensor:
        """Take the columns of some gates, the last not included; of a tensor of all steps, the row of this step."""
        row = step - 1 if x.shape[0] > 1 else 0
        columns = (gates[0] * self.units, gates[1] * self.units)
        return self.writer.slice(self.name(role, step), x, (row, row + 1), columns)

    def _recurrent_product(self, step: int, hidden: Tensor, bias: np.ndarray | None = None) -> Tensor:
        return self.writer.fully_connected(
            self.name("recurrent_product", step), hidden, self.weights.recurrent, bias, self.name("recurrent")
        )


class SimpleRNN(Cell):
    """``h' = tanh(x W + b + h U)``."""

    def step(self, number: int, product: Tensor, state: State | None) -> State:
        """Write one time step."""
        total = self._part("input_part", number, product, (0, 1))
        if state:
            recurrent = self._recurrent_product(number, state["hidden"])
            total = self.writer.add(self.name("sum", number), total, recurrent)
        return {"hidden": self.writer.tanh(self.name("hidden", number), total)}


class LSTM(Cell):
    """``c' = f c + i g``, ``h' = o tanh(c')``; f, i, o are sigmoids and g a tanh of ``x W + b + h U``."""

    STATE = ("hidden", "cell")

    def step(self, number: int, product: Tensor, state: State | None) -> State:
        """Write one time step; the gates come in the order of ``weights.LSTM_GATES``."""
        writer = self.writer
        first = 0 if state else 1  # without a cell state there is nothing to forget
        gates = self._part("input_gates", number, product, (first, 3))
        candidate = self._part("input_candidate", number, product, (3, 4))
        if state:
            recurrent = self._recurrent_product(number, state["hidden"])
            gates = writer.add(
                self.name("gate_sum", number), gates, self._part("recurrent_gates", number, recurrent, (0, 3))
            )
            candidate = writer.add(
                self.name("candidate_sum", number),
                candidate,
                self._part("recurrent_candidate", number, recurrent, (3, 4)),
            )
        gates = writer.sigmoid(self.name("gates", number), gates)
        candidate = writer.tanh(self.name("candidate", number), candidate)
        into = self._part("input_gate", number, gates, (1 - first, 2 - first))
        out = self._part("output_gate", number, gates, (2 - first, 3 - first))
        if state:
            forget = self._part("forget_gate", number, gates, (0, 1))
            kept = writer.multiply(self.name("kept_cell", number), forget, state["cell"])
            added = writer.multiply(self.name("added_cell", number), into, candidate)
            cell = writer.add(self.name("cell", number), kept, added)
        else:
            cell = writer.multiply(self.name("cell", number), into, candidate)
        squashed = writer.tanh(self.name("cell_tanh", number), cell)
        return {"hidden": writer.multiply(self.name("hidden", number), out, squashed), "cell": cell}


class GRU(Cell):
    """``h' = n + z (h - n)``; z and r are sigmoids of ``x W + b + h U``, n the candidate.

    ``n = tanh(x Wn + bn + r (h Un + cn))`` with ``reset_after``, else ``tanh(x Wn + bn + (r h) Un)``.
    The update is Keras' ``z h + (1 - z) n``, with one pass less and without the constant 1.
    """

    def step(self, number: int, product: Tensor, state: State | None) -> State:
        """Write one time step."""
        writer = self.writer
        candidate_sum = self._part("input_candidate", number, product, (2, 3))
        if state is None:
            update, total = self._first(number, product, candidate_sum)
        elif self.weights.recurrent_bias is not None:
            update, total = self._reset_after(number, product, candidate_sum, state["hidden"])
        else:
            update, total = self._reset_before(number, product, candidate_sum, state["hidden"])
        candidate = writer.tanh(self.name("candidate", number), total)
        if state is None:
            moved = writer.multiply(self.name("move", number), update, candidate)
            return {"hidden": writer.subtract(self.name("hidden", number), candidate, moved)}
        distance = writer.subtract(self.name("distance", number), state["hidden"], candidate)
        moved = writer.multiply(self.name("move", number), update, distance)
        return {"hidden": writer.add(self.name("hidden", number), candidate, moved)}

    def _first(self, number: int, product: Tensor, candidate_sum: Tensor) -> tuple[Tensor, Tensor]:
        """Write the gates of a step whose hidden state is 0: of the recurrent product, only the bias is left."""
        bias = self.weights.recurrent_bias
        rest = bias[2 * self.units :] if bias is not None else np.zeros(0)
        if not rest.any():  # then the reset gate has nothing to multiply
            gates = self._part("input_gates", number, product, (0, 1))
            return self.writer.sigmoid(self.name("gates", number), gates), candidate_sum
        gates = self._part("input_gates", number, product, (0, 2))
        update, reset = self._gates(number, gates)
        constant = self.writer.constant(self.name("recurrent_bias"), rest.reshape(1, -1).astype(np.float32))
        kept = self.writer.multiply(self.name("reset_product", number), reset, constant)
        return update, self.writer.add(self.name("candidate_sum", number), candidate_sum, kept)

    def _gates(self, number: int, total: Tensor) -> tuple[Tensor, Tensor]:
        gates = self.writer.sigmoid(self.name("gates", number), total)
        return self._part("update_gate", number, gates, (0, 1)), self._part("reset_gate", number, gates, (1, 2))

    def _reset_after(
        self, number: int, product: Tensor, candidate_sum: Tensor, hidden: Tensor
    ) -> tuple[Tensor, Tensor]:
        writer = self.writer
        recurrent = self._recurrent_product(number, hidden, self.weights.recurrent_bias)
        total = writer.add(
            self.name("gate_sum", number),
            self._part("input_gates", number, product, (0, 2)),
            self._part("recurrent_gates", number, recurrent, (0, 2)),
        )
        update, reset = self._gates(number, total)
        kept = writer.multiply(
            self.name("reset_product", number), reset, self._part("recurrent_candidate", number, recurrent, (2, 3))
        )
        return update, writer.add(self.name("candidate_sum", number), candidate_sum, kept)

    def _reset_before(
        self, number: int, product: Tensor, candidate_sum: Tensor, hidden: Tensor
    ) -> tuple[Tensor, Tensor]:
        writer, split = self.writer, 2 * self.units
        recurrent = writer.fully_connected(
            self.name("recurrent_product", number),
            hidden,
            self.weights.recurrent[:, :split],
            None,
            self.name("recurrent"),
        )
        total = writer.add(self.name("gate_sum", number), self._part("input_gates", number, product, (0, 2)), recurrent)
        update, reset = self._gates(number, total)
        kept = writer.fully_connected(
            self.name("candidate_product", number),
            writer.multiply(self.name("reset_hidden", number), reset, hidden),
            self.weights.recurrent[:, split:],
            None,
            self.name("candidate"),
        )
        return update, writer.add(self.name("candidate_sum", number), candidate_sum, kept)


CELLS: Mapping[str, type[Cell]] = {"gru": GRU, "lstm": LSTM, "simple_rnn": SimpleRNN}
