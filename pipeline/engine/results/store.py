"""Where results live: atomic publishing, restoring an earlier result, pruning.

A result is a folder ``build/.store/<key>.<content>``: ``key`` is the digest of what went in,
``content`` that of its record. ``build/<experiment>/<stage>`` is a relative symlink to it.
The second store, which is shared, is ``pipeline.engine.results.shared_store``.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pipeline.engine.digests.fingerprint import FileHashes
from pipeline.engine.results.disk import on_disk, on_disk_all
from pipeline.engine.results.listing import by_key
from pipeline.engine.results.record import (
    RECORD,
    BrokenRecordError,
    Output,
    Record,
    damage,
    encode_record,
    misfit,
    name_of,
    read_record,
)
from pipeline.engine.results.shared_store import Warn, shared_store

SHOWN = ("*/*", "*/vela/*", "*/verify/*", "*/matrix/*", "*/grid/*/*", "*/grid/*/vela/*")
"""Where results show in ``build/``."""


def resolve(link: Path) -> Path:
    """Follow a result's link one step, staying relative to the project's root."""
    try:
        return Path(os.path.normpath(link.parent / os.readlink(link)))
    except OSError:
        return link


class Store:
    """The results of one project."""

    def __init__(self, folder: Path, hashes: FileHashes) -> None:
        """Keep results in a folder, and show them in the folder around it."""
        self.folder = folder
        self._scratch = folder / "scratch"
        self._hashes = hashes

    def records(self) -> list[Record]:
        """Read every result that a store holds; what can't be read is passed over."""
        found = []
        for folders in self._by_key().values():
            for folder in folders:
                with contextlib.suppress(OSError, BrokenRecordError):
                    found.append(read_record(folder))
        return found

    def find(self, key: str) -> Path | None:
        """Return the newest remembered result of a key."""
        return next(iter(self._found(key)), None)

    def _found(self, key: str) -> list[Path]:
        """Return the remembered results of a key, the newest first."""
        found = [path for path in self._by_key().get(key, ()) if path.exists()]
        return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)

    def _by_key(self) -> dict[str, list[Path]]:
        try:
            return by_key(self.folder)
        except OSError:
            return {}

    @contextlib.contextmanager
    def scratch_folder(self) -> Iterator[Path]:
        """Make a folder inside the store to work in, gone afterwards whatever happens."""
        self._scratch.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=self._scratch))
        folder.chmod(0o755)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def describe_outputs(self, folder: Path) -> dict[str, Output]:
        """Return sha256 and size of every file of a finished result, which is read-only from now on."""
        hashes = self._hashes
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        for path in files:
            path.chmod(0o444)  # an artefact edited in place would be remembered wrong
        return {
            path.relative_to(folder).as_posix(): {
                "sha256": hashes.sha256(path, just_made=True),
                "bytes": hashes.size(path),
            }
            for path in files
        }

    def publish(self, folder: Path, record: Record, link: Path) -> None:
        """Move a finished scratch folder into the store and let the link show it.

        Each step is one rename, so a kill leaves the old result or the new one. Before each step, what it relies
        on is on the disk, so that a crash of the machine does no worse.
        """
        home = self._same_result(record)
        if home is None:
            content = encode_record(record)
            (folder / RECORD).write_bytes(content)
            home = self.folder / name_of(record.key, content)
            self._move_in(folder, home)
        self.show(home, link)

    def _same_result(self, record: Record) -> Path | None:
        """Return the remembered result with the same outcome, if there is one; damaged ones are discarded."""
        for home in self._found(record.key):
            if (kept := self._whole(home, record.key)) and kept.outcome == record.outcome:
                return home
        return None

    def _whole(self, home: Path, key: str) -> Record | None:
        """Return the record of a remembered result, or discard it if it is damaged or not that of its key."""
        with contextlib.suppress(FileNotFoundError, BrokenRecordError):
            record = read_record(home)
            if not (misfit(record, key) or damage(home, record, self._hashes)):
                return record
        self.discard(home)
        return None

    def _move_in(self, folder: Path, home: Path) -> None:
        """Let a finished folder take its place in the store, all of it on the disk; a whole one that is there stays."""
        on_disk_all(folder)
        try:
            folder.rename(home)
        except OSError:
            if not home.exists():
                raise
        else:
            on_disk(self.folder)
            self._hashes.moved(folder, home)

    def show(self, home: Path, link: Path) -> None:
        """Point a result's link at a folder of the store in one step, and mark it as used."""
        link.parent.mkdir(parents=True, exist_ok=True)
        if link.is_dir() and not link.is_symlink():
            self.discard(link)  # a copy of a build folder may hold real folders where links were
        scratch = link.with_name(f".{link.name}.{os.getpid()}")
        scratch.unlink(missing_ok=True)
        scratch.symlink_to(os.path.relpath(home, link.parent))
        scratch.replace(link)
        on_disk(link.parent)
        os.utime(home)

    def restore(self, key: str, link: Path, warn: Warn = lambda sentence: None) -> Record | None:  # noqa: ARG005
        """Bring back the remembered result of a key, from here or from the shared store.

        A remembered result that is damaged is discarded; one that stands in for data that could
        not be had is not brought back, since the data may be there now.

        Args:
            key: the digest of what goes in.
            link: where the result is to show.
            warn: is told in sentences what is wrong with the shared store.

        """
        for home in self._found(key):
            record = self._whole(home, key)
            if record and not record.is_stand_in:
                self.show(home, link)
                return record
        return self._fetch_shared(key, link, warn)

    def _fetch_shared(self, key: str, link: Path, warn: Warn) -> Record | None:
        shared = shared_store(warn)
        for name in shared.names(key) if shared else ():
            with self.scratch_folder() as scratch:
                if shared and (record := shared.fetch(name, scratch / "result")):
                    self._move_in(scratch / "result", self.folder / name)
                    self.show(self.folder / name, link)
                    return record
        return None

    def feed_shared(self, link: Path, warn: Warn) -> None:
        """Copy a fresh result into the shared store; ``warn`` is told when that fails."""
        if shared := shared_store(warn):
            shared.feed(resolve(link))

    def discard(self, folder: Path) -> None:
        """Remove a folder so that nobody ever sees half of it."""
        self._scratch.mkdir(parents=True, exist_ok=True)
        doomed = Path(tempfile.mkdtemp(dir=self._scratch))
        folder.rename(doomed / "folder")
        shutil.rmtree(doomed, ignore_errors=True)

    def shown_links(self) -> list[Path]:
        """Return the links by which experiments show results."""
        return sorted(path for pattern in SHOWN for path in self.folder.parent.glob(pattern) if path.is_symlink())

    def links(self) -> set[Path]:
        """Return the folders of the store that some experiment shows."""
        return {resolve(path) for path in self.shown_links()}

    def prune(self, keep_bytes: int) -> tuple[int, int]:
        """Forget the results not used for longest until the store fits; shown results always stay.

        Returns:
            Bytes freed and bytes left.

        """
        shutil.rmtree(self._scratch, ignore_errors=True)
        shown = self.links()
        homes = sorted(
            (path for path in self.folder.glob("*.*") if path.is_dir()), key=lambda path: path.stat().st_mtime
        )
        sizes = {home: sum(path.stat().st_size for path in home.rglob("*") if path.is_file()) for home in homes}
        left = sum(sizes.values())
        freed = 0
        for home in homes:
            if left > keep_bytes and home not in shown:
                self.discard(home)
                left -= sizes[home]
                freed += sizes[home]
        return freed, left
