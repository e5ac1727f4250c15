"""Wait until the disk holds what was written, for what must survive a crash of the machine whole or not at all."""

import errno
import os
from pathlib import Path

_CAN_NOT = {errno.EINVAL, errno.EACCES, errno.EBADF, errno.ENOTSUP}
"""What file systems answer that can't do so for a folder; there is nothing better to be had of them."""


def on_disk(path: Path) -> None:
    """Wait for a file's content, or for the names in a folder.

    Raises:
        OSError: the disk refuses, or has lost what was written.

    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _CAN_NOT:
            error.filename = str(path)
            raise
    finally:
        os.close(handle)


def on_disk_all(folder: Path) -> None:
    """Wait for a folder and all that is in it."""
    for place, _, names in os.walk(folder):
        for name in names:
            on_disk(Path(place, name))
        on_disk(Path(place))
