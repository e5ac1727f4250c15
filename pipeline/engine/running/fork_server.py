"""A process that loads a stage's libraries once and forks one process for each job.

Loading Vela takes longer than compiling with it. Each fork is a stage's process like any other: leader of
its own process group, with its own log, ending with the build; its crash is its own.
"""

import contextlib
import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from pipeline.engine.running import process


class ForkServer:
    """Starts stages of one project, one at a time. One that died is replaced at the next start."""

    def __init__(self, *modules: str) -> None:
        """Have it load these modules before its first fork."""
        self._modules = modules
        self._server: subprocess.Popen[bytes] | None = None
        self._alive, self._end = os.pipe()  # stages read the one end, and see the build die by the other

    def __enter__(self) -> Self:
        """Start it when the first stage is asked for."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it; a stage that is still at work ends itself."""
        os.close(self._alive)
        os.close(self._end)
        self._retire()

    def start(self, words: list[str], log: Path, root: Path) -> process.Child:
        """Start ``pipeline.engine.running.run`` with these words; a server that can't be had is only slower."""
        for _ in range(2):  # the first one may have died just now
            try:
                server = self._running(root)
                assert server.stdin  # noqa: S101 - a pipe was asked for
                server.stdin.write(json.dumps({"words": words, "log": str(log)}).encode() + b"\n")
                server.stdin.flush()
                return Forked(server)
            except (OSError, EOFError):
                self._retire()
        return process.start(words, log, root)

    def _running(self, root: Path) -> "subprocess.Popen[bytes]":
        if self._server is not None and self._server.poll() is not None:
            self._retire()
        if self._server is None:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "pipeline.engine.running.forking", str(self._alive), *self._modules],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                pass_fds=[self._alive],
                start_new_session=True,
                cwd=root,
                env=process.environment(),
            )
        return self._server

    def _retire(self) -> None:
        if self._server is None:
            return
        for pipe in (self._server.stdin, self._server.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._server.kill()
        self._server.wait()
        self._server = None


@contextlib.contextmanager
def one_a_thread(*modules: str) -> Iterator[process.Starter]:
    """Give each thread that starts stages a server of its own: libraries are loaded once a core, not once a stage."""
    mine = threading.local()
    with contextlib.ExitStack() as servers:

        def start(words: list[str], log: Path, root: Path) -> process.Child:
            if not hasattr(mine, "server"):
                mine.server = servers.enter_context(ForkServer(*modules))
            child: process.Child = mine.server.start(words, log, root)
            return child

        yield start


class Forked:
    """A stage that a server forked, as ``process.Child`` has it."""

    stdin: IO[bytes] | None = None
    returncode: int

    def __init__(self, server: "subprocess.Popen[bytes]") -> None:
        """Take over the stage that this server was just asked for."""
        assert server.stdout  # noqa: S101 - a pipe was asked for
        self._replies: IO[bytes] = server.stdout
        self._ended = False
        self.pid = int(self._reply())

    def poll(self) -> int | None:
        """Return the code when it has ended."""
        if not self._ended and select.select([self._replies], [], [], 0)[0]:
            self._finish()
        return self.returncode if self._ended else None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; raises subprocess.TimeoutExpired."""
        if not self._ended:
            if not select.select([self._replies], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(cmd="pipeline.engine.running.run", timeout=timeout or 0.0)
            self._finish()
        return self.returncode

    def _finish(self) -> None:
        try:
            self.returncode = int(self._reply())
        except EOFError:
            self.returncode = -9  # the server was killed: nobody knows how its stage ended
        self._ended = True

    def _reply(self) -> bytes:
        line = self._replies.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        return line
