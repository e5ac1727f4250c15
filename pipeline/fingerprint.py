"""What went in, as digests: files (remembered, so that a no-op hashes nothing), sources, tool versions."""

import hashlib
import json
import os
import re
import sys
import threading
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from pipeline.folders import BUILD

PACKAGE = Path(__file__).parent


class FileHashes:
    """sha256 of files, kept between runs while a file's size, times and inode stay the same.

    The change time is part of it because ``cp -p`` and ``tar`` can bring other content under
    the same size and modification time.
    """

    def __init__(self, memory: Path) -> None:
        """Remember in the file ``memory``; one that is missing or damaged only costs time."""
        self._memory = memory
        self._changing = threading.Lock()
        """Stages that end at the same time, in threads of one build, tell what they made."""
        self._known: dict[str, list[Any]] = {}
        self._changed = False
        try:
            known = msgspec.json.decode(memory.read_bytes())
            self._known = known if isinstance(known, dict) else {}
        except (OSError, ValueError):
            pass

    def sha256(self, path: str | Path) -> str:
        """Return the hex digest of a file's content; raises OSError as open() does."""
        return str(self._entry(os.fspath(path))[-1])

    def size(self, path: str | Path) -> int:
        """Return a file's size in bytes."""
        return int(self._entry(os.fspath(path))[0])

    def _entry(self, name: str) -> list[Any]:
        found = os.stat(name)
        facts = [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]
        entry = self._known.get(name)
        if entry is None or entry[:-1] != facts:
            with open(name, "rb") as file:
                entry = [*facts, hashlib.file_digest(file, "sha256").hexdigest()]
            with self._changing:
                self._known[name] = entry
                self._changed = True
        return entry

    def moved(self, old: Path, new: Path) -> None:
        """Keep what is known of a folder's files when the folder is renamed."""
        prefix = f"{old}{os.sep}"
        with self._changing:
            for name in [name for name in self._known if name.startswith(prefix)]:
                self._known[os.path.join(new, name.removeprefix(prefix))] = self._known.pop(name)

    def save(self) -> None:
        """Write what was learned, if anything; a disk that refuses only costs time later."""
        with self._changing:
            if not self._changed:
                return
            self._known = {name: entry for name, entry in self._known.items() if os.path.exists(name)}
            scratch = self._memory.with_name(f"{self._memory.name}.{os.getpid()}")
            try:
                scratch.write_bytes(msgspec.json.encode(self._known))
                scratch.replace(self._memory)
            except OSError:
                scratch.unlink(missing_ok=True)
            self._changed = False


@cache
def file_hashes() -> FileHashes:
    """Return the memory of this build folder."""
    return FileHashes(BUILD / "hashes.json")


@cache
def _installed() -> dict[str, str]:
    """Return distribution -> version, from the names of the installed ``.dist-info`` folders.

    importlib.metadata would parse each tool's METADATA for it, a fifth of a no-op's time.
    """
    versions: dict[str, str] = {}
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        for name in names:
            if name.endswith(".dist-info"):
                distribution, _, version = name.removesuffix(".dist-info").partition("-")
                versions.setdefault(_normalized(distribution), version)
    return versions


def _normalized(distribution: str) -> str:
    """Write a distribution's name as packaging.python.org's name normalization says."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def tool_version(distribution: str) -> str:
    """Return the installed version of a tool, ``missing`` if there is none.

    ``tensorflow-cpu`` counts as ``tensorflow``: the same version and results, built without CUDA.
    """
    installed = _installed()
    return installed.get(distribution) or installed.get(f"{distribution}-cpu", "missing")


@cache
def source_digests(sources: tuple[str, ...]) -> dict[str, str]:
    """Return ``pipeline/...`` -> sha256 for files of ours."""
    return {f"pipeline/{source}": file_hashes().sha256(PACKAGE / source) for source in sources}


def forget_sources_and_tools() -> None:
    """Look at our sources and the installed tools anew: who watches all day sees them change."""
    source_digests.cache_clear()
    _installed.cache_clear()


def digest(value: Any) -> str:
    """Return a short digest of a value of JSON types."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
