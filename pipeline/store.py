"""Where results live: atomic publishing, restoring an earlier result, a shared cache, pruning.

A result is a folder ``build/.store/<key>.<content>``: ``key`` is the digest of what went in,
``content`` that of what came out. ``build/<experiment>/<stage>`` is a relative symlink to it.
"""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from pipeline.disk import on_disk, on_disk_all
from pipeline.fingerprint import SETTLED_NS, digest, file_hashes
from pipeline.folders import BUILD, SCRATCH, STORE
from pipeline.record import RECORD, BrokenRecordError, Record, damage, read_record


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


_listed: dict[str, tuple[int, dict[str, list[Path]]]] = {}


def find(key: str, store: Path = STORE) -> Path | None:
    """Return the newest remembered result of a key."""
    found = [path for path in _by_key(store).get(key, ()) if path.exists()]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def _by_key(store: Path) -> dict[str, list[Path]]:
    """List a store by key; the list is kept while the folder does not change, since a search of many is slow."""
    try:
        changed = store.stat().st_mtime_ns
    except OSError:
        return {}
    when, listed = _listed.get(os.path.abspath(store), (0, {}))
    if when != changed:
        listed = {}
        for path in store.glob("*.*"):
            listed.setdefault(path.name.partition(".")[0], []).append(path)
        if time.time_ns() - changed > SETTLED_NS:
            _listed[os.path.abspath(store)] = (changed, listed)
    return listed


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


def describe_outputs(folder: Path) -> dict[str, dict[str, Any]]:
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
    (folder / RECORD).write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
    home = STORE / f"{record.key}.{digest(record.outputs)[:12]}"
    with contextlib.suppress(FileNotFoundError, BrokenRecordError):
        if damage(home, read_record(home)):
            discard(home)
    if home.exists() and not (home / RECORD).exists():
        discard(home)
    if not home.exists():
        on_disk_all(folder)
        folder.rename(home)
        on_disk(STORE)
        file_hashes().moved(folder, home)
    show(home, link)


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


def restore(key: str, link: Path) -> Record | None:
    """Bring back the remembered result of a key, from here or from the shared cache.

    A remembered result that is damaged is discarded; one that stands in for data that could
    not be had is not brought back, since the data may be there now.
    """
    home = find(key) or fetch_shared(key)
    if home is None:
        return None
    try:
        record = read_record(home)
    except (FileNotFoundError, BrokenRecordError):
        discard(home)
        return None
    if damage(home, record):
        discard(home)
        return None
    if record.stand_in and record.stage == "dataset":
        return None
    show(home, link)
    return record


def discard(folder: Path) -> None:
    """Remove a folder so that nobody ever sees half of it."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    doomed = Path(tempfile.mkdtemp(dir=SCRATCH))
    folder.rename(doomed / "folder")
    shutil.rmtree(doomed, ignore_errors=True)


def shared_cache() -> Path | None:
    """Return the second store that ``UNROLL_CACHE`` names, if it does."""
    named = os.environ.get("UNROLL_CACHE")
    return Path(named) if named else None


def fetch_shared(key: str) -> Path | None:
    """Copy a result from the shared cache into the local store; a cache that fails is only slower."""
    cache = shared_cache()
    try:
        theirs = find(key, cache) if cache else None
        if theirs is None:
            return None
        with scratch_folder() as scratch:
            shutil.copytree(theirs, scratch / "result")
            (scratch / "result").rename(STORE / theirs.name)
    except OSError:
        return None
    return STORE / theirs.name


def feed_shared(link: Path) -> str | None:
    """Copy a fresh result into the shared cache; return a warning when that failed."""
    cache = shared_cache()
    if cache is None:
        return None
    home = resolve(link)
    try:
        if not (cache / home.name).exists():
            cache.mkdir(parents=True, exist_ok=True)
            # Not named by pid: every container has the same ones.
            with tempfile.TemporaryDirectory(dir=cache, prefix=f".{home.name}.") as half:
                shutil.copytree(home, f"{half}/result")
                Path(half, "result").rename(cache / home.name)
    except OSError as error:
        return f"UNROLL_CACHE={cache}: result not shared: {error.strerror or error}"
    return None


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
