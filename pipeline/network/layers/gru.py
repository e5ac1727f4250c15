"""GRU (Cho et al. 2014), its reset gate before or after the recurrent product, as Keras has it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from pipeline.network.errors import LayerError
from pipeline.network.functions import sigmoid
from pipeline.network.layer import KerasLayer, States, StateTensors, layer
from pipeline.network.operations import Operations, Tensor
from pipeline.network.recurrent import Recurrent
from pipeline.network.values import Array, State, Value


@layer("gru")
@dataclass(frozen=True, kw_only=True)
class GRU(Recurrent):
    """``h' = n + z (h - n)``; z and r are sigmoids of ``x W + b + h U + c``, n the candidate.

    ``n = tanh(x Wn + bn + r (h Un + cn))`` with ``reset_after``, else ``tanh(x Wn + bn + (r h) Un)``, where there is no
    c. The update is Keras' ``z h + (1 - z) n``, with one pass less and without the constant 1. The columns are those
    of the update gate z, the reset gate r and the candidate n.
    """

    GATES: ClassVar[int] = 3
    STATE: ClassVar[tuple[State, ...]] = (State("hidden", within=1.0),)

    recurrent_bias: Array | None = None
    """c, (3 * H,), with ``reset_after``; None without."""

    @property
    def reset_after(self) -> bool:
        """Whether the reset gate multiplies the recurrent product and not the state."""
        return self.recurrent_bias is not None

    @property
    def input_bias(self) -> Array:
        """The bias of the input, and of the state where nothing multiplies it: that of the two gates."""
        if self.recurrent_bias is None:
            return self.bias
        added = self.bias.copy()
        added[: 2 * self.units] += self.recurrent_bias[: 2 * self.units]
        return added

    @property
    def bias_of_candidate(self) -> Array:
        """The bias that the reset gate multiplies, (3 * H,), 0 for the two gates."""
        rest = np.zeros(3 * self.units, self.bias.dtype)
        if self.recurrent_bias is not None:
            rest[2 * self.units :] = self.recurrent_bias[2 * self.units :]
        return rest

    def infer(self, *inputs: Value) -> Value:
        """Return (units,), with a time axis if it returns sequences."""
        if self.recurrent_bias is not None and self.recurrent_bias.shape != (3 * self.units,):
            message = f"its recurrent bias has the shape {self.recurrent_bias.shape}, not {(3 * self.units,)}"
            raise LayerError(message)
        return super().infer(*inputs)

    def computed(self, product: Array, state: States) -> States:
        """Compute one time step."""
        hidden = state["hidden"]
        update_of_x, reset_of_x, candidate_of_x = np.split(product, 3, axis=-1)
        update_of_h, reset_of_h, candidate_of_h = np.split(self.recurrent, 3, axis=-1)
        update, reset = sigmoid(update_of_x + hidden @ update_of_h), sigmoid(reset_of_x + hidden @ reset_of_h)
        if self.reset_after:
            kept = reset * (hidden @ candidate_of_h + self.bias_of_candidate[2 * self.units :])
        else:
            kept = (reset * hidden) @ candidate_of_h
        candidate = np.tanh(candidate_of_x + kept)
        return {"hidden": candidate + update * (hidden - candidate)}

    def written(self, operations: Operations, step: int, product: Tensor, state: StateTensors | None) -> StateTensors:
        """Write one time step."""
        candidate_sum = self.part(operations, "input_candidate", step, product, (2, 3))
        if state is None:
            update, total = self._first(operations, step, product, candidate_sum)
        elif self.reset_after:
            update, total = self._reset_after(operations, step, product, candidate_sum, state["hidden"])
        else:
            update, total = self._reset_before(operations, step, product, candidate_sum, state["hidden"])
        candidate = operations.tanh(self.role("candidate", step), total)
        if state is None:
            moved = operations.multiply(self.role("move", step), update, candidate)
            return {"hidden": operations.subtract(self.role("hidden", step), candidate, moved)}
        distance = operations.subtract(self.role("distance", step), state["hidden"], candidate)
        moved = operations.multiply(self.role("move", step), update, distance)
        return {"hidden": operations.add(self.role("hidden", step), candidate, moved)}

    def _first(
        self, operations: Operations, step: int, product: Tensor, candidate_sum: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Write the gates of a step whose hidden state is 0: of the recurrent product, only the bias is left."""
        rest = self.bias_of_candidate[2 * self.units :]
        if not rest.any():  # then the reset gate has nothing to multiply
            gates = self.part(operations, "input_gates", step, product, (0, 1))
            return operations.sigmoid(self.role("gates", step), gates), candidate_sum
        update, reset = self._gates(operations, step, self.part(operations, "input_gates", step, product, (0, 2)))
        constant = operations.constant(f"{self.name}/recurrent_bias", rest.reshape(1, -1).astype(np.float32))
        kept = operations.multiply(self.role("reset_product", step), reset, constant)
        return update, operations.add(self.role("candidate_sum", step), candidate_sum, kept)

    def _gates(self, operations: Operations, step: int, total: Tensor) -> tuple[Tensor, Tensor]:
        gates = operations.sigmoid(self.role("gates", step), total)
        update = self.part(operations, "update_gate", step, gates, (0, 1))
        return update, self.part(operations, "reset_gate", step, gates, (1, 2))

    def _reset_after(
        self, operations: Operations, step: int, product: Tensor, candidate_sum: Tensor, hidden: Tensor
    ) -> tuple[Tensor, Tensor]:
        recurrent = self.recurrent_product(operations, step, hidden, self.bias_of_candidate)
        total = operations.add(
            self.role("gate_sum", step),
            self.part(operations, "input_gates", step, product, (0, 2)),
            self.part(operations, "recurrent_gates", step, recurrent, (0, 2)),
        )
        update, reset = self._gates(operations, step, total)
        of_state = self.part(operations, "recurrent_candidate", step, recurrent, (2, 3))
        kept = operations.multiply(self.role("reset_product", step), reset, of_state)
        return update, operations.add(self.role("candidate_sum", step), candidate_sum, kept)

    def _reset_before(
        self, operations: Operations, step: int, product: Tensor, candidate_sum: Tensor, hidden: Tensor
    ) -> tuple[Tensor, Tensor]:
        split = 2 * self.units
        recurrent = operations.fully_connected(
            self.role("recurrent_product", step), hidden, self.recurrent[:, :split], None, f"{self.name}/recurrent"
        )
        of_input = self.part(operations, "input_gates", step, product, (0, 2))
        update, reset = self._gates(operations, step, operations.add(self.role("gate_sum", step), of_input, recurrent))
        kept = operations.fully_connected(
            self.role("candidate_product", step),
            operations.multiply(self.role("reset_hidden", step), reset, hidden),
            self.recurrent[:, split:],
            None,
            f"{self.name}/candidate",
        )
        return update, operations.add(self.role("candidate_sum", step), candidate_sum, kept)

    def keras(self) -> KerasLayer:
        """Return ``GRU``."""
        config = {**self.keras_config(), "reset_after": self.reset_after}
        bias = self.bias if self.recurrent_bias is None else np.stack([self.bias, self.recurrent_bias])
        return KerasLayer("GRU", config, (self.kernel, self.recurrent, bias))

    def with_keras_arrays(self, arrays: Sequence[Array]) -> "GRU":
        """Take kernel, recurrent kernel, and one or two rows of bias: of the input, and of the state."""
        kernel, recurrent, bias = arrays
        of_input, of_state = (bias, None) if bias.ndim == 1 else bias
        return replace(self, kernel=kernel, recurrent=recurrent, bias=of_input, recurrent_bias=of_state)
