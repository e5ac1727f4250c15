"""One stage in one process of its own: start it, log it, stop it, and say how it died.

A stage is the leader of its own process group, so that a crash, an out-of-memory kill or Ctrl-C ends
the stage and not the build's record. It watches its standard input: when the build dies, even
by kill -9, the pipe closes and the stage ends itself.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from pipeline.engine.digests.fingerprint import PACKAGE
from pipeline.engine.job_graph import Job

POLL_SECONDS = 0.05
GRACE_SECONDS = 2.0
"""How long a stopped stage may take before it is killed."""

ENVIRONMENT = {
    "KERAS_BACKEND": "tensorflow",  # the user's other projects may prefer another
    "PYTHONHASHSEED": "0",
    "PYTHONUNBUFFERED": "1",
    "TF_CPP_MIN_LOG_LEVEL": "1",
    "TQDM_DISABLE": "1",  # litert-quantizer would draw bars into the log
}


@dataclass(frozen=True)
class Outcome:
    """How a stage's process ended."""

    report: dict[str, Any]
    """What the stage said: metrics, or ``error``."""
    failure: str | None
    """A sentence, or None when the stage succeeded."""
    seconds: float
    ended: str
    """``exit code 1`` or ``signal SIGSEGV``."""


class Child(Protocol):
    """A stage's process, the leader of its own process group, as ``subprocess.Popen`` has it."""

    pid: int
    returncode: int
    """As ``subprocess`` has it: negative for a signal; only to be read when the process has ended."""
    stdin: IO[bytes] | None

    def poll(self) -> int | None:
        """Return the code when it has ended."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; raises subprocess.TimeoutExpired."""


Starter = Callable[[list[str], Path, Path], Child]
"""Starts ``pipeline.engine.running.run`` with words, a file for stdout and stderr, and the project's root to run in."""


class Interrupted(SystemExit):
    """The build was told to stop: ends the program with 128 + the signal's number, as shells do."""

    def __init__(self, code: int | str) -> None:
        """Take the exit code, in digits where doit makes the exception anew in its main thread."""
        super().__init__(int(code))


def environment() -> dict[str, str]:
    """Return the environment of a process that loads our stages, wherever it runs."""
    path = [*filter(None, [os.environ.get("PYTHONPATH")]), str(PACKAGE.parent)]
    return {**os.environ, **ENVIRONMENT, "PYTHONPATH": os.pathsep.join(path)}


def start(words: list[str], log: Path, root: Path) -> Child:
    """Start a stage in a fresh Python."""
    with log.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline.engine.running.run", *words],
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=root,
            env=environment(),
        )


class Processes:
    """The stages that a build runs now; a signal ends them all."""

    def __init__(self) -> None:
        """Run nothing yet."""
        self._running: dict[int, Child] = {}
        self._stopping = threading.Event()
        self._signal = 0

    def stop_on_signals(self) -> None:
        """From now on Ctrl-C and SIGTERM stop the running stages, then the program."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _frame: self.stop(number))

    def stop(self, number: int) -> None:
        """Stop the running stages; what runs them is interrupted, or at once who called this if nothing runs.

        Raises:
            Interrupted: no stage runs.

        """
        self._signal = number
        self._stopping.set()
        for child in list(self._running.values()):
            _signal(child, signal.SIGTERM)
        if not self._running:
            raise self._interrupted()

    def _interrupted(self) -> Interrupted:
        return Interrupted(128 + self._signal)

    def run(
        self, job: Job, order: dict[str, Any], folder: Path, watch: Callable[[], None], starter: Starter = start
    ) -> Outcome:
        """Run a stage to its end; ``watch`` is called every few hundredths of a second.

        Args:
            job: what to run, for the command line and the log's name.
            order: what the stage is told: config, input folders, where to write.
            folder: a scratch folder for the order and the report.
            watch: draws progress.
            starter: starts the process; a fork server's is faster for many of a kind.

        Raises:
            Interrupted: a signal asked the build to stop.
            OSError: the process could not be started.

        """
        order_file, report_file = folder / "order.json", folder / "report.json"
        whole = {"module": job.stage.module, **order, "report": report_file.as_posix()}
        order_file.write_text(json.dumps(whole), encoding="utf-8")
        target = [job.target] if job.target else []
        words = [job.stage.name, job.experiment, *target, "--order", order_file.as_posix()]
        job.log.parent.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        child = starter(words, job.log, job.root)
        self._running[child.pid] = child
        try:
            self._wait(child, watch)
        finally:
            _end(child)
            del self._running[child.pid]
        seconds = time.monotonic() - started
        if self._stopping.is_set():
            raise self._interrupted()
        report = _read(report_file)
        code = child.returncode
        ended = f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
        return Outcome(report, _failure(job, code, report), seconds, ended)

    def _wait(self, child: Child, watch: Callable[[], None]) -> None:
        while True:
            try:
                child.wait(POLL_SECONDS)
            except subprocess.TimeoutExpired:
                watch()
                if self._stopping.is_set():
                    return
            else:
                watch()
                return


def _end(child: Child) -> None:
    """Leave nothing of the stage's process group behind."""
    if child.poll() is None:
        _signal(child, signal.SIGTERM)
        try:
            child.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            _signal(child, signal.SIGKILL)
            child.wait()
    _signal(child, signal.SIGKILL)  # what it started itself, such as Vela
    if child.stdin:
        child.stdin.close()


def _signal(child: Child, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


def _read(report: Path) -> dict[str, Any]:
    try:
        document = json.loads(report.read_bytes())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def changed(job: Job, name: str) -> str:
    """Say why there is no result of what was not there, or not the same, all the time."""
    return f"{name} changed while {job.stage.name} ran; run doit again"


def _failure(job: Job, code: int, report: dict[str, Any]) -> str | None:
    """Say what went wrong; where report and exit code disagree, the exit code is believed."""
    if code == 0 and "metrics" in report:
        return None
    if "changed" in report:
        return changed(job, str(report["changed"]))
    if "error" in report:
        return str(report["error"])
    if code == -signal.SIGKILL:
        return (
            f"{job.stage.name} was killed (SIGKILL), most likely because memory ran out."
            f" Close other programs or lower batch_size. Log: {job.shown_log}"
        )
    if code < 0:
        known = f" {job.stage.on_crash}" if code == -signal.SIGSEGV else ""
        return f"{job.stage.name} crashed ({signal.Signals(-code).name}).{known} Log: {job.shown_log}"
    return f"{job.stage.name} ended with exit code {code} and no result. Log: {job.shown_log}"
