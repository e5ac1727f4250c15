"""An entry of a store that others may write to: what it has to be before a byte of it is believed.

It is a folder of regular files: the record, the artefacts that the record declares, perhaps a signature, and nothing
else. The digest of the record is part of the folder's name, the digests of the artefacts part of the record. All is
read through descriptors that follow no link: nobody can put another file in the place of one that was looked at.
"""

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipeline.engine.results.record import NAME, RECORD, BrokenRecordError, Output, Record, decode_record, misfit
from pipeline.engine.results.signature import MOST_BYTES, SIGNATURE, is_signed
from pipeline.errors import UnrollError

MOST_RECORD_BYTES = 16 * 2**20
"""A record has some kilobytes."""
_CHUNK = 2**20
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
"""A named pipe that was put in the place of a file must not let us wait for who writes to it."""
_KINDS = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
)


class RefusedError(UnrollError):
    """An entry that is not believed, and why."""

    def __init__(self, why: str, *, damaged: bool = True) -> None:
        """Take why, and whether the entry is of use to nobody: it may be unreadable, or unsigned, for us alone."""
        super().__init__(why)
        self.damaged = damaged


class GoneError(UnrollError):
    """There is no such entry (any more)."""


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
        with _reading(name), _open(self._folder, name) as file:
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
    with _opened_folder(folder) as handle:
        content = _small_file(handle, RECORD, MOST_RECORD_BYTES)
        if hashlib.sha256(content).hexdigest() != named["content"]:
            message = f"{RECORD} was altered"
            raise RefusedError(message)
        if key is not None:
            _check_signature(handle, key, content)
        record = _record(content, named["key"])
        with _reading("it"):
            _check_files(handle, record.outputs, closed=closed)
        yield Entry(content, record, handle)


def _check_signature(folder: int, key: bytes, content: bytes) -> None:
    try:
        signature = _small_file(folder, SIGNATURE, MOST_BYTES)
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
    for name, facts in _listed(folder, folders):
        if name in outputs:
            _check_regular(name, facts)
            _check_size(name, facts, outputs[name]["bytes"])
            missing.remove(name)
        elif name in {RECORD, SIGNATURE}:
            _check_regular(name, facts)
        elif closed:
            message = f"it holds {name!a}, which {RECORD} does not declare"
            raise RefusedError(message)
    if missing:
        message = f"{min(missing)} is missing"
        raise RefusedError(message)


def _listed(folder: int, folders: set[str], within: str = "") -> Iterator[tuple[str, os.stat_result]]:
    """List what a folder holds, and what the folders in it hold that may be there."""
    with os.scandir(folder) as listed:
        for each in listed:
            name, facts = within + each.name, each.stat(follow_symlinks=False)
            if stat.S_ISDIR(facts.st_mode) and name in folders:
                with _open(folder, each.name, os.O_DIRECTORY) as inner:
                    yield from _listed(inner, folders, f"{name}/")
            else:
                yield name, facts


def _check_regular(name: str, facts: os.stat_result) -> None:
    if not stat.S_ISREG(facts.st_mode):
        kind = next((words for holds, words in _KINDS if holds(facts.st_mode)), "a device")
        message = f"{name} is {kind} in place of a file"
        raise RefusedError(message)


def _check_size(name: str, facts: os.stat_result, size: int) -> None:
    if facts.st_size != size:
        message = f"{name} has {facts.st_size:,} bytes in place of {size:,}"
        raise RefusedError(message)


def _small_file(folder: int, name: str, most: int) -> bytes:
    """Return the content of a file that has at most so many bytes."""
    with _reading(name):
        try:
            facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            message = f"{name} is missing"
            raise RefusedError(message) from None
        _check_regular(name, facts)
        if facts.st_size > most:
            message = f"{name} has {facts.st_size:,} bytes; at most {most:,} are read"
            raise RefusedError(message)
        with _open(folder, name) as file, os.fdopen(os.dup(file), "rb") as stream:
            content = stream.read(most + 1)
    if len(content) != facts.st_size:
        message = f"{name} was altered while it was read"
        raise RefusedError(message, damaged=False)
    return content


@contextlib.contextmanager
def _opened_folder(folder: Path) -> Iterator[int]:
    try:
        handle = os.open(folder, _READ | os.O_DIRECTORY)
    except FileNotFoundError:
        message = "it is gone"
        raise GoneError(message) from None
    except OSError as error:
        if error.errno not in {errno.ENOTDIR, errno.ELOOP}:
            raise _unreadable(folder.name, error) from None
        message = "it is not a folder"
        raise RefusedError(message) from None
    try:
        yield handle
    finally:
        os.close(handle)


@contextlib.contextmanager
def _open(folder: int, name: str, flags: int = 0) -> Iterator[int]:
    """Open a file by its path below a folder, on which no part may be a link."""
    *parents, last = name.split("/")
    with contextlib.ExitStack() as stack:
        for parent in parents:
            folder = stack.enter_context(_open(folder, parent, os.O_DIRECTORY))
        handle = os.open(last, _READ | flags, dir_fd=folder)
        stack.callback(os.close, handle)
        yield handle


@contextlib.contextmanager
def _reading(what: str) -> Iterator[None]:
    """Say of an error of the disk that an entry can't be read; it may be whole all the same."""
    try:
        yield
    except OSError as error:
        raise _unreadable(what, error) from None


def _unreadable(what: str, error: OSError) -> RefusedError:
    remedy = "; who made it can open it with chmod -R a+rX" if isinstance(error, PermissionError) else ""
    return RefusedError(f"{what} can't be read: {error.strerror or error}{remedy}", damaged=False)
