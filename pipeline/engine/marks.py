"""What doit's users told it to keep in mind of tasks: an empty file for each, in a folder that is there when one is."""

import contextlib
import os
from pathlib import Path


class Marks:
    """The names of the tasks that are marked in one way; to mark and to unmark is one step on the disk."""

    def __init__(self, folder: Path) -> None:
        """Keep the marks in a folder, which need not be there."""
        self._folder = folder

    def names(self) -> frozenset[str]:
        """Return the names of the tasks that are marked now."""
        try:
            return frozenset(os.listdir(self._folder))
        except OSError:
            return frozenset()

    def add(self, task: str) -> None:
        """Mark a task; raises OSError where nothing can be written."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / task).touch()

    def remove(self, task: str) -> None:
        """Take the mark of a task away, if it has one."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            (self._folder / task).unlink()
