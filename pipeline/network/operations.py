"""The plain operations that layers are lowered to: what a layer may ask for, whoever carries it out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pipeline.network.values import Array

Span = tuple[int, int]
"""First, and the one after the last."""


@dataclass(frozen=True)
class Role:
    """What a tensor is for. It is handed on from the layer to whoever asks, and never read off a name."""

    layer: str | None
    """The layer that makes it; None for an input of the network."""
    role: str
    """``recurrent_product``, ``gates``, ...: what is stored, the same word at every step."""
    step: int | None = None
    """Time step within one inference, counted from 1; 0 is what was before, None where there is only one."""
    shared: str | None = None
    """What the tie is called where it is not ``layer/role``: a value of the network goes by its own name."""
    within: float | None = None
    """The largest magnitude that its layer lets it have, where that is known without looking."""

    @property
    def tie(self) -> str:
        """What tensors have in common that share one scale and zero point: layer and role, at every step."""
        return self.shared or (f"{self.layer}/{self.role}" if self.layer else self.role)

    @property
    def tensor(self) -> str:
        """The name of the tensor."""
        return self.tie if self.step is None else f"{self.tie}_{self.step}"


@dataclass(frozen=True)
class Tensor:
    """A tensor of the graph that is being written."""

    number: int
    name: str
    shape: tuple[int, ...]


class Operations(Protocol):
    """Each adds one operation and returns its output. All activations are real numbers, (rows, columns)."""

    def input(self, role: Role, shape: tuple[int, ...]) -> Tensor:
        """Add a tensor that is given from outside."""

    def constant(self, name: str, value: npt.NDArray[np.float32]) -> Tensor:
        """Add a constant, or return the one that has this name and content already."""

    def fully_connected(self, role: Role, x: Tensor, kernel: Array, bias: Array | None, source: str) -> Tensor:
        """Add ``x @ kernel + bias``; x (rows, k), kernel (k, n), bias (n,); ``source`` names the constants."""

    def slice(self, role: Role, x: Tensor, rows: Span, columns: Span) -> Tensor:
        """Add ``x[rows[0]:rows[1], columns[0]:columns[1]]``; of everything, nothing is added."""

    def reshape(self, role: Role, x: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Add the same numbers in another shape."""

    def concatenation(self, role: Role, rows: Sequence[Tensor]) -> Tensor:
        """Add the tensors one below the other."""

    def pack(self, role: Role, parts: Sequence[Tensor]) -> Tensor:
        """Add tensors of one shape as the slices of a tensor with one axis more, which is the first."""

    def add(self, role: Role, a: Tensor, b: Tensor) -> Tensor:
        """Add ``a + b``."""

    def subtract(self, role: Role, a: Tensor, b: Tensor) -> Tensor:
        """Add ``a - b``."""

    def multiply(self, role: Role, a: Tensor, b: Tensor) -> Tensor:
        """Add ``a * b``, element by element."""

    def sigmoid(self, role: Role, x: Tensor) -> Tensor:
        """Add ``1 / (1 + exp(-x))``."""

    def tanh(self, role: Role, x: Tensor) -> Tensor:
        """Add ``tanh(x)``."""

    def relu(self, role: Role, x: Tensor) -> Tensor:
        """Add ``max(x, 0)``."""

    def softmax(self, role: Role, x: Tensor) -> Tensor:
        """Add the softmax over each row."""
