"""Many jobs as one progress bar in place of two lines each; the events still tell of every one."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from pipeline.engine.build import Build, Watcher


class Advance(Protocol):
    """Says how far all of them are together."""

    def __call__(self, done: int, total: int, **facts: float | str) -> None:
        """Report ``done`` of ``total``, and what else there is to say."""


@contextmanager
def one_bar(build: Build, stage: str, experiment: str, reason: str) -> Iterator[Advance]:
    """Show what is done within as one stage of an experiment; who watches the build sees nothing else meanwhile.

    A second one waits for the first: with ``doit -n 2``, two would have twice as many jobs at work as there are cores.
    """
    with build.one_at_a_time:
        yield from _one_bar(build, stage, experiment, reason)


def _one_bar(build: Build, stage: str, experiment: str, reason: str) -> Iterator[Advance]:
    shown: Watcher = build.watcher
    started = time.monotonic()

    def say(event: str, **facts: Any) -> None:
        facts = {"stage": stage, "experiment": experiment, "target": None, **facts}
        build.project.events.emit(event, run=build.run_id, **facts)
        shown({"event": event, **facts})

    def advance(done: int, total: int, **facts: float | str) -> None:
        say("stage_progress", done=done, total=total, **facts)

    say("stage_started", reasons=[reason])
    build.watcher = lambda event: None  # noqa: ARG005
    try:
        yield advance
    except BaseException:
        say("stage_failed", message="stopped", log="")
        raise
    finally:
        build.watcher = shown
    say("stage_done", seconds=time.monotonic() - started, metrics={})
