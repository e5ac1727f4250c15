"""The results that a stage reads, read whole once to see that they are what the result's key is made of.

What is remembered of a file's size and times tells nothing of a disk that lost bits. Nothing heavy is loaded here.
"""

import contextlib
import hashlib
import threading
from collections.abc import Mapping
from pathlib import Path

from pipeline.engine.digests.fingerprint import identity


class Artefacts:
    """Hashes files in a thread, while the stage's libraries are loaded."""

    def __init__(self, files: Mapping[str, tuple[Path, str]]) -> None:
        """Begin to read.

        Args:
            files: what a file is called in messages -> where it is, and the sha256 of what it should hold.

        """
        self._files = files
        self._seen: dict[str, tuple[int, ...]] = {}
        self._changed: list[str] = []
        self._thread = threading.Thread(target=self._read_all, daemon=True)
        self._thread.start()

    def changed(self) -> list[str]:
        """Wait until all is read; return what was not right then, or was written since."""
        self._thread.join()
        for name, (path, _) in self._files.items():
            if name not in self._changed and self._seen[name] != _identity(path):
                self._read(name)
        return self._changed

    def _read_all(self) -> None:
        for name in self._files:
            self._read(name)

    def _read(self, name: str) -> None:
        path, sha256 = self._files[name]
        self._seen[name] = _identity(path)
        with contextlib.suppress(OSError), path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == sha256:
                return
        self._changed.append(name)


def _identity(path: Path) -> tuple[int, ...]:
    try:
        return identity(path.stat())
    except OSError:
        return ()
