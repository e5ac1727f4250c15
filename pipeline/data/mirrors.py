"""MNIST from its public mirrors, or a quick answer that there is no network."""

import queue
import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.data.arrays import DataError
from pipeline.data.places import DOWNLOADS, MNIST_FILES
from pipeline.errors import UnrollError
from pipeline.stages.contract import Work

MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)
REACH_SECONDS = 5.0
"""How long a mirror may take to answer at all; name servers that don't answer would take minutes."""
READ_SECONDS = 30.0

Check = Callable[[Path, str], Any]
"""Raises DataError when a file is not the one of that name."""


class OfflineError(UnrollError):
    """No mirror answered, or none had good files."""


def download(work: Work, check: Check) -> None:
    """Fetch the four files into the store, each checked before it counts.

    Raises:
        OfflineError: says what each mirror answered.

    """
    mirror_list = _reachable(MIRRORS)
    troubles = [] if mirror_list else [f"no mirror answered within {REACH_SECONDS:.0f} s"]
    DOWNLOADS.mkdir(parents=True, exist_ok=True)
    for mirror in mirror_list:
        try:
            with tempfile.TemporaryDirectory(dir=DOWNLOADS) as scratch:
                for index, name in enumerate(MNIST_FILES):
                    work.progress(index, len(MNIST_FILES), what=f"downloading {name}.gz")
                    _fetch(f"{mirror}{name}.gz", Path(scratch), f"{name}.gz")
                    check(Path(scratch, f"{name}.gz"), name)
                for name in MNIST_FILES:
                    shutil.move(Path(scratch, f"{name}.gz"), DOWNLOADS / f"{name}.gz")
        except (DataError, OSError, ValueError) as error:
            troubles.append(f"{mirror}: {error}")
        else:
            return
    raise OfflineError("; ".join(troubles))


def _fetch(url: str, folder: Path, name: str) -> None:
    import pooch  # noqa: PLC0415 - not needed when the data is at hand

    downloader = pooch.HTTPDownloader(timeout=(REACH_SECONDS, READ_SECONDS))
    # What counts is the uncompressed content, which the caller checks: any gzip of it is good.
    pooch.retrieve(url, known_hash=None, fname=name, path=folder, downloader=downloader)


def _reachable(mirrors: tuple[str, ...]) -> list[str]:
    """Return the mirrors that answer in time, asked all at once."""
    answers: queue.Queue[tuple[str, bool]] = queue.Queue()

    def ask(mirror: str) -> None:
        import requests  # noqa: PLC0415 - see _fetch

        try:
            first = next(iter(MNIST_FILES))
            requests.head(f"{mirror}{first}.gz", timeout=REACH_SECONDS, allow_redirects=True).raise_for_status()
        except (requests.RequestException, OSError):
            answers.put((mirror, False))
        else:
            answers.put((mirror, True))

    for mirror in mirrors:
        threading.Thread(target=ask, args=(mirror,), daemon=True).start()
    good = []
    for _ in mirrors:
        try:
            mirror, answered = answers.get(timeout=REACH_SECONDS)
        except queue.Empty:
            break
        if answered:
            good.append(mirror)
    return sorted(good, key=mirrors.index)
