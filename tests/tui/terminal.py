"""The dashboard, or another program, on a terminal of its own."""

import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from fcntl import ioctl
from pathlib import Path

_ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|P[^\x1b]*\x1b\\|.)")


class Terminal:
    """A program on a terminal of its own; ``size`` is its columns and lines."""

    def __init__(self, command: Sequence[str], size: tuple[int, int] = (120, 40), /, **environment: str) -> None:
        self.master, slave = pty.openpty()
        ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *reversed(size), 0, 0))
        self.child = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm-256color", **environment},
            start_new_session=True,
        )
        os.close(slave)
        self.seen = b""

    def wait_for(self, text: str, seconds: float = 20) -> None:
        """Wait until a text was written, between whatever colours."""
        end = time.monotonic() + seconds
        while text.encode() not in _ESCAPES.sub(b"", self.seen):
            assert time.monotonic() < end, _ESCAPES.sub(b"", self.seen).decode(errors="replace")
            self.drain()

    def drain(self, seconds: float = 0) -> None:
        """Read what was written, or wait a moment for it; then go on until so many seconds are over."""
        end = time.monotonic() + seconds
        while True:
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.master, 65536)
                except OSError:  # the program closed it
                    time.sleep(0.1)
            if time.monotonic() >= end:
                return

    def press(self, keys: str) -> None:
        self.seen = b""
        os.write(self.master, keys.encode())

    def end(self) -> int:
        """Wait for its end, reading what it still writes."""
        end = time.monotonic() + 20
        while self.child.poll() is None and time.monotonic() < end:
            self.drain()
        return self.child.wait(1)

    def processor_seconds(self) -> float:
        """Return the processor time that it has used so far."""
        fields = Path(f"/proc/{self.child.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """Kill it, and what it started, if it is still there; take the terminal away."""
        if self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()
        os.close(self.master)
