"""MNIST from its public mirrors, or a quick answer that there is no network."""

import queue
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.data.arrays import DataError
from pipeline.data.mnist_files import DOWNLOADS, FILES
from pipeline.errors import UnrollError
from pipeline.stage import Work

MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)
REACH_SECONDS = 5.0
"""How long a mirror may take to answer at all; name servers that don't answer would take minutes."""
READ_SECONDS = 10.0
"""How long a mirror may be silent while it sends."""

Check = Callable[[Path, str], Any]
"""Raises DataError when a file is not the one of that name."""


class OfflineError(UnrollError):
    """No mirror answered, or none had good files."""


def download(work: Work[Any], check: Check) -> None:
    """Fetch the four files into the store, each checked before it counts.

    Raises:
        OfflineError: says what each mirror answered.

    """
    good, troubles = _reachable(MIRRORS)
    DOWNLOADS.mkdir(parents=True, exist_ok=True)
    for mirror in good:
        try:
            with tempfile.TemporaryDirectory(dir=DOWNLOADS) as scratch:
                for index, name in enumerate(FILES):
                    work.progress(index, len(FILES), what=f"downloading {name}.gz")
                    _fetch(f"{mirror}{name}.gz", Path(scratch), f"{name}.gz")
                    _check(Path(scratch, f"{name}.gz"), name, check)
                for name in FILES:
                    shutil.move(Path(scratch, f"{name}.gz"), DOWNLOADS / f"{name}.gz")
        except (OfflineError, OSError, ValueError) as error:
            troubles.append(f"{mirror}: {error}")
        else:
            return
    raise OfflineError("; ".join(troubles) or f"no mirror answered within {REACH_SECONDS:.0f} s")


def _check(path: Path, name: str, check: Check) -> None:
    """Check a file that a mirror served; the caller's own words would send the user after a file that is gone."""
    try:
        check(path, name)
    except DataError:
        message = f"what it serves as {name}.gz is not MNIST's (a proxy's page, or a transfer that broke off)"
        raise OfflineError(message) from None


def _fetch(url: str, folder: Path, name: str) -> None:
    import pooch  # noqa: PLC0415 - not needed when the data is at hand

    downloader = pooch.HTTPDownloader(timeout=(REACH_SECONDS, READ_SECONDS))
    # What counts is the uncompressed content, which the caller checks: any gzip of it is good.
    pooch.retrieve(url, known_hash=None, fname=name, path=folder, downloader=downloader)


def _reachable(mirrors: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Ask all mirrors at once; return those that answer in time, and what the others said in that time."""
    answers: queue.Queue[tuple[str, str | None]] = queue.Queue()

    def ask(mirror: str) -> None:
        import requests  # noqa: PLC0415 - see _fetch

        try:
            first = next(iter(FILES))
            requests.head(f"{mirror}{first}.gz", timeout=REACH_SECONDS, allow_redirects=True).raise_for_status()
        except requests.HTTPError as error:
            answers.put((mirror, f"it answered {error.response.status_code} {error.response.reason}"))
        except requests.Timeout:
            return
        except (requests.RequestException, OSError) as error:
            answers.put((mirror, type(error).__name__))
        else:
            answers.put((mirror, None))

    for mirror in mirrors:
        threading.Thread(target=ask, args=(mirror,), daemon=True).start()
    good, troubles = [], []
    end = time.monotonic() + REACH_SECONDS
    for _ in mirrors:
        try:
            mirror, trouble = answers.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            break
        if trouble is None:
            good.append(mirror)
        else:
            troubles.append(f"{mirror}: {trouble}")
    return sorted(good, key=mirrors.index), troubles
