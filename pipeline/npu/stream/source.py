"""The quantized model that was compiled: its operators and tensors, with all that decides what they compute."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from pipeline.npu.stream.container import IDENTIFIER, damage_named
from pipeline.npu.stream.errors import NotVerifiedError, StreamError


def _names(of: type) -> dict[int, str]:
    return {number: name for name, number in vars(of).items() if not name.startswith("_")}


KINDS = _names(schema.BuiltinOperator)
ACTIVATIONS = _names(schema.ActivationFunctionType)
DTYPES: Mapping[int, np.dtype[Any]] = {
    schema.TensorType.INT8: np.dtype(np.int8),
    schema.TensorType.UINT8: np.dtype(np.uint8),
    schema.TensorType.INT16: np.dtype(np.int16),
    schema.TensorType.INT32: np.dtype(np.int32),
    schema.TensorType.INT64: np.dtype(np.int64),
}


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """A tensor of the quantized model: real = scale * (stored - zero_point)."""

    number: int
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    scales: npt.NDArray[np.float32]
    """One, or one of each channel; none where the numbers are not quantized."""
    zero_points: npt.NDArray[np.int64]
    data: npt.NDArray[Any] | None
    """Its numbers, where they are constant."""

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
        return ACTIVATIONS[getattr(self.options, "fusedActivationFunction", 0)]

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
        StreamError: it is not a TFLite file, or damaged.
        NotVerifiedError: it holds several subgraphs, or numbers that are not integers.

    """
    content = path.read_bytes()
    if content[4:8] != IDENTIFIER:
        message = f"{path}: not a TFLite file (bytes 4 to 7 are {content[4:8]!r}, not {IDENTIFIER!r})"
        raise StreamError(message)
    with damage_named(path):
        return _model(schema.ModelT.InitFromPackedBuf(content, 0), content)


def _model(packed: Any, content: bytes) -> Model:
    if len(packed.subgraphs) != 1:
        message = f"the quantized model has {len(packed.subgraphs)} subgraphs; one is covered"
        raise NotVerifiedError(message)
    graph = packed.subgraphs[0]
    tensors = tuple(_tensor(number, tensor, packed, content) for number, tensor in enumerate(graph.tensors))
    operators = tuple(
        Operator(
            index=index,
            kind=KINDS[packed.operatorCodes[operator.opcodeIndex].builtinCode],
            inputs=tuple(tensors[number] if number >= 0 else None for number in operator.inputs),
            outputs=tuple(tensors[number] for number in operator.outputs),
            options=operator.builtinOptions,
        )
        for index, operator in enumerate(graph.operators)
    )
    return Model(
        tensors=tensors,
        operators=operators,
        inputs=tuple(tensors[number] for number in graph.inputs),
        outputs=tuple(tensors[number] for number in graph.outputs),
    )


def _tensor(number: int, packed: Any, model: Any, content: bytes) -> Tensor:
    name = (packed.name or b"").decode(errors="replace") or f"number {number}"
    if packed.type not in DTYPES:
        message = f"tensor {name}, which is not stored as integers"
        raise NotVerifiedError(message)
    dtype, shape = DTYPES[packed.type], tuple(int(size) for size in _array(packed.shape))
    quantization = packed.quantization
    stored = _content(model.buffers[packed.buffer], content)
    return Tensor(
        number=number,
        name=name,
        shape=shape,
        dtype=dtype,
        scales=np.asarray(_array(quantization.scale if quantization else None), np.float32),
        zero_points=np.asarray(_array(quantization.zeroPoint if quantization else None), np.int64),
        data=np.frombuffer(stored, dtype.newbyteorder("<")).reshape(shape) if stored else None,
    )


def _array(of: Any) -> Any:
    return [] if of is None else of


def _content(buffer: Any, content: bytes) -> bytes:
    """Return a buffer's bytes, which may lie behind the flatbuffer."""
    if buffer.offset > 1:
        return content[buffer.offset : buffer.offset + buffer.size]
    return bytes(bytearray(_array(buffer.data)))
