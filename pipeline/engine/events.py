"""``build/events.jsonl``: what the build is doing, one JSON object a line, for whoever watches.

Everyone who has something to say opens the file by path and appends one line in one write, so
the build, its stages and a container can all write to it, and a dashboard can follow it.
"""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

KEEP_BYTES = 8_000_000
"""A file above this size is set aside as ``events.jsonl.old`` when the next run starts."""


class Events:
    """The file of one project."""

    def __init__(self, file: Path) -> None:
        """Append to ``file``, which need not exist yet."""
        self.file = file

    def emit(self, event: str, **facts: Any) -> None:
        """Append one event; watching is a convenience, so a full disk never stops the build.

        ``event`` is one of ``run_started run_ended stage_started stage_progress stage_done
        stage_failed stage_restored``; ``time`` is seconds since the epoch.
        """
        line = json.dumps({"time": round(time.time(), 3), "event": event, **facts}) + "\n"
        try:
            handle = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            try:
                os.write(handle, line.encode())
            finally:
                os.close(handle)
        except OSError:
            pass

    def set_aside_when_large(self) -> None:
        """Start a new file when the old one has grown; call it before a run's first event."""
        try:
            if self.file.stat().st_size > KEEP_BYTES:
                self.file.replace(self.file.with_name(f"{self.file.name}.old"))
        except OSError:
            pass

    def follow(self, *, from_now: bool = False) -> "Follower":
        """Read the events as they come, those so far included unless only what comes from now on is wanted."""
        return Follower(self.file, from_now=from_now)


def job_name(event: dict[str, Any]) -> str:
    """Return the name of the job that an event of a stage is about."""
    return ":".join(filter(None, (event["stage"], event["experiment"], event["target"])))


_USUAL = frozenset({"event", "time", "run", "stage", "experiment", "target", "done", "total"})


def said(event: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what a stage says of itself in a report of progress, beside how far it is: epoch, loss, accuracy."""
    return ((name, value) for name, value in event.items() if name not in _USUAL)


class Follower:
    """Reads events as they come: whole lines only, from now on or from the beginning."""

    def __init__(self, file: Path, *, from_now: bool = False) -> None:
        """Follow ``file``, which need not exist yet."""
        self._file = file
        self._position = file.stat().st_size if from_now and file.exists() else 0
        self._half = b""

    def new(self) -> Iterator[dict[str, Any]]:
        """Yield the events written since the last call; lines that are no event are passed over."""
        try:
            if self._file.stat().st_size < self._position:
                self._position, self._half = 0, b""
            with self._file.open("rb") as file:
                file.seek(self._position)
                text = self._half + file.read()
                self._position = file.tell()
        except OSError:  # none there, or one that we may not read
            self._position, self._half = 0, b""
            return
        *lines, self._half = text.split(b"\n")
        for line in lines:
            try:
                event = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(event, dict) and "event" in event:
                yield event
