"""A value of the network while it is lowered: all time steps below each other, or one by one, as each reader wants."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.network.operations import Operations, Role, Tensor

MOST_CONCATENATED = 10
"""``kMaxInputNum`` of TensorFlow Lite Micro's CONCATENATION."""


@dataclass
class Signal:
    """The tensors that hold a value. Without a time axis it is one row."""

    role: Role
    """What it is for; its step is None."""
    columns: int
    """Numbers of one time step."""
    steps: list[Tensor] = field(default_factory=list)
    """A tensor for each time step, (1, columns), where it was made step by step."""
    whole: Tensor | None = None
    """(time steps, columns), where it was made at once or has been asked for so."""

    @classmethod
    def made_at_once(cls, role: Role, rows: Tensor) -> "Signal":
        """Hold a tensor of all time steps."""
        return cls(role=role, columns=rows.shape[1], whole=rows)

    @classmethod
    def made_in_steps(cls, role: Role, steps: Sequence[Tensor]) -> "Signal":
        """Hold a tensor for each time step."""
        return cls(role=role, columns=steps[0].shape[1], steps=list(steps))

    def __len__(self) -> int:
        """Return the number of time steps of one inference."""
        return self.whole.shape[0] if self.whole else len(self.steps)

    def rows(self, operations: Operations) -> Tensor:
        """Return all time steps as one tensor, so that a product multiplies them all at once."""
        if self.whole is None:
            self.whole = self.steps[0] if len(self.steps) == 1 else self._joined(operations)
        return self.whole

    def _joined(self, operations: Operations) -> Tensor:
        """Put the steps below each other.

        TensorFlow Lite Micro concatenates few tensors and packs any number. On the NPU both are the same copies, but
        for the last step's, which can be written into a concatenation right away.
        """
        role = Role(self.role.layer, f"{self.role.role}_rows")
        if len(self.steps) <= MOST_CONCATENATED:
            return operations.concatenation(role, self.steps)
        matrix = Role(self.role.layer, f"{self.role.role}_matrix")
        return operations.reshape(matrix, operations.pack(role, self.steps), (len(self.steps), self.columns))

    def in_shape(self, operations: Operations, role: Role, shape: tuple[int, int]) -> Tensor:
        """Return the same numbers as (time steps, columns) of another shape."""
        return operations.reshape(role, self.rows(operations), shape)
