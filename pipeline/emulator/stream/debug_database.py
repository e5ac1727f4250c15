"""Which operators of the quantized model each command of a stream is for, as Vela's debug database says.

Vela writes ``<model>_debug.xml`` when it is asked to, tables in CSV within XML. What it says is not proof of
anything: it tells with which formula a command is to be compared.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from pipeline.emulator.errors import NotVerifiedError

Table = list[dict[str, str]]
TABLES = ("queue", "perf", "source", "group")
ARGUMENT = "--enable-debug-db"
"""Asks Vela for it; the compiled model is the same with it."""


def beside(compiled: Path) -> Path:
    """Return where Vela wrote the debug database of a model that it compiled."""
    return compiled.with_name(compiled.name.removesuffix("_vela.tflite") + "_debug.xml")


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a command is for."""

    operators: tuple[int, ...]
    """Places of the operators in the quantized model: one, or one and those fused behind it."""
    name: str
    """Vela's name of the operation's output."""
    operation: str
    """Vela's name of the operation: ``FullyConnected``, ``Add``, ``MemoryCopy``, ..."""


def read(path: Path) -> Mapping[int, Origin]:
    """Return the origin of every kernel, by its offset in the command stream in bytes.

    Raises:
        NotVerifiedError: it is not as Vela 5.2 writes it.

    """
    try:
        tables = _tables(path.read_text(encoding="utf-8"))
        place = {row["id"]: int(row["ext_key"]) for row in tables["source"]}
        operation = {row["id"]: row for row in tables["perf"]}
        parts = _parts(tables)
        return {int(row["offset"]): _origin(parts[row["scheduled_id"]], operation, place) for row in tables["queue"]}
    except (ET.ParseError, KeyError, ValueError, UnicodeDecodeError) as error:
        message = f"Vela's debug database is not as expected ({type(error).__name__}: {error})"
        raise NotVerifiedError(message) from None


def _tables(text: str) -> Mapping[str, Table]:
    root = ET.fromstring(text)  # noqa: S314 - Vela wrote it just now
    found = {
        element.attrib["name"]: list(csv.DictReader(io.StringIO((element.text or "").strip()), strict=True))
        for element in root.iter("table")
    }
    if missing := [name for name in TABLES if name not in found]:
        message = f"Vela's debug database has no table {', '.join(missing)}"
        raise NotVerifiedError(message)
    return found


def _parts(tables: Mapping[str, Table]) -> Mapping[str, list[str]]:
    """Return what each command computes: its own operation, then those of its group that have no command.

    On the U85, an operation of a group may have a command, which then reads what the one before it leaves
    inside the NPU.
    """
    group_of = {row["id"]: row["group_id"] for row in tables["group"]}
    found: dict[str, list[str]] = {row["scheduled_id"]: [row["scheduled_id"]] for row in tables["queue"]}
    last: dict[str, str] = {}
    for number in sorted({*found, *group_of}, key=int):
        group = group_of.get(number, number)
        if number in found:
            last[group] = number
        else:
            found[last[group]].append(number)
    return found


def _origin(numbers: list[str], operation: Mapping[str, dict[str, str]], place: Mapping[str, int]) -> Origin:
    rows = [operation[number] for number in numbers]
    operators = dict.fromkeys(place[row["source_id"]] for row in rows)
    return Origin(operators=tuple(operators), name=rows[-1]["name"], operation=rows[0]["operator"])
