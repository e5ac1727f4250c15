"""Read the tables of a flatbuffer; every offset has to lead to something inside the file.

The library that LiteRT's own classes read with trusts a file: a wild offset takes it to the file's other end, of a list
that is cut off it returns what is left, and what points to the same list a thousand times becomes a thousand lists. It
also takes five times as long.
"""

from struct import Struct, unpack_from
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.tflite.errors import TfliteError

Bytes = npt.NDArray[np.uint8]

INT8, UINT8, INT32, UINT32, UINT64 = (Struct(f"<{letter}") for letter in "bBiIQ")
_OFFSET, _BACK, _SIZES = UINT32, INT32, Struct("<HH")
_LIST_BYTES = {"i": 4, "q": 8, "f": 4}
TABLE_BYTES = 8
"""The least that a table takes, with the offset that leads to it."""
UNFOLDED = 8
"""How many times a file's size all its lists may have together: a writer may share some, damage shares without end."""


class File:
    """The content of a file while it is read."""

    def __init__(self, content: bytes | bytearray) -> None:
        """Begin; nothing is read."""
        self.content = content
        self.array: Bytes = np.frombuffer(content, np.uint8)
        self.size = len(content)
        self._left = UNFOLDED * len(content)
        self._layouts: dict[int, tuple[int, tuple[int, ...]]] = {}

    def root(self) -> "Table":
        """Return the table that leads to all others."""
        return Table(self, _OFFSET.unpack_from(self.content)[0])

    def layout(self, place: int) -> tuple[int, tuple[int, ...]]:
        """Return a table's bytes, and where in it each field is, by the place of its ``vtable``; many share one."""
        known = self._layouts.get(place)
        if known is None:
            if place < 0:
                raise TfliteError(_beyond(place))
            length, table_bytes = _SIZES.unpack_from(self.content, place)
            fields = unpack_from(f"<{max(length - _SIZES.size, 0) // 2}H", self.content, place + _SIZES.size)
            if any(field >= table_bytes for field in fields):
                message = f"a table has fields beyond its {table_bytes} bytes (byte {place:,})"
                raise TfliteError(message)
            known = self._layouts[place] = table_bytes, fields
        return known

    def list(self, place: int, width: int) -> tuple[int, int]:
        """Return where a list begins that an offset leads to, and how many members of ``width`` bytes it has."""
        start = place + _OFFSET.unpack_from(self.content, place)[0]
        (count,) = _OFFSET.unpack_from(self.content, start)
        start += _OFFSET.size
        if start + count * width > self.size:
            message = f"a list of {count:,} is cut off at the end (byte {start:,} of {self.size:,})"
            raise TfliteError(message)
        return start, count

    def unfold(self, size: int) -> None:
        """Count the bytes of a list that is taken apart."""
        self._left -= size
        if self._left < 0:
            message = f"its lists have more than {UNFOLDED} times the bytes of the whole file"
            raise TfliteError(message)


class Table:
    """A table of a file: its fields by number, in the order of the schema."""

    __slots__ = ("_fields", "_file", "_place")

    def __init__(self, file: File, place: int) -> None:
        """Look up where its fields are."""
        self._file, self._place = file, place
        table_bytes, self._fields = file.layout(place - _BACK.unpack_from(file.content, place)[0])
        if place + table_bytes > file.size:
            raise TfliteError(_beyond(place + table_bytes))

    def _at(self, field: int) -> int:
        """Return the place of a field; 0 where it has its default."""
        fields = self._fields
        offset = fields[field] if field < len(fields) else 0
        return self._place + offset if offset else 0

    def number(self, field: int, kind: Struct) -> int:
        """Return a number; 0 if it is not there."""
        place = self._at(field)
        return int(kind.unpack_from(self._file.content, place)[0]) if place else 0

    def table(self, field: int) -> "Table | None":
        """Return the table that a field leads to."""
        place = self._at(field)
        return Table(self._file, place + _OFFSET.unpack_from(self._file.content, place)[0]) if place else None

    def place(self, field: int) -> int:
        """Return where the table begins that a field leads to, for a reader of another make; 0 without one."""
        table = self.table(field)
        return table._place if table else 0  # noqa: SLF001 - of its own class

    def tables(self, field: int) -> list["Table"]:
        """Return a list of tables."""
        place = self._at(field)
        if not place:
            return []
        file = self._file
        start, count = file.list(place, _OFFSET.size)
        file.unfold(count * TABLE_BYTES)
        offsets = unpack_from(f"<{count}I", file.content, start)
        return [Table(file, start + _OFFSET.size * number + offset) for number, offset in enumerate(offsets)]

    def numbers(self, field: int, letter: str) -> tuple[Any, ...]:
        """Return a list of numbers: ``i`` int32, ``q`` int64, ``f`` float32."""
        place = self._at(field)
        if not place:
            return ()
        width = _LIST_BYTES[letter]
        start, count = self._file.list(place, width)
        self._file.unfold(count * width)
        return unpack_from(f"<{count}{letter}", self._file.content, start)

    def text(self, field: int) -> str:
        """Return a text; what is no UTF-8 in it is marked."""
        place = self._at(field)
        if not place:
            return ""
        start, count = self._file.list(place, 1)
        self._file.unfold(count)
        return bytes(self._file.content[start : start + count]).decode(errors="replace")

    def block(self, field: int) -> Bytes:
        """Return bytes where they lie in the file."""
        place = self._at(field)
        if not place:
            return self._file.array[:0]
        start, count = self._file.list(place, 1)
        return self._file.array[start : start + count]


def _beyond(place: int) -> str:
    return f"an offset leads to byte {place:,}, which is not inside"
