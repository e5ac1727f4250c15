"""The second store, which ``UNROLL_CACHE`` names: on a shared disk, written to by others, and not believed.

What comes from there counts once every byte was checked (``pipeline.engine.results.entry``). An entry that is damaged
is removed where we may, so that the result which is made here takes its place. What does not work is said and only
makes a build slower.
"""

import contextlib
import errno
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.engine.results import signature
from pipeline.engine.results.entry import Entry, opened
from pipeline.engine.results.listing import by_key
from pipeline.engine.results.record import NAME, RECORD, Record, name_of
from pipeline.engine.results.untrusted import GoneError, RefusedError

Warn = Callable[[str], None]
"""Is given a sentence for the user; the same one more than once where it holds for more than one result."""

_HALF, _GONE = ".half.", ".gone."
"""How the names of what is being copied, and of what is being removed, begin."""
_LEFT_BEHIND_SECONDS = 86400
"""After which nobody is at work any more on what is half copied or half removed."""


@dataclass(frozen=True)
class SharedStore:
    """A store that others may write to."""

    folder: Path
    key: bytes | None
    """The team's; entries that are not signed with it are refused."""
    warn: Warn

    def names(self, key: str) -> list[str]:
        """Return the names of a key's entries, the newest first; an empty store need not be there yet."""
        try:
            self.folder.parent.stat()
            with contextlib.suppress(FileNotFoundError):
                homes = sorted(by_key(self.folder).get(key, []), key=_changed, reverse=True)
                names = [home.name for home in homes if NAME.fullmatch(home.name)]
                if homes and not names:
                    why = "their names hold no digest of what they say"
                    self.warn(f"results of Unroll 0.1 in UNROLL_CACHE={self.folder} are refused: {why}")
                return names
        except OSError as error:
            self._warn_of(error)
        return []

    def fetch(self, name: str, into: Path) -> Record | None:
        """Copy an entry into a new folder, or say why it is refused.

        Returns:
            Its record, or None if there is nothing to be had from it.

        Raises:
            OSError: the copy can't be written.

        """
        seen = _identity(self.folder / name)
        try:
            with opened(self.folder / name, name, self.key) as entry:
                if entry.record.is_stand_in:
                    return None
                _check_space(entry, into.parent)
                entry.copy(into)
                return entry.record
        except RefusedError as error:
            self._refuse(name, seen, error)
        except GoneError:
            pass  # somebody has removed it, or replaces it just now
        shutil.rmtree(into, ignore_errors=True)
        return None

    def feed(self, home: Path) -> None:
        """Put a result of this project's store into this one, unless it is there already."""
        try:
            name = name_of(home.name.partition(".")[0], (home / RECORD).read_bytes())
        except OSError as error:
            self.warn(f"{home} is not shared: {RECORD} can't be read: {error.strerror}")
            return
        try:
            with opened(home, name, closed=False) as entry:
                if not entry.record.is_stand_in:
                    self._add(name, entry)
        except (RefusedError, GoneError) as error:
            self.warn(f"{home} is not shared: {error}")
        except OSError as error:
            self._warn_of(error)

    def _add(self, name: str, entry: Entry) -> None:
        with contextlib.suppress(FileExistsError):
            self.folder.mkdir()  # without its parents: they are there, or a disk is not mounted
        self._sweep()
        if any(self._holds(other, entry.record) for other in self.names(entry.record.key)):
            return
        # Not named by pid: every container has the same ones.
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=_HALF, ignore_cleanup_errors=True) as half:
            result = Path(half, "result")
            entry.copy(result)
            if self.key is not None:
                (result / signature.SIGNATURE).write_bytes(signature.sign(self.key, entry.content))
            self._open_to_who_may(result)
            self._move_in(result, self.folder / name)

    def _move_in(self, result: Path, home: Path) -> None:
        if os.path.lexists(home):  # refused, but not removed: it has no signature, for one
            self._remove(home)
        try:
            result.rename(home)
        except OSError as error:
            if error.errno not in {errno.EEXIST, errno.ENOTEMPTY}:  # else another build was first
                raise

    def _holds(self, name: str, record: Record) -> bool:
        """Tell whether an entry is whole and says the same as a record; one that is damaged is removed."""
        seen = _identity(self.folder / name)
        try:
            with opened(self.folder / name, name, self.key) as entry:
                if entry.record.outcome != record.outcome:
                    return False
                entry.verify()
        except RefusedError as error:
            self._refuse(name, seen, error)
            return False
        except GoneError:
            return False
        return True

    def _open_to_who_may(self, result: Path) -> None:
        """Let those read, and remove, a result who may do so in the store's folder, whatever the umask is."""
        store = self.folder.stat()
        mode = stat.S_IMODE(store.st_mode)
        for path in [result, *result.rglob("*")]:
            if path.stat().st_gid != store.st_gid:
                with contextlib.suppress(PermissionError):
                    os.chown(path, -1, store.st_gid)
            path.chmod(mode & 0o3777 | 0o700 if path.is_dir() else mode & 0o444 | 0o400)

    def _refuse(self, name: str, seen: tuple[int, int] | None, error: RefusedError) -> None:
        """Say that an entry is refused, and remove it if it is of use to nobody and we may."""
        path = self.folder / name
        if seen is None or _identity(path) != seen:
            return  # somebody else has removed or replaced it meanwhile
        removed = f"; {self._removed(path)}" if error.damaged else ""
        self.warn(f"a shared result is refused, {path}: {error}{removed}")

    def _removed(self, home: Path) -> str:
        """Remove an entry, and say whether that went well."""
        try:
            self._remove(home)
        except OSError as error:
            return f"can't be removed: {error.strerror or error}"
        return "removed"

    def _remove(self, home: Path) -> None:
        """Take an entry out of sight in one step; within the folder, which takes no rights to the entry itself."""
        gone = home.with_name(f"{_GONE}{os.urandom(8).hex()}")
        with contextlib.suppress(FileNotFoundError):
            home.rename(gone)
            _delete(gone)

    def _sweep(self) -> None:
        """Delete what builds that were killed have left behind."""
        with os.scandir(self.folder) as listed:
            for each in listed:
                if each.name.startswith((_HALF, _GONE)):
                    with contextlib.suppress(OSError):
                        if time.time() - each.stat(follow_symlinks=False).st_mtime > _LEFT_BEHIND_SECONDS:
                            _delete(Path(each.path))

    def _warn_of(self, error: OSError) -> None:
        self.warn(f"UNROLL_CACHE={self.folder} can't be used: {error.strerror or error}; the build is only slower")


def shared_store(warn: Warn) -> SharedStore | None:
    """Return the second store that ``UNROLL_CACHE`` names, if it does and nothing that it needs is missing."""
    named = os.environ.get("UNROLL_CACHE")
    if not named:
        return None
    try:
        return SharedStore(Path(named), signature.team_key(), warn)
    except signature.SigningKeyError as error:
        warn(f"{error}; the shared store is not used")
        return None


def _check_space(entry: Entry, folder: Path) -> None:
    size = sum(declared["bytes"] for declared in entry.record.outputs.values())
    free = shutil.disk_usage(folder).free
    if size > free:
        message = f"it takes {size:,} bytes, and {free:,} are free here"
        raise RefusedError(message, damaged=False)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        facts = path.lstat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino


def _changed(path: Path) -> int:
    try:
        return path.lstat().st_mtime_ns
    except OSError:
        return 0


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
