"""The dashboard in a real terminal: what Pilot, which has none, can't show."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.tui.recorded import Recorded
from tests.tui.terminal import Terminal

DASHBOARD = (sys.executable, "-m", "tui")


def opened(size: tuple[int, int] = (120, 40), /, **environment: str) -> Terminal:
    return Terminal(DASHBOARD, size, PYTHONPATH=str(ROOT), **environment)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    all_of_them: list[Terminal] = []
    yield all_of_them
    for terminal in all_of_them:
        terminal.close()


def test_it_opens_and_quits(recorded: Recorded, terminals: list[Terminal]) -> None:
    recorded.write()
    recorded.build()
    terminals.append(terminal := opened())
    terminal.wait_for("network")
    terminal.wait_for("fresh")
    terminal.press("q")
    assert terminal.end() == 0


def test_a_terminal_that_does_not_know_its_size_is_served_without_haste(
    recorded: Recorded, terminals: list[Terminal]
) -> None:
    """Such as that of ``script`` in a pipe; the dashboard once laid out its screen there for ever."""
    recorded.write()
    recorded.build()
    terminals.append(terminal := opened((0, 0)))
    terminal.wait_for("network")
    terminal.wait_for("fresh")
    terminal.drain(1)
    before = terminal.processor_seconds()
    terminal.drain(3)
    assert terminal.processor_seconds() - before < 1, "a few hundredths are usual"
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
    terminals.append(terminal := opened(EDITOR="./editor", VISUAL=""))
    terminal.wait_for("fresh")
    terminal.press("e")
    terminal.wait_for("editing experiments/keyword.toml")
    terminal.wait_for("units 256 -> 77")
    terminal.press("q")
    assert terminal.end() == 0


def test_without_an_editor_it_says_which_variable_to_set(recorded: Recorded, terminals: list[Terminal]) -> None:
    recorded.write()
    terminals.append(terminal := opened(EDITOR="", VISUAL="", PATH="/nowhere"))
    terminal.wait_for("stale")
    terminal.press("e")
    terminal.wait_for("$EDITOR")


@pytest.mark.parametrize("signals", [(signal.SIGHUP,), ()], ids=["hang-up", "silently"])
def test_a_terminal_that_goes_away_ends_it(
    recorded: Recorded, terminals: list[Terminal], signals: tuple[int, ...]
) -> None:
    """It sends a signal, which whoever started the dashboard under nohup has told it to ignore."""
    recorded.write()
    terminals.append(terminal := opened())
    terminal.wait_for("stale")
    for number in signals:
        os.killpg(terminal.child.pid, number)
    os.close(terminal.master)
    terminal.child.wait(20)
    terminal.master = os.open(os.devnull, os.O_RDONLY)
