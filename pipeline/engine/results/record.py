"""The record of a result, ``stage.json``: what it says, reading it, and whether the artefacts are still as it says."""

import contextlib
import hashlib
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypedDict

import msgspec

from pipeline.engine.digests.fingerprint import SETTLED_NS, FileHashes, digest
from pipeline.errors import UnrollError

SCHEMA = 2
"""The version of ``stage.json``; results of another version are not read."""

RECORD = "stage.json"

NAME = re.compile(r"(?P<key>[0-9a-f]{32})\.(?P<content>[0-9a-f]{64})")
"""The name of a result's folder: the digest of what went in, and the SHA-256 of ``stage.json``.

That declares the SHA-256 of every artefact, so whoever changes one byte of a result has to change its name. Earlier
versions wrote 12 hex digits, a digest of the artefacts alone.
"""

NOTED = ("seed", "made_on")
"""What a record notes among the inputs although it does not matter to whether the result is fresh."""

_PART = r"(?!\.{1,2}(?:/|\Z))[^/\x00-\x1f\x7f-\x9f]+"
ArtefactName = Annotated[str, msgspec.Meta(pattern=rf"\A{_PART}(?:/{_PART})*\Z", max_length=255)]
"""A path that stays within the result's folder, and whose letters a terminal shows as they are."""


class Output(TypedDict):
    """What the record declares of an artefact."""

    sha256: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    bytes: Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """``stage.json``: what went in, what came out, and what was found."""

    schema: int
    stage: str
    experiment: str
    target: str | None
    key: str
    inputs: dict[str, Any]
    """``config``, ``files`` (name -> sha256), ``source``, ``tools``, ``seed``, ``made_on``."""
    outputs: dict[ArtefactName, Output]
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

    @property
    def is_stand_in(self) -> bool:
        """Whether it is a data set in place of the one asked for, which may be at hand by now."""
        return self.stand_in is not None and self.stage == "dataset"

    @property
    def outcome(self) -> tuple[Any, ...]:
        """Return what was found, and not where, when and in what time."""
        return self.stage, self.outputs, self.metrics, self.unavailable, self.basis, self.warnings, self.stand_in


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
            content = _content(path)
            record = decode_record(content)
            named = NAME.fullmatch(os.fspath(folder).rpartition(os.sep)[2])
            if named and named["content"] != hashlib.sha256(content).hexdigest():
                message = f"{RECORD} was changed by hand"
                raise BrokenRecordError(message)
            if time.time_ns() - stat.st_ctime_ns > SETTLED_NS:
                _read[path] = (look, record)
    except NotADirectoryError:
        raise FileNotFoundError(folder) from None
    return record


def _content(path: str) -> bytes:
    """Read a small file, without the layers that make ``open`` take thrice as long."""
    file = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(file).st_size
        content = os.read(file, size + 1)
        while len(content) < size and (more := os.read(file, size - len(content))):
            content += more
        return content
    finally:
        os.close(file)


def key_of(inputs: Mapping[str, Any]) -> str:
    """Return the digest of what went in, without what a record only notes."""
    return digest({name: value for name, value in inputs.items() if name not in NOTED})


def name_of(key: str, content: bytes) -> str:
    """Return the name of a result's folder, given the bytes of its ``stage.json``."""
    return f"{key}.{hashlib.sha256(content).hexdigest()}"


def encode_record(record: Record) -> bytes:
    """Write a record as ``stage.json`` holds it."""
    return msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"


def decode_record(content: bytes) -> Record:
    """Return what the bytes of a ``stage.json`` say.

    Raises:
        BrokenRecordError: it is truncated, foreign or of another schema.

    """
    message = f"{RECORD} is truncated or not ours"
    with contextlib.suppress(*_NOT_OURS):
        record = _decode_record(content)
        if record.schema == SCHEMA:
            return record
    with contextlib.suppress(*_NOT_OURS):
        schema = msgspec.json.decode(content, type=_Schema).schema
        if schema != SCHEMA:
            message = f"{RECORD} has schema {schema}, this version writes {SCHEMA}"
    raise BrokenRecordError(message)


class _Schema(msgspec.Struct):
    schema: int


_decode_record = msgspec.json.Decoder(Record).decode
_NOT_OURS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def misfit(record: Record, key: str) -> str | None:
    """Say why a record can't be that of the result of a key, or None when it can."""
    try:
        its_own = key_of(record.inputs)
    except (ValueError, RecursionError):
        return f"{RECORD} is not ours"
    if not key == record.key == its_own or record.stage != record.inputs.get("stage"):
        return f"{RECORD} is that of another result"
    return None if record.outputs else f"{RECORD} declares no artefact"


def damage(folder: str | Path, record: Record, hashes: FileHashes) -> str | None:
    """Say which artefact is not what the record says, or None when all are whole."""
    for name, facts in record.outputs.items():
        path = f"{folder}/{name}"
        try:
            if hashes.sha256(path) != facts["sha256"]:
                rotted = "has rotted: nobody wrote to it, but the disk gives other bytes"
                return f"{name} {rotted if path in hashes.rotted else 'was changed by hand'}"
        except OSError:
            return f"{name} is missing"
    return None
