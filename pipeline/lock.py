"""One build at a time in one folder; the second waits and says for whom."""

import fcntl
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from pipeline import container
from pipeline.folders import BUILD

if TYPE_CHECKING:
    from filelock import BaseFileLock

LOCK = BUILD / "lock"
HOLDER = BUILD / "lock.holder"
"""Who holds the lock; only believed while the lock is held."""
PROBE_SECONDS = 0.05
"""Long enough to outwait someone who only looks whether the lock is held."""


def acquire(on_wait: Callable[[str], None]) -> "BaseFileLock":
    """Take the lock of the build folder, waiting as long as it takes; a killed holder leaves it free.

    Args:
        on_wait: is given a sentence that names the holder, once, when there is one.

    """
    from filelock import FileLock, Timeout  # noqa: PLC0415 - 40 ms that status and list don't owe

    lock = FileLock(LOCK)
    try:
        lock.acquire(timeout=PROBE_SECONDS, poll_interval=PROBE_SECONDS / 5)
    except Timeout:
        on_wait(f"waiting for {holder()} to finish (Ctrl-C gives up)")
        lock.acquire()
    who = {"pid": os.getpid(), "host": platform.node(), "container": container.inside()}
    HOLDER.write_text(json.dumps({**who, "since": time.time(), "command": sys.argv[1:]}), encoding="utf-8")
    return lock


def held_by() -> tuple[str, int] | None:
    """Return host and pid of the build that is going on in this folder, here or in a container that shares it."""
    try:
        handle = os.open(LOCK, os.O_RDONLY)  # it may be another user's, such as a container's
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _holder()
    else:
        return None
    finally:
        os.close(handle)


def _holder() -> tuple[str, int] | None:
    try:
        facts = json.loads(HOLDER.read_bytes())
        return str(facts["host"]), int(facts["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def holder() -> str:
    """Say in words who holds the lock."""
    try:
        facts = json.loads(HOLDER.read_bytes())
        since = time.strftime("%H:%M:%S", time.localtime(facts["since"]))
        command = " ".join(["doit", *facts["command"]])
        where = "in container" if facts.get("container") else "on"
        return f"another build ({command}, pid {facts['pid']} {where} {facts['host']}, since {since})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another build"
