"""The record of a result, ``stage.json``: what it says, reading it, and whether the artefacts are still as it says."""

import contextlib
import os
import time
from pathlib import Path
from typing import Any

import msgspec

from pipeline.errors import UnrollError
from pipeline.fingerprint import SETTLED_NS, file_hashes

SCHEMA = 1
"""The version of ``stage.json``; results of another version are not read."""

RECORD = "stage.json"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """``stage.json``: what went in, what came out, and what was found."""

    schema: int
    stage: str
    experiment: str
    target: str | None
    key: str
    inputs: dict[str, Any]
    """``config``, ``files`` (name -> sha256), ``source``, ``tools``, ``seed``, ``made_on``."""
    outputs: dict[str, dict[str, Any]]
    """File name -> ``sha256`` and ``bytes``."""
    metrics: dict[str, Any]
    unavailable: dict[str, str] = msgspec.field(default_factory=dict)
    """Metric that is null -> why."""
    basis: dict[str, str] = msgspec.field(default_factory=dict)
    """Metric -> ``measured``, ``estimated`` or ``emulated``."""
    warnings: list[str] = msgspec.field(default_factory=list)
    """Sentences for whoever relies on the result."""
    stand_in: str | None = None
    """The data set used in place of the one asked for."""
    seconds: float
    """Wall time of the stage's process."""
    seconds_importing: float
    """The part of it that went into loading libraries."""
    peak_memory_bytes: int
    finished: float
    """Seconds since the epoch."""


class BrokenRecordError(UnrollError):
    """A ``stage.json`` that can't be used, and why."""


_read: dict[str, tuple[tuple[int, ...], Record]] = {}
"""Path of a record -> how its file looked when it was read, and the record."""


def read_record(folder: str | Path) -> Record:
    """Read the record of a result, or return the one that was read of the same file before.

    Raises:
        FileNotFoundError: there is no result.
        BrokenRecordError: it is truncated, foreign or of another schema.

    """
    path = f"{folder}/{RECORD}"
    try:
        stat = os.stat(path)
        look = (stat.st_ctime_ns, stat.st_ino, stat.st_size)
        before, record = _read.get(path, (None, None))
        if record is None or before != look:
            record = _decoded(Path(path).read_bytes())
            if time.time_ns() - stat.st_ctime_ns > SETTLED_NS:
                _read[path] = (look, record)
    except NotADirectoryError:
        raise FileNotFoundError(folder) from None
    return record


def _decoded(content: bytes) -> Record:
    message = f"{RECORD} is truncated or not ours"
    with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
        record = _decode_record(content)
        if record.schema == SCHEMA:
            return record
    with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
        schema = msgspec.json.decode(content, type=_Schema).schema
        if schema != SCHEMA:
            message = f"{RECORD} has schema {schema}, this version writes {SCHEMA}"
    raise BrokenRecordError(message)


class _Schema(msgspec.Struct):
    schema: int


_decode_record = msgspec.json.Decoder(Record).decode


def damage(folder: str | Path, record: Record) -> str | None:
    """Say which artefact is not what the record says, or None when all are whole."""
    hashes = file_hashes()
    for name, facts in record.outputs.items():
        path = f"{folder}/{name}"
        try:
            if hashes.sha256(path) != facts["sha256"]:
                rotted = "has rotted: nobody wrote to it, but the disk gives other bytes"
                return f"{name} {rotted if path in hashes.rotted else 'was changed by hand'}"
        except OSError:
            return f"{name} is missing"
    return None
