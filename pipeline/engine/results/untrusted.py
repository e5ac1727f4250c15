"""Folders that others may write to, read so that nobody can put another file in the place of one that was looked at.

All is opened through descriptors that follow no link, and only regular files are read.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import UnrollError

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


@contextlib.contextmanager
def opened_folder(folder: Path) -> Iterator[int]:
    """Open a folder; yield its descriptor.

    Raises:
        RefusedError: it is no folder, or can't be read.
        GoneError: there is nothing of the kind (any more).

    """
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
def opened_below(folder: int, name: str, flags: int = 0) -> Iterator[int]:
    """Open a file by its path below a folder, on which no part may be a link."""
    *parents, last = name.split("/")
    with contextlib.ExitStack() as stack:
        for parent in parents:
            folder = stack.enter_context(opened_below(folder, parent, os.O_DIRECTORY))
        handle = os.open(last, _READ | flags, dir_fd=folder)
        stack.callback(os.close, handle)
        yield handle


def files_below(folder: int, folders: set[str], within: str = "") -> Iterator[tuple[str, os.stat_result]]:
    """List what a folder holds, and what the folders in it hold that may be there."""
    with os.scandir(folder) as listed:
        for each in listed:
            name, facts = within + each.name, each.stat(follow_symlinks=False)
            if stat.S_ISDIR(facts.st_mode) and name in folders:
                with opened_below(folder, each.name, os.O_DIRECTORY) as inner:
                    yield from files_below(inner, folders, f"{name}/")
            else:
                yield name, facts


def check_regular(name: str, facts: os.stat_result) -> None:
    """Refuse what is no regular file; raises RefusedError."""
    if not stat.S_ISREG(facts.st_mode):
        kind = next((words for holds, words in _KINDS if holds(facts.st_mode)), "a device")
        message = f"{name} is {kind} in place of a file"
        raise RefusedError(message)


def small_file(folder: int, name: str, most: int) -> bytes:
    """Return the content of a file that has at most so many bytes."""
    with reading(name):
        try:
            facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            message = f"{name} is missing"
            raise RefusedError(message) from None
        check_regular(name, facts)
        if facts.st_size > most:
            message = f"{name} has {facts.st_size:,} bytes; at most {most:,} are read"
            raise RefusedError(message)
        with opened_below(folder, name) as file, os.fdopen(os.dup(file), "rb") as stream:
            content = stream.read(most + 1)
    if len(content) != facts.st_size:
        message = f"{name} was altered while it was read"
        raise RefusedError(message, damaged=False)
    return content


@contextlib.contextmanager
def reading(what: str) -> Iterator[None]:
    """Say of an error of the disk that an entry can't be read; it may be whole all the same."""
    try:
        yield
    except OSError as error:
        raise _unreadable(what, error) from None


def _unreadable(what: str, error: OSError) -> RefusedError:
    remedy = "; who made it can open it with chmod -R a+rX" if isinstance(error, PermissionError) else ""
    return RefusedError(f"{what} can't be read: {error.strerror or error}{remedy}", damaged=False)
