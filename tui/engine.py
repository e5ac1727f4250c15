"""Starts and stops doit as a child in a session of its own, which outlives the dashboard."""

import contextlib
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.engine.project import Project
from pipeline.errors import UnrollError
from tui.data.live import Run
from tui.data.logs import last_lines

_left_running: list[subprocess.Popen[bytes]] = []
"""Keeps the objects of children that outlive their engine, for which Python would warn."""


class ForeignRunError(UnrollError):
    """A run that can't be stopped from here."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run of the dashboard's own ended."""

    command: tuple[str, ...]
    exit_code: int
    """Negative when a signal ended it."""
    last_line: str
    """The last that doit printed."""
    stopped: bool
    """Whether that was asked for."""


class Engine:
    """At most one doit at a time. Its output goes to a file, since a pipe would end with the dashboard."""

    def __init__(self, project: Project) -> None:
        """Run nothing yet in a project."""
        self._project = project
        self.output = project.logs / "dashboard.log"
        """What doit printed when the dashboard ran it."""
        self._child: subprocess.Popen[bytes] | None = None
        self._todo: list[Sequence[str]] = []
        self._command: tuple[str, ...] = ()
        self._stops = 0

    @property
    def running(self) -> bool:
        """Whether a doit of the dashboard's own is going on."""
        return self._child is not None

    def start(self, *commands: Sequence[str]) -> None:
        """Run doit with each of the argument lists, one after the other, until one fails.

        Raises:
            OSError: the process or its log can't be made.

        """
        first, *self._todo = commands
        self._stops = 0
        self.output.parent.mkdir(parents=True, exist_ok=True)
        self.output.write_bytes(b"")
        self._spawn(first)

    def _spawn(self, arguments: Sequence[str]) -> None:
        self._command = ("doit", *arguments)
        with self.output.open("ab") as output:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "doit", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=self._project.root,
            )
            _left_running[:] = [child for child in _left_running if child.poll() is None] + [self._child]

    def poll(self) -> Ending | None:
        """Return how the run ended, once, when it has; begin its next command if there is one."""
        if self._child is None or self._child.poll() is None:
            return None
        code = self._child.returncode
        self._child = None
        if code == 0 and self._todo and not self._stops:
            try:
                self._spawn(self._todo.pop(0))
            except OSError as error:
                return Ending(self._command, 1, f"doit can't be started: {error}", stopped=False)
            return None
        lines = [line for line in last_lines(self.output, 5) if line.strip()]
        return Ending(self._command, code, lines[-1] if lines else "", bool(self._stops))

    def stop(self) -> None:
        """Ask doit to stop its stages and end; asked again, kill it (its stages then end themselves)."""
        if self._child is not None:
            self._stops += 1
            _signal_group(self._child.pid, signal.SIGINT if self._stops == 1 else signal.SIGKILL)


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it ended this very moment
        os.killpg(pid, number)


def stop_foreign(run: Run) -> None:
    """Stop a run that somebody else started on this machine, as Ctrl-C in its terminal would.

    Raises:
        ForeignRunError: it runs in a container or on another machine, or belongs to another user.

    """
    if run.host != platform.node():
        message = f"this run is in a container or on another machine ({run.host}): stop it there"
        raise ForeignRunError(message)
    try:
        os.kill(run.pid, signal.SIGINT)
    except ProcessLookupError:
        pass
    except PermissionError:
        message = f"this run belongs to another user (pid {run.pid})"
        raise ForeignRunError(message) from None


def edit_command(file: Path) -> list[str] | None:
    """Return the command that opens a file in the user's editor, or None when there is no editor."""
    import shlex  # noqa: PLC0415 - nobody needs it before the first edit
    import shutil  # noqa: PLC0415

    named = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    try:
        commands = [shlex.split(named)] if named else [["nano"], ["vim"], ["vi"]]
    except ValueError:  # a quotation mark without its other
        return None
    for command in commands:
        if command and shutil.which(command[0]):
            return [*command, str(file)]
    return None
