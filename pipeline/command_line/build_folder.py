"""The build folder as doit needs it before anything else: there, and fit to be written to."""

import errno
import os
from pathlib import Path

from doit.exceptions import InvalidDodoFile

from pipeline.engine.status import STATE_DB
from pipeline.folders import BUILD


def prepare() -> None:
    """Make ``build/``, which doit needs before it opens its state.

    Raises:
        InvalidDodoFile: doit shows it in one line and ends with 3.

    """
    try:
        BUILD.mkdir(exist_ok=True)
        probe = BUILD / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InvalidDodoFile(_unwritable(error)) from None
    if STATE_DB.exists() and STATE_DB.stat().st_size and not _is_sqlite(STATE_DB):
        message = f"{STATE_DB} is damaged; remove it (every stage then runs once more)"
        raise InvalidDodoFile(message)


def _unwritable(error: OSError) -> str:
    owner = BUILD.stat().st_uid if BUILD.exists() else os.geteuid()
    if error.errno == errno.EACCES and owner != os.geteuid():
        remedy = f"It belongs to user {owner}, and you are {os.geteuid()}: sudo chown -R {os.geteuid()} {BUILD}"
    else:
        remedy = "Free or remount the disk, or build elsewhere"
    return f"{BUILD}/ can't be written to: {error.strerror}. {remedy}"


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\0"
