"""The user's own files, copied before a stage starts: it works on what was hashed, whatever is saved meanwhile.

A copy rather than a second look at the end: a file, a folder on its path or a link may be exchanged and put back, and
a network's disk may show the old times for seconds. It costs a data set of 1 GB some seconds, and a model nothing.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from pipeline.section import OwnFile

CHUNK_BYTES = 1 << 20
MISSING = "missing"
"""What stands in place of the digest of a file that can't be read."""


class Copies:
    """The copies of a job's own files, and which of these were not what the key is made of."""

    def __init__(
        self, files: Sequence[OwnFile], config: Mapping[str, Any], digests: Mapping[str, str], folder: Path
    ) -> None:
        """Copy what is there.

        Args:
            files: the user's own.
            config: the job's part of the experiment.
            digests: what a file is called in the job's inputs -> its sha256 when the key was made, or that it missed.
            folder: where to make the copies.
            root: of the project, where the paths in ``config`` start.

        Raises:
            OSError: a file can't be read to its end, or a copy can't be written.

        """
        self.changed: list[str] = []
        """What the files are called that are no longer what they were."""
        self.missing: list[str] = []
        """Those that can't be opened. The stage says so in its own words; if it reads one after all, it came since."""
        self.shown_as: dict[str, str] = {}
        """Path of a copy -> path of the file, for whatever is told of it."""
        self.config = {title: dict(section) for title, section in config.items()}
        """The job's part of the experiment, with the copies in place of the files."""
        for number, file in enumerate(files):
            copy = folder / str(number) / file.path.name  # what is read may depend on how the name ends
            sha256 = _copied(file.place, copy)
            if sha256 != digests[file.name]:
                self.changed.append(file.name)
            if sha256 == MISSING:
                self.missing.append(file.name)
            else:
                self.config[file.section][file.key] = copy.as_posix()
                self.shown_as[copy.as_posix()] = file.path.as_posix()


def _copied(path: Path, copy: Path) -> str:
    """Copy a file; return the sha256 of the copy's content, or that the file can't be opened."""
    try:
        source = path.open("rb")
    except OSError:
        return MISSING
    hashed = hashlib.sha256()
    copy.parent.mkdir(parents=True)
    with source, copy.open("wb") as target:
        for chunk in _chunks(source, path):
            hashed.update(chunk)
            target.write(chunk)
    return hashed.hexdigest()


def _chunks(source: IO[bytes], path: Path) -> Iterator[bytes]:
    try:
        while chunk := source.read(CHUNK_BYTES):
            yield chunk
    except OSError as error:
        error.filename = str(path)  # reading does not say of what
        raise
