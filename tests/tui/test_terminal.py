"""The dashboard in a real terminal: what Pilot, which has none, can't show."""

import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from fcntl import ioctl
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.tui.recorded import Recorded

_ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|P[^\x1b]*\x1b\\|.)")


class Terminal:
    """``python -m tui`` on a terminal of 120 columns and 40 lines."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self.master, slave = pty.openpty()
        ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.child = subprocess.Popen(
            [sys.executable, "-m", "tui", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **environment},
            start_new_session=True,
        )
        os.close(slave)
        self.seen = b""

    def wait_for(self, text: str, seconds: float = 20) -> None:
        """Wait until a text was written, between whatever colours."""
        end = time.monotonic() + seconds
        while text.encode() not in _ESCAPES.sub(b"", self.seen):
            assert time.monotonic() < end, _ESCAPES.sub(b"", self.seen).decode(errors="replace")
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.master, 65536)
                except OSError:
                    time.sleep(0.1)

    def press(self, keys: str) -> None:
        self.seen = b""
        os.write(self.master, keys.encode())

    def end(self) -> int:
        """Wait for its end, reading what it still writes."""
        end = time.monotonic() + 20
        while self.child.poll() is None and time.monotonic() < end:
            if select.select([self.master], [], [], 0.05)[0]:
                try:
                    self.seen += os.read(self.master, 65536)
                except OSError:
                    continue
        return self.child.wait(1)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        if terminal.child.poll() is None:
            os.killpg(terminal.child.pid, signal.SIGKILL)
            terminal.child.wait()
        os.close(terminal.master)


def test_it_opens_and_quits(recorded: Recorded, terminals: list[Terminal]) -> None:
    recorded.write()
    recorded.build()
    terminals.append(terminal := Terminal())
    terminal.wait_for("weights")
    terminal.wait_for("fresh")
    terminal.press("q")
    assert terminal.end() == 0


def test_the_editor_gets_the_terminal_and_its_change_shows_at_once(
    recorded: Recorded, terminals: list[Terminal]
) -> None:
    recorded.write()
    recorded.build()
    editor = Path("editor")
    editor.write_text('#!/bin/sh\necho "editing $1"\nsed -i "s/units = 256/units = 77/" "$1"\n')
    editor.chmod(0o755)
    terminals.append(terminal := Terminal(EDITOR="./editor", VISUAL=""))
    terminal.wait_for("fresh")
    terminal.press("e")
    terminal.wait_for("editing experiments/keyword.toml")
    terminal.wait_for("units 256 -> 77")
    terminal.press("q")
    assert terminal.end() == 0


def test_without_an_editor_it_says_which_variable_to_set(recorded: Recorded, terminals: list[Terminal]) -> None:
    recorded.write()
    terminals.append(terminal := Terminal(EDITOR="", VISUAL="", PATH="/nowhere"))
    terminal.wait_for("stale")
    terminal.press("e")
    terminal.wait_for("$EDITOR")


def test_a_terminal_that_goes_away_ends_it(recorded: Recorded, terminals: list[Terminal]) -> None:
    recorded.write()
    terminals.append(terminal := Terminal())
    terminal.wait_for("stale")
    os.killpg(terminal.child.pid, signal.SIGHUP)
    assert terminal.end() != 0
