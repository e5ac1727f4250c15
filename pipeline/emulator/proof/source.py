"""The quantized model that was compiled: its operators and tensors, with all that decides what they compute."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.emulator.errors import NotVerifiedError, StreamError
from pipeline.emulator.stream.program import damage_named, opened
from pipeline.tflite import model as tflite
from pipeline.tflite.names import ACTIVATIONS
from pipeline.tflite.quantization import Quantization

TYPES = {"int8", "uint8", "int16", "int32", "int64"}
"""What is covered."""


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """A tensor of the quantized model."""

    number: int
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    quantization: Quantization | None
    data: npt.NDArray[Any] | None
    """Its numbers, where they are constant."""

    @cached_property
    def scales(self) -> npt.NDArray[np.float32]:
        """Return its scale, or one of each channel; none where the numbers are not quantized."""
        return np.array(self.quantization.scales if self.quantization else (), np.float32)

    @cached_property
    def zero_points(self) -> npt.NDArray[np.int64]:
        """Return as many zero points."""
        return np.array(self.quantization.zero_points if self.quantization else (), np.int64)

    @property
    def scale(self) -> float:
        """Return the one scale, in the precision that the file has."""
        return float(self._one(self.scales))

    @property
    def zero_point(self) -> int:
        """Return the one zero point."""
        return int(self._one(self.zero_points))

    def _one(self, of: npt.NDArray[Any]) -> Any:
        if of.size != 1:
            message = f"tensor {self.name} has {of.size} quantization parameters where one is needed"
            raise NotVerifiedError(message)
        return of[0]


@dataclass(frozen=True, kw_only=True)
class Operator:
    """An operator of the quantized model."""

    index: int
    """Its place, which Vela's debug database calls ``ext_key``."""
    kind: str
    """``FULLY_CONNECTED``, ``ADD``, ...: the format's name."""
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    options: Any
    """The schema's options of its kind, or None."""

    @property
    def activation(self) -> str:
        """Return the activation fused into it: ``NONE``, ``RELU``, ..."""
        number = getattr(self.options, "fusedActivationFunction", 0)
        return ACTIVATIONS.get(number, f"activation {number}")

    @cached_property
    def signature(self) -> Hashable:
        """Return what decides its results, beside the numbers that it reads and their shapes."""
        return (
            self.kind,
            self.stored_options,
            tuple(
                (tensor.dtype.str, tensor.scales.tobytes(), tensor.zero_points.tobytes())
                for tensor in (*self.inputs, *self.outputs)
                if tensor is not None
            ),
        )

    @property
    def stored_options(self) -> str | None:
        """Return its options as text, all of them."""
        return repr(vars(self.options)) if self.options else None

    @property
    def name(self) -> str:
        """Return the name of its first output, by which Vela and the reports name it."""
        return self.outputs[0].name if self.outputs else f"operator {self.index}"

    def input(self, place: int) -> Tensor:
        """Return an input that must be there.

        Raises:
            StreamError: it is not.

        """
        found = self.inputs[place] if place < len(self.inputs) else None
        if found is None:
            message = f"operator {self} has no input {place}"
            raise StreamError(message)
        return found

    def constant(self, place: int) -> npt.NDArray[Any]:
        """Return an input's numbers, which must be constant.

        Raises:
            NotVerifiedError: they are computed.

        """
        data = self.input(place).data
        if data is None:
            message = f"operator {self}, whose input {self.input(place).name} is computed"
            raise NotVerifiedError(message)
        return data

    def __str__(self) -> str:
        """Name it by kind and output."""
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, kw_only=True)
class Model:
    """The quantized model."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    @cached_property
    def writer_of(self) -> Mapping[int, Operator]:
        """Return the operator that computes each tensor, by the tensor's number."""
        return {tensor.number: operator for operator in self.operators for tensor in operator.outputs}


def load(path: Path) -> Model:
    """Read a quantized model.

    Raises:
        StreamError: it is no TensorFlow Lite model, or damaged.
        NotVerifiedError: it holds several subgraphs, or numbers that are not integers.

    """
    model = opened(path)
    with damage_named(path):
        return _model(model)


def _model(model: tflite.Model) -> Model:
    if len(model.subgraphs) != 1:
        message = f"the quantized model has {len(model.subgraphs)} subgraphs; one is covered"
        raise NotVerifiedError(message)
    graph = model.main
    tensors = tuple(_tensor(tensor) for tensor in graph.tensors)
    operators = tuple(
        Operator(
            index=operator.index,
            kind=operator.kind,
            inputs=tuple(None if tensor is None else tensors[tensor.number] for tensor in operator.inputs),
            outputs=tuple(tensors[tensor.number] for tensor in operator.outputs),
            options=operator.options,
        )
        for operator in graph.operators
    )
    return Model(
        tensors=tensors,
        operators=operators,
        inputs=tuple(tensors[tensor.number] for tensor in graph.inputs),
        outputs=tuple(tensors[tensor.number] for tensor in graph.outputs),
    )


def _tensor(tensor: tflite.Tensor) -> Tensor:
    if tensor.type not in TYPES:
        message = f"tensor {tensor}, which is not stored as integers"
        raise NotVerifiedError(message)
    return Tensor(
        number=tensor.number,
        name=str(tensor),
        shape=tensor.shape,
        dtype=tensor.dtype,
        quantization=tensor.quantization,
        data=tensor.data,
    )
