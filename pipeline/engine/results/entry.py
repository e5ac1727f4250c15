"""An entry of a store that others may write to: what it has to be before a byte of it is believed.

It is a folder of regular files: the record, the artefacts that the record declares, perhaps a signature, and nothing
else. The digest of the record is part of the folder's name, the digests of the artefacts part of the record. All is
read through descriptors that follow no link: nobody can put another file in the place of one that was looked at.
"""

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipeline.engine.results.record import NAME, RECORD, BrokenRecordError, Output, Record, decode_record, misfit
from pipeline.engine.results.signature import MOST_BYTES, SIGNATURE, is_signed
from pipeline.engine.results.untrusted import (
    RefusedError,
    check_regular,
    files_below,
    opened_below,
    opened_folder,
    reading,
    small_file,
)

MOST_RECORD_BYTES = 16 * 2**20
"""A record has some kilobytes."""
_CHUNK = 2**20


@dataclass(frozen=True)
class Entry:
    """An entry that is what its name says; the bytes of its artefacts are compared as they are read."""

    content: bytes
    """Of its ``stage.json``."""
    record: Record
    _folder: int
    """Its descriptor."""

    def copy(self, into: Path) -> None:
        """Copy record and artefacts into a new folder; what is compared is what is written.

        Raises:
            RefusedError: an artefact is not what the record declares, or can't be read.
            OSError: the copy can't be written.

        """
        into.mkdir()
        for name, declared in self.record.outputs.items():
            copy = into / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            with copy.open("xb") as file:
                for chunk in self._chunks(name, declared):
                    file.write(chunk)
            copy.chmod(0o444)
        (into / RECORD).write_bytes(self.content)

    def verify(self) -> None:
        """Compare every byte of the artefacts.

        Raises:
            RefusedError: an artefact is not what the record declares, or can't be read.

        """
        for name, declared in self.record.outputs.items():
            for _ in self._chunks(name, declared):
                pass

    def _chunks(self, name: str, declared: Output) -> Iterator[bytes]:
        """Read an artefact of the declared size and not a byte more; the digest is compared at its end."""
        left, read = declared["bytes"], hashlib.sha256()
        with reading(name), opened_below(self._folder, name) as file:
            while chunk := os.read(file, min(left + 1, _CHUNK)):
                left -= len(chunk)
                if left < 0:
                    break
                read.update(chunk)
                yield chunk
        if left or read.hexdigest() != declared["sha256"]:
            message = f"{name} was altered"
            raise RefusedError(message)


@contextlib.contextmanager
def opened(folder: Path, name: str, key: bytes | None = None, *, closed: bool = True) -> Iterator[Entry]:
    """Open an entry, and compare all but the bytes of its artefacts.

    Args:
        folder: of the entry.
        name: what the entry has to be: its key, a dot, and the SHA-256 of its record.
        key: the team's, with which it has to be signed; None to do without.
        closed: whether files that the record does not declare are a reason to refuse it.

    Raises:
        RefusedError: it is not what its name says.
        GoneError: there is no such folder (any more).

    """
    named = NAME.fullmatch(name)
    if named is None:
        message = "its name holds no digest of its record"
        raise RefusedError(message)
    with opened_folder(folder) as handle:
        content = small_file(handle, RECORD, MOST_RECORD_BYTES)
        if hashlib.sha256(content).hexdigest() != named["content"]:
            message = f"{RECORD} was altered"
            raise RefusedError(message)
        if key is not None:
            _check_signature(handle, key, content)
        record = _record(content, named["key"])
        with reading("it"):
            _check_files(handle, record.outputs, closed=closed)
        yield Entry(content, record, handle)


def _check_signature(folder: int, key: bytes, content: bytes) -> None:
    try:
        signature = small_file(folder, SIGNATURE, MOST_BYTES)
    except RefusedError:
        signature = b""
    if not is_signed(key, content, signature):
        message = "it is not signed with the key of UNROLL_CACHE_KEY"
        raise RefusedError(message, damaged=False)


def _record(content: bytes, key: str) -> Record:
    try:
        record = decode_record(content)
    except BrokenRecordError as error:
        raise RefusedError(str(error)) from None
    if why := misfit(record, key):
        raise RefusedError(why)
    if {RECORD, SIGNATURE} & record.outputs.keys():
        message = f"{RECORD} declares itself or the signature as an artefact"
        raise RefusedError(message)
    return record


def _check_files(folder: int, outputs: Mapping[str, Output], *, closed: bool) -> None:
    folders = {parent.as_posix() for name in outputs for parent in PurePosixPath(name).parents}
    missing = set(outputs)
    for name, facts in files_below(folder, folders):
        if name in outputs:
            check_regular(name, facts)
            _check_size(name, facts, outputs[name]["bytes"])
            missing.remove(name)
        elif name in {RECORD, SIGNATURE}:
            check_regular(name, facts)
        elif closed:
            message = f"it holds {name!a}, which {RECORD} does not declare"
            raise RefusedError(message)
    if missing:
        message = f"{min(missing)} is missing"
        raise RefusedError(message)


def _check_size(name: str, facts: os.stat_result, size: int) -> None:
    if facts.st_size != size:
        message = f"{name} has {facts.st_size:,} bytes in place of {size:,}"
        raise RefusedError(message)
