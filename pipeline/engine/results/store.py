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
from typing import TYPE_CHECKING

from pipeline.engine.digests.fingerprint import file_hashes
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
from pipeline.folders import BUILD, SCRATCH, STORE

if TYPE_CHECKING:
    from pipeline.engine.results.shared_store import Warn


def records(store: Path = STORE) -> list[Record]:
    """Read every result that a store holds; what can't be read is passed over."""
    found = []
    for folders in _by_key(store).values():
        for folder in folders:
            with contextlib.suppress(OSError, BrokenRecordError):
                found.append(read_record(folder))
    return found


def resolve(link: Path) -> Path:
    """Follow a result's link one step, staying relative to the project's root."""
    try:
        return Path(os.path.normpath(link.parent / os.readlink(link)))
    except OSError:
        return link


def find(key: str, store: Path = STORE) -> Path | None:
    """Return the newest remembered result of a key."""
    return next(iter(_found(key, store)), None)


def _found(key: str, store: Path = STORE) -> list[Path]:
    """Return the remembered results of a key, the newest first."""
    found = [path for path in _by_key(store).get(key, ()) if path.exists()]
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def _by_key(store: Path) -> dict[str, list[Path]]:
    try:
        return by_key(store)
    except OSError:
        return {}


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder inside the store to work in, gone afterwards whatever happens."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=SCRATCH))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def describe_outputs(folder: Path) -> dict[str, Output]:
    """Return sha256 and size of every file of a finished result, which is read-only from now on."""
    hashes = file_hashes()
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in files:
        path.chmod(0o444)  # an artefact edited in place would be remembered wrong
    return {
        path.relative_to(folder).as_posix(): {"sha256": hashes.sha256(path, just_made=True), "bytes": hashes.size(path)}
        for path in files
    }


def publish(folder: Path, record: Record, link: Path) -> None:
    """Move a finished scratch folder into the store and let the link show it.

    Each step is one rename, so a kill leaves the old result or the new one. Before each step, what it relies on is on
    the disk, so that a crash of the machine does no worse.
    """
    home = _same_result(record)
    if home is None:
        content = encode_record(record)
        (folder / RECORD).write_bytes(content)
        home = STORE / name_of(record.key, content)
        _move_in(folder, home)
    show(home, link)


def _same_result(record: Record) -> Path | None:
    """Return the remembered result with the same outcome, if there is one; damaged ones are discarded."""
    for home in _found(record.key):
        if (kept := _whole(home, record.key)) and kept.outcome == record.outcome:
            return home
    return None


def _whole(home: Path, key: str) -> Record | None:
    """Return the record of a remembered result, or discard it if it is damaged or not that of its key."""
    with contextlib.suppress(FileNotFoundError, BrokenRecordError):
        record = read_record(home)
        if not (misfit(record, key) or damage(home, record)):
            return record
    discard(home)
    return None


def _move_in(folder: Path, home: Path) -> None:
    """Let a finished folder take its place in the store, all of it on the disk; a whole one that is there stays."""
    on_disk_all(folder)
    try:
        folder.rename(home)
    except OSError:
        if not home.exists():
            raise
    else:
        on_disk(STORE)
        file_hashes().moved(folder, home)


def show(home: Path, link: Path) -> None:
    """Point a result's link at a folder of the store in one step, and mark it as used."""
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.is_dir() and not link.is_symlink():
        discard(link)  # a copy of a build folder may hold real folders where links were
    scratch = link.with_name(f".{link.name}.{os.getpid()}")
    scratch.unlink(missing_ok=True)
    scratch.symlink_to(os.path.relpath(home, link.parent))
    scratch.replace(link)
    on_disk(link.parent)
    os.utime(home)


def restore(key: str, link: Path, warn: "Warn" = lambda sentence: None) -> Record | None:  # noqa: ARG005
    """Bring back the remembered result of a key, from here or from the shared store.

    A remembered result that is damaged is discarded; one that stands in for data that could
    not be had is not brought back, since the data may be there now.

    Args:
        key: the digest of what goes in.
        link: where the result is to show.
        warn: is told in sentences what is wrong with the shared store.

    """
    for home in _found(key):
        record = _whole(home, key)
        if record and not record.is_stand_in:
            show(home, link)
            return record
    return _fetch_shared(key, link, warn)


def _fetch_shared(key: str, link: Path, warn: "Warn") -> Record | None:
    from pipeline.engine.results.shared_store import shared_store  # noqa: PLC0415 - not where nothing is missing

    shared = shared_store(warn)
    for name in shared.names(key) if shared else ():
        with scratch_folder() as scratch:
            if shared and (record := shared.fetch(name, scratch / "result")):
                _move_in(scratch / "result", STORE / name)
                show(STORE / name, link)
                return record
    return None


def feed_shared(link: Path, warn: "Warn") -> None:
    """Copy a fresh result into the shared store; ``warn`` is told when that fails."""
    from pipeline.engine.results.shared_store import shared_store  # noqa: PLC0415 - as above

    if shared := shared_store(warn):
        shared.feed(resolve(link))


def discard(folder: Path) -> None:
    """Remove a folder so that nobody ever sees half of it."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    doomed = Path(tempfile.mkdtemp(dir=SCRATCH))
    folder.rename(doomed / "folder")
    shutil.rmtree(doomed, ignore_errors=True)


SHOWN = ("*/*", "*/vela/*", "*/verify/*", "*/matrix/*", "*/grid/*/*", "*/grid/*/vela/*")
"""Where results show in ``build/``."""


def shown_links() -> list[Path]:
    """Return the links by which experiments show results."""
    return sorted(path for pattern in SHOWN for path in BUILD.glob(pattern) if path.is_symlink())


def links() -> set[Path]:
    """Return the folders of the store that some experiment shows."""
    return {resolve(path) for path in shown_links()}


def prune(keep_bytes: int) -> tuple[int, int]:
    """Forget the results not used for longest until the store fits; shown results always stay.

    Returns:
        Bytes freed and bytes left.

    """
    shutil.rmtree(SCRATCH, ignore_errors=True)
    shown = links()
    homes = sorted((path for path in STORE.glob("*.*") if path.is_dir()), key=lambda path: path.stat().st_mtime)
    sizes = {home: sum(path.stat().st_size for path in home.rglob("*") if path.is_file()) for home in homes}
    left = sum(sizes.values())
    freed = 0
    for home in homes:
        if left > keep_bytes and home not in shown:
            discard(home)
            left -= sizes[home]
            freed += sizes[home]
    return freed, left
