"""One build at a time in one folder; the second waits and says for whom."""

import fcntl
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pipeline.engine import docker

if TYPE_CHECKING:
    from filelock import BaseFileLock

PROBE_SECONDS, POLL_SECONDS = 0.25, 0.01
"""Long enough to outwait those who only look whether the lock is held, also on a machine with much else to do."""


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """What the build that holds the lock says of itself."""

    pid: int
    host: str
    container: bool
    since: float
    """Seconds since the epoch."""
    command: list[str]


class Lock:
    """The lock of a build folder."""

    def __init__(self, build: Path) -> None:
        """Take the folder, which need not be there before the lock is taken."""
        self._file = build / "lock"
        self._who = build / "lock.holder"
        """Who holds the lock; only believed while the lock is held."""

    def acquire(self, on_wait: Callable[[str], None]) -> "BaseFileLock":
        """Take the lock, waiting as long as it takes; a killed holder leaves it free.

        Args:
            on_wait: is given a sentence that names the holder, once, when there is one.

        """
        from filelock import FileLock, Timeout  # noqa: PLC0415 - 40 ms that status and list don't owe

        lock = FileLock(self._file)
        try:
            lock.acquire(timeout=PROBE_SECONDS, poll_interval=POLL_SECONDS)
        except Timeout:
            on_wait(f"waiting for {self.holder()} to finish (Ctrl-C gives up)")
            lock.acquire()
        who = Holder(
            pid=os.getpid(), host=platform.node(), container=docker.inside(), since=time.time(), command=sys.argv[1:]
        )
        self._who.write_text(json.dumps(msgspec.structs.asdict(who)), encoding="utf-8")
        return lock

    def held_by(self) -> tuple[str, int] | None:
        """Return host and pid of the build that is going on in this folder, here or in a container that shares it."""
        try:
            handle = os.open(self._file, os.O_RDONLY)  # it may be another user's, such as a container's
        except OSError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            held = self._holder()
            return (held.host, held.pid) if held else None
        else:
            return None
        finally:
            os.close(handle)

    def holder(self) -> str:
        """Say in words who holds the lock."""
        held = self._holder()
        if held is None:
            return "another build"
        since = time.strftime("%H:%M:%S", time.localtime(held.since))
        command = " ".join(["doit", *held.command])
        where = "in container" if held.container else "on"
        return f"another build ({command}, pid {held.pid} {where} {held.host}, since {since})"

    def _holder(self) -> Holder | None:
        try:
            return msgspec.convert(json.loads(self._who.read_bytes()), Holder)
        except (OSError, ValueError, msgspec.ValidationError):
            return None
