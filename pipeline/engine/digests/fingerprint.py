"""Digests of files, remembered so that a no-op hashes nothing, and of values."""

import hashlib
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import msgspec

PACKAGE = Path(__file__).parents[2]


SETTLED_NS = 50_000_000
"""What changed so recently may change again under the same times."""


_CTIME = 2
"""Which number of an identity is the change time."""


def identity(found: os.stat_result) -> tuple[int, int, int, int]:
    """Return what changes whenever a file is written, replaced or renamed.

    The change time is part of it because ``cp -p`` and ``tar`` can bring other content under
    the same size and modification time.
    """
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


class FileHashes:
    """sha256 of files, kept between runs while a file's size, times and inode stay the same."""

    def __init__(self, memory: Path, root: Path = Path()) -> None:
        """Remember in the file ``memory``; one that is missing or damaged only costs time.

        Args:
            memory: what another process learned of the same project, and what this one will.
            root: of the project, from which the paths in the memory start that are relative.

        """
        self._memory = memory
        self._root = root
        self._changing = threading.Lock()
        """Stages that end at the same time, in threads of one build, tell what they made."""
        self._known: dict[str, list[Any]] = {}
        self._changed = False
        self._doubted: dict[str, list[Any]] = {}
        self.rotted: set[str] = set()
        """Files that hold other bytes than before although nobody wrote to them, as far as ``read_again`` saw."""
        try:
            known = msgspec.json.decode(memory.read_bytes())
            self._known = known if isinstance(known, dict) else {}
        except (OSError, ValueError):
            pass

    def sha256(self, path: str | Path, *, just_made: bool = False) -> str:
        """Return the hex digest of a file's content; raises OSError as open() does.

        Args:
            path: of the file.
            just_made: it was written this moment, by us, and will not be written again.

        """
        return str(self._entry(os.fspath(path), just_made=just_made)[-1])

    def size(self, path: str | Path) -> int:
        """Return a file's size in bytes."""
        return int(self._entry(os.fspath(path))[0])

    def _entry(self, name: str, *, just_made: bool = False) -> list[Any]:
        facts = list(identity(os.stat(name)))
        entry = self._known.get(name)
        if entry is None or entry[:-1] != facts:
            settled = just_made or time.time_ns() - facts[_CTIME] > SETTLED_NS
            with open(name, "rb") as file:
                entry = [*facts, hashlib.file_digest(file, "sha256").hexdigest()]
            with self._changing:
                doubted = self._doubted.pop(name, entry)
                if doubted[:-1] == facts and doubted != entry:
                    self.rotted.add(name)
                if settled:
                    self._known[name] = entry
                    self._changed = True
        return entry

    def read_again(self) -> None:
        """Believe nothing that is remembered: every file is read once more when it is asked for."""
        with self._changing:
            self._doubted |= self._known
            self._known = {}

    def forget(self, path: str | Path) -> None:
        """Believe nothing that is remembered of a file, or of the files in a folder."""
        place = os.fspath(path)
        with self._changing:
            for name in [name for name in self._known if name == place or name.startswith(f"{place}{os.sep}")]:
                del self._known[name]
                self._changed = True

    def moved(self, old: Path, new: Path) -> None:
        """Keep what is known of a folder's files when the folder is renamed."""
        prefix = f"{old}{os.sep}"
        with self._changing:
            for name in [name for name in self._known if name.startswith(prefix)]:
                self._known[os.path.join(new, name.removeprefix(prefix))] = self._known.pop(name)

    def _is_there(self, name: str) -> bool:
        return os.path.exists(os.path.join(self._root, name))

    def save(self) -> None:
        """Write what was learned, if anything; a disk that refuses only costs time later."""
        with self._changing:
            if not self._changed:
                return
            self._known = {name: entry for name, entry in self._known.items() if self._is_there(name)}
            doubted = {name: entry for name, entry in self._doubted.items() if self._is_there(name)}
            scratch = self._memory.with_name(f"{self._memory.name}.{os.getpid()}")
            try:
                scratch.write_bytes(msgspec.json.encode(doubted | self._known))
                scratch.replace(self._memory)
            except OSError:
                scratch.unlink(missing_ok=True)
            self._changed = False


def digest(value: Any) -> str:
    """Return a short digest of a value of JSON types."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
