"""What is in a ``.tflite`` file: subgraphs of operators on tensors, signatures, metadata."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from pipeline.tflite.errors import TfliteError
from pipeline.tflite.names import ACTIVATIONS, DTYPES, FLOATS
from pipeline.tflite.quantization import Quantization
from pipeline.tflite.tables import Bytes

DYNAMIC = -1
"""A dimension that is only known at run time."""
OPTIONAL = -1
"""The number of an input that an operator goes without."""


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Tensor:
    """A tensor of a subgraph."""

    number: int
    """Its place among the subgraph's tensors."""
    name: str
    shape: tuple[int, ...]
    shape_signature: tuple[int, ...]
    """The shape with ``DYNAMIC`` for what is only known at run time; empty where all is known."""
    type: str
    """``int8``, ``float32``, ...: the format's name, in small letters."""
    quantization: Quantization | None
    """None where the numbers are not quantized."""
    buffer: int
    """The number of the buffer with its content; tensors may share one."""
    content: Bytes
    """Its bytes, in the file's own memory; none where it is computed."""

    def __str__(self) -> str:
        """Name it."""
        return self.name or f"number {self.number}"

    @property
    def is_float(self) -> bool:
        """Tell whether its numbers are floating-point ones."""
        return self.type in FLOATS

    @property
    def is_constant(self) -> bool:
        """Tell whether its content is in the file."""
        return self.content.size > 0

    def is_stored_as(self, other: "Tensor") -> bool:
        """Tell whether the same bytes stand for the same numbers in both."""
        a, b = self.quantization, other.quantization
        if self.type != other.type or a is None or b is None:
            return self.type == other.type and a is b
        return (a.scales, a.zero_points) == (b.scales, b.zero_points)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Return the type for NumPy; a ``TfliteError`` if NumPy has none."""
        if self.type not in DTYPES:
            message = f"tensor {self} is of type {self.type}, whose numbers can't be read"
            raise TfliteError(message)
        return DTYPES[self.type]

    @property
    def data(self) -> npt.NDArray[Any] | None:
        """Return its numbers, None where they are computed.

        They lie in the memory that was read: of a ``bytearray``, they can be changed there.

        Raises:
            TfliteError: its bytes don't fill its shape.

        """
        if not self.is_constant:
            return None
        wanted = self.dtype.itemsize
        for size in self.shape:
            wanted *= size
        if wanted != self.content.size:
            message = f"tensor {self} has {self.content.size:,} bytes, its shape {self.shape} needs {wanted:,}"
            raise TfliteError(message)
        return self.content.view(self.dtype.newbyteorder("<")).reshape(self.shape)


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """Where an operator's options lie."""

    file: bytes | bytearray = field(repr=False)
    kind: int
    place: int


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Operator:
    """An operator of a subgraph."""

    index: int
    """Its place in the order of execution."""
    kind: str
    """``FULLY_CONNECTED``, ``ADD``, ...; ``CUSTOM`` for what the format has no name for."""
    custom: str
    """What a custom operator is called; empty for others."""
    inputs: tuple[Tensor | None, ...]
    """None for an optional one that it goes without."""
    outputs: tuple[Tensor, ...]
    packed_options: Options | None

    def __str__(self) -> str:
        """Name it by kind and output."""
        return f"{self.kind} {self.name}"

    @property
    def name(self) -> str:
        """Return the name of its first output, by which Vela and the reports name it."""
        return str(self.outputs[0]) if self.outputs else f"operator {self.index}"

    @property
    def options(self) -> Any:
        """Return the schema's options of its kind, taken apart anew; None without any.

        Raises:
            TfliteError: they are damaged.

        """
        packed = self.packed_options
        if packed is None:
            return None
        try:
            table = flatbuffers.table.Table(packed.file, packed.place)
            return schema.BuiltinOptionsCreator(packed.kind, table)
        except Exception as error:  # noqa: BLE001 - the library checks nothing, and stumbles over anything
            message = f"the options of operator {self} are damaged ({type(error).__name__})"
            raise TfliteError(message) from None

    @property
    def activation(self) -> str:
        """Return the activation that is fused into it: ``NONE``, ``RELU``, ..."""
        number = getattr(self.options, "fusedActivationFunction", 0)
        return ACTIVATIONS.get(number, f"activation {number}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Subgraph:
    """Operators on tensors, in order of execution."""

    number: int
    name: str
    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    def computed(self) -> Iterator[Tensor]:
        """Yield the tensors that its operators compute."""
        for operator in self.operators:
            yield from operator.outputs

    @cached_property
    def writer_of(self) -> Mapping[int, Operator]:
        """Return the operator that computes each tensor, by the tensor's number."""
        return {tensor.number: operator for operator in self.operators for tensor in operator.outputs}


@dataclass(frozen=True, kw_only=True, eq=False)
class Signature:
    """By which names a subgraph's inputs and outputs are known outside."""

    key: str
    subgraph: int
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """A whole file. Everything that is named by number in it is there."""

    file_bytes: int
    description: str
    subgraphs: tuple[Subgraph, ...]
    """At least one; the first is the one that an interpreter runs."""
    signatures: tuple[Signature, ...]
    buffers: tuple[Bytes, ...]
    """All contents; the first is empty."""
    metadata: Mapping[str, Bytes]

    @property
    def main(self) -> Subgraph:
        """Return the subgraph that an interpreter runs."""
        return self.subgraphs[0]

    def operators(self) -> Iterator[Operator]:
        """Yield the operators of all subgraphs."""
        for subgraph in self.subgraphs:
            yield from subgraph.operators
