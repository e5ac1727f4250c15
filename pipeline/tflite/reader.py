"""Read a ``.tflite`` file: whole, or not at all."""

import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from pipeline.tflite.errors import ForeignError, TfliteError
from pipeline.tflite.model import OPTIONAL, Model, Operator, Options, Signature, Subgraph, Tensor
from pipeline.tflite.names import KINDS, TYPES
from pipeline.tflite.quantization import Quantization
from pipeline.tflite.tables import INT8, INT32, UINT8, UINT32, UINT64, Bytes, File, Table

Member = TypeVar("Member")

IDENTIFIER = b"TFL3"
"""Bytes 4 to 8 of every model."""
NOWHERE = 1
"""Up to this, a buffer's offset means that its content is not behind the tables."""


class _ModelField:
    """Fields in the order of the schema, here and below; those that aren't read stand for their place alone."""

    VERSION, OPERATOR_CODES, SUBGRAPHS, DESCRIPTION, BUFFERS, METADATA_BUFFER, METADATA, SIGNATURES = range(8)


class _CodeField:
    OLD_KIND, CUSTOM, VERSION, KIND = range(4)


class _GraphField:
    TENSORS, INPUTS, OUTPUTS, OPERATORS, NAME = range(5)


class _TensorField:
    SHAPE, TYPE, BUFFER, NAME, QUANTIZATION, IS_VARIABLE, SPARSITY, SHAPE_SIGNATURE = range(8)


class _QuantizationField:
    LOWEST, HIGHEST, SCALES, ZERO_POINTS, DETAILS_KIND, DETAILS, AXIS = range(7)


class _OperatorField:
    CODE, INPUTS, OUTPUTS, OPTIONS_KIND, OPTIONS, CUSTOM_OPTIONS = range(6)


class _BufferField:
    DATA, OFFSET, SIZE = range(3)


class _MetadataField:
    NAME, BUFFER = range(2)


class _SignatureField:
    INPUTS, OUTPUTS, KEY, TAG, SUBGRAPH = range(5)


class _NameField:
    NAME, TENSOR = range(2)


def read(path: Path) -> Model:
    """Read a file.

    Raises:
        ForeignError: it is no TensorFlow Lite model.
        TfliteError: it is truncated or damaged.
        OSError: it can't be read.

    """
    return parse(path.read_bytes(), str(path))


def parse(content: bytes | bytearray, name: str = "the model") -> Model:
    """Read a file's content; constants stay where they are in it, and can be changed there if it is a ``bytearray``.

    Args:
        content: the whole file.
        name: what to call it when it is refused.

    Raises:
        ForeignError: it is no TensorFlow Lite model.
        TfliteError: it is truncated or damaged.

    """
    if content[4:8] != IDENTIFIER:
        message = f"{name} is no TensorFlow Lite model (bytes 4 to 7 are {bytes(content[4:8])!r}, not {IDENTIFIER!r})"
        raise ForeignError(message)
    try:
        return _Reader(File(content)).model()
    except TfliteError as error:
        reason = str(error)
    except struct.error:
        reason = "an offset leads beyond its end"
    message = f"{name} is truncated or damaged: {reason}"
    raise TfliteError(message)


class _Reader:
    def __init__(self, file: File) -> None:
        self._file = file
        self._root = file.root()
        self._buffers = tuple(self._buffer(table) for table in self._root.tables(_ModelField.BUFFERS))
        self._codes = [_code(table) for table in self._root.tables(_ModelField.OPERATOR_CODES)]

    def model(self) -> Model:
        graphs = self._root.tables(_ModelField.SUBGRAPHS)
        if not graphs:
            message = "it has no subgraph"
            raise TfliteError(message)
        subgraphs = tuple(self._subgraph(number, table) for number, table in enumerate(graphs))
        return Model(
            file_bytes=self._file.size,
            description=self._root.text(_ModelField.DESCRIPTION),
            subgraphs=subgraphs,
            signatures=tuple(_signature(table, subgraphs) for table in self._root.tables(_ModelField.SIGNATURES)),
            buffers=self._buffers,
            metadata={
                table.text(_MetadataField.NAME): _member(
                    self._buffers, table.number(_MetadataField.BUFFER, UINT32), "buffer"
                )
                for table in self._root.tables(_ModelField.METADATA)
            },
        )

    def _buffer(self, table: Table) -> Bytes:
        """Return a buffer's bytes, which may lie behind the tables."""
        offset = table.number(_BufferField.OFFSET, UINT64)
        if offset <= NOWHERE:
            return table.block(_BufferField.DATA)
        end = offset + table.number(_BufferField.SIZE, UINT64)
        if end > self._file.size:
            message = f"a constant lies in bytes {offset:,} to {end:,}, of {self._file.size:,}"
            raise TfliteError(message)
        return self._file.array[offset:end]

    def _subgraph(self, number: int, table: Table) -> Subgraph:
        tensors = tuple(self._tensor(*numbered) for numbered in enumerate(table.tables(_GraphField.TENSORS)))
        return Subgraph(
            number=number,
            name=table.text(_GraphField.NAME),
            tensors=tensors,
            operators=tuple(
                self._operator(index, operator, tensors)
                for index, operator in enumerate(table.tables(_GraphField.OPERATORS))
            ),
            inputs=_members(tensors, table.numbers(_GraphField.INPUTS, "i")),
            outputs=_members(tensors, table.numbers(_GraphField.OUTPUTS, "i")),
        )

    def _tensor(self, number: int, table: Table) -> Tensor:
        kind, buffer = table.number(_TensorField.TYPE, INT8), table.number(_TensorField.BUFFER, UINT32)
        return Tensor(
            number=number,
            name=table.text(_TensorField.NAME),
            shape=table.numbers(_TensorField.SHAPE, "i"),
            shape_signature=table.numbers(_TensorField.SHAPE_SIGNATURE, "i"),
            type=TYPES.get(kind, f"type {kind}"),
            quantization=_quantization(table.table(_TensorField.QUANTIZATION)),
            buffer=buffer,
            content=_member(self._buffers, buffer, "buffer"),
        )

    def _operator(self, index: int, table: Table, tensors: Sequence[Tensor]) -> Operator:
        kind, custom = _member(self._codes, table.number(_OperatorField.CODE, UINT32), "kind of operator")
        options = table.place(_OperatorField.OPTIONS)
        table.block(_OperatorField.CUSTOM_OPTIONS)  # has to be there
        return Operator(
            index=index,
            kind=kind,
            custom=custom,
            inputs=tuple(
                None if number == OPTIONAL else _member(tensors, number, "tensor")
                for number in table.numbers(_OperatorField.INPUTS, "i")
            ),
            outputs=_members(tensors, table.numbers(_OperatorField.OUTPUTS, "i")),
            packed_options=Options(
                file=self._file.content, kind=table.number(_OperatorField.OPTIONS_KIND, UINT8), place=options
            )
            if options
            else None,
        )


def _code(table: Table) -> tuple[str, str]:
    """Return a kind of operators; files of before 2020 have its number in the older of two fields alone."""
    number = max(table.number(_CodeField.OLD_KIND, INT8), table.number(_CodeField.KIND, INT32))
    kind = KINDS.get(number, f"operator {number}")
    return kind, table.text(_CodeField.CUSTOM) if kind == "CUSTOM" else ""


def _quantization(table: Table | None) -> Quantization | None:
    if table is None:
        return None
    scales = table.numbers(_QuantizationField.SCALES, "f")
    zero_points = table.numbers(_QuantizationField.ZERO_POINTS, "q")
    if not scales:
        return None
    return Quantization(scales, zero_points, table.number(_QuantizationField.AXIS, INT32))


def _signature(table: Table, subgraphs: Sequence[Subgraph]) -> Signature:
    number = table.number(_SignatureField.SUBGRAPH, UINT32)
    tensors = _member(subgraphs, number, "subgraph").tensors
    return Signature(
        key=table.text(_SignatureField.KEY),
        subgraph=number,
        inputs=_named(table.tables(_SignatureField.INPUTS), tensors),
        outputs=_named(table.tables(_SignatureField.OUTPUTS), tensors),
    )


def _named(tables: Iterable[Table], tensors: Sequence[Tensor]) -> Mapping[str, Tensor]:
    return {
        table.text(_NameField.NAME): _member(tensors, table.number(_NameField.TENSOR, UINT32), "tensor")
        for table in tables
    }


def _members(tensors: Sequence[Tensor], numbers: Iterable[int]) -> tuple[Tensor, ...]:
    return tuple(_member(tensors, number, "tensor") for number in numbers)


def _member(members: Sequence[Member], number: int, what: str) -> Member:
    """Return what a number stands for, which has to be there."""
    if not 0 <= number < len(members):
        message = f"it names {what} {number}, of {len(members)}"
        raise TfliteError(message)
    return members[number]
