"""Writes a ``.tflite`` file operation by operation, so that every tensor keeps the name it was given.

TFLiteConverter would do, were it not for its freedom: it renames tensors when it fuses and folds,
and a tensor that is not recognized by its role has no range. The format's classes are LiteRT's.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from pipeline.errors import UnrollError
from pipeline.network.operations import Role, Span, Tensor
from pipeline.network.values import Array
from pipeline.tflite import write
from pipeline.tflite.roles import TensorRole

Constant = npt.NDArray[np.float32] | npt.NDArray[np.int32]

DESCRIPTION = "Unroll's deployment graph"
VIEWS = ("RESHAPE", "STRIDED_SLICE", "CONCATENATION", "PACK")
"""Operations whose output shows their input's numbers as they are, and so belongs to their tie."""


class LoweringError(UnrollError):
    """A network that can't be written as plain operations."""


class Writer:
    """A graph under construction; every method adds one operation and returns its output.

    All activations are float32 of shape (rows, columns).
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._file = write.Writer()
        self._roles: dict[int, TensorRole] = {}
        self._names: set[str] = set()

    def roles(self) -> list[TensorRole]:
        """Return what each activation is for, in the order in which they were added."""
        return list(self._roles.values())

    def input(self, role: Role, shape: tuple[int, ...]) -> Tensor:
        """Add a tensor that is given from outside."""
        tensor = self._tensor(role.tensor, shape)
        self._remember(role, tensor, None, [])
        return tensor

    def constant(self, name: str, value: Constant) -> Tensor:
        """Add a constant, or return the one that has this name and content already."""
        return Tensor(self._file.constant(name, value), name, value.shape)

    def fully_connected(self, role: Role, x: Tensor, kernel: Array, bias: Array | None, source: str) -> Tensor:
        """Add ``x @ kernel + bias``; x (rows, k), kernel (k, n), bias (n,); ``source`` names the constants."""
        weights = self.constant(f"{source}/kernel", np.ascontiguousarray(kernel.T, np.float32))
        offset = None
        if bias is not None:
            offset = self.constant(f"{source}/bias", np.ascontiguousarray(bias, np.float32))
        shape = (x.shape[0], kernel.shape[1])
        return self._operation("FULLY_CONNECTED", role, shape, [x, weights, offset], schema.FullyConnectedOptionsT())

    def slice(self, role: Role, x: Tensor, rows: Span, columns: Span) -> Tensor:
        """Add ``x[rows[0]:rows[1], columns[0]:columns[1]]``; of everything, nothing is added."""
        shape = (rows[1] - rows[0], columns[1] - columns[0])
        if shape == x.shape:
            return x
        places = [
            self.constant(f"slice/{what}_{value[0]}_{value[1]}", np.array(value, np.int32))
            for what, value in (
                ("begin", (rows[0], columns[0])),
                ("end", (rows[1], columns[1])),
                ("strides", (1, 1)),
            )
        ]
        return self._operation("STRIDED_SLICE", role, shape, [x, *places], schema.StridedSliceOptionsT())

    def reshape(self, role: Role, x: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Add the same numbers in another shape."""
        options = schema.ReshapeOptionsT()
        options.newShape = list(shape)
        out = self._tensor(role.tensor, shape)
        wanted = self.constant(f"{role.tensor}/shape", np.array(shape, np.int32))
        return self._operation("RESHAPE", role, shape, [x, wanted], options, out=out)

    def concatenation(self, role: Role, rows: Sequence[Tensor]) -> Tensor:
        """Add the tensors one below the other."""
        shape = (sum(x.shape[0] for x in rows), rows[0].shape[1])
        return self._operation("CONCATENATION", role, shape, rows, schema.ConcatenationOptionsT())

    def pack(self, role: Role, parts: Sequence[Tensor]) -> Tensor:
        """Add tensors of one shape as the slices of a tensor with one axis more, which is the first."""
        options = schema.PackOptionsT()
        options.valuesCount = len(parts)
        return self._operation("PACK", role, (len(parts), *parts[0].shape), parts, options)

    def add(self, role: Role, a: Tensor, b: Tensor) -> Tensor:
        """Add ``a + b``."""
        return self._operation("ADD", role, a.shape, (a, b), schema.AddOptionsT())

    def subtract(self, role: Role, a: Tensor, b: Tensor) -> Tensor:
        """Add ``a - b``."""
        return self._operation("SUB", role, a.shape, (a, b), schema.SubOptionsT())

    def multiply(self, role: Role, a: Tensor, b: Tensor) -> Tensor:
        """Add ``a * b``, element by element."""
        return self._operation("MUL", role, a.shape, (a, b), schema.MulOptionsT())

    def sigmoid(self, role: Role, x: Tensor) -> Tensor:
        """Add ``1 / (1 + exp(-x))``."""
        return self._operation("LOGISTIC", role, x.shape, (x,))

    def tanh(self, role: Role, x: Tensor) -> Tensor:
        """Add ``tanh(x)``."""
        return self._operation("TANH", role, x.shape, (x,))

    def relu(self, role: Role, x: Tensor) -> Tensor:
        """Add ``max(x, 0)``."""
        return self._operation("RELU", role, x.shape, (x,))

    def softmax(self, role: Role, x: Tensor) -> Tensor:
        """Add the softmax over each row."""
        options = schema.SoftmaxOptionsT()
        options.beta = 1.0
        return self._operation("SOFTMAX", role, x.shape, (x,), options)

    def finished(self, inputs: Mapping[str, Tensor], outputs: Mapping[str, Tensor]) -> bytes:
        """Return the file; inputs and outputs are known outside by these names (one signature)."""
        given, made = ({name: tensor.number for name, tensor in tensors.items()} for tensors in (inputs, outputs))
        return self._file.finished(given, made, DESCRIPTION)

    def _operation(  # noqa: PLR0913 - what an operation of the format is made of
        self,
        operation: str,
        role: Role,
        shape: tuple[int, ...],
        inputs: Sequence[Tensor | None],
        options: object = None,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        """Add an operation by TensorFlow Lite's word for it; its output is ``out``, if that tensor is there already."""
        out = out or self._tensor(role.tensor, shape)
        numbers = [None if x is None else x.number for x in inputs]
        self._remember(role, out, operation, [number for number in numbers if number in self._roles])
        self._file.operator(operation, numbers, [out.number], options)
        return out

    def _tensor(self, name: str, shape: tuple[int, ...]) -> Tensor:
        return Tensor(self._file.tensor(name, shape), name, shape)

    def _remember(self, role: Role, tensor: Tensor, operation: str | None, reads: Sequence[int]) -> None:
        """Note what a tensor is for; one that shows others belongs to their tie."""
        if tensor.name in self._names:
            message = f"two tensors would be called {tensor.name}: give the layers and values other names"
            raise LoweringError(message)
        self._names.add(tensor.name)
        tie = role.tie
        if operation in VIEWS:
            shown = {self._roles[number].tie for number in reads}
            if len(shown) != 1:
                message = f"tensor {tensor.name} shows tensors of several roles: {', '.join(sorted(shown))}"
                raise LoweringError(message)
            tie = shown.pop()
        self._roles[tensor.number] = TensorRole(
            tensor=tensor.name,
            layer=role.layer,
            role=role.role,
            tie=tie,
            operation=operation,
            reads=[self._roles[number].tensor for number in reads],
            step=role.step,
            within=role.within,
        )
