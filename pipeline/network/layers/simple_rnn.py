"""SimpleRNN (Elman's), as Keras has it."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pipeline.network.layer import KerasLayer, States, StateTensors, layer
from pipeline.network.operations import Operations, Tensor
from pipeline.network.recurrent import Recurrent
from pipeline.network.values import Array, State


@layer("simple_rnn")
@dataclass(frozen=True, kw_only=True)
class SimpleRNN(Recurrent):
    """``h' = tanh(x W + b + h U)``."""

    GATES: ClassVar[int] = 1
    STATE: ClassVar[tuple[State, ...]] = (State("hidden", within=1.0),)

    def computed(self, product: Array, state: States) -> States:
        """Compute one time step."""
        return {"hidden": np.tanh(product + state["hidden"] @ self.recurrent)}

    def written(self, operations: Operations, step: int, product: Tensor, state: StateTensors | None) -> StateTensors:
        """Write one time step."""
        total = self.part(operations, "input_part", step, product, (0, 1))
        if state:
            total = operations.add(
                self.role("sum", step), total, self.recurrent_product(operations, step, state["hidden"])
            )
        return {"hidden": operations.tanh(self.role("hidden", step), total)}

    def keras(self) -> KerasLayer:
        """Return ``SimpleRNN``."""
        return KerasLayer("SimpleRNN", self.keras_config(), (self.kernel, self.recurrent, self.bias))
