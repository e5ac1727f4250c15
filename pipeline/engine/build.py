"""Make one job: restore its result, or run its stage and publish what it made."""

import errno
import os
import platform
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pipeline.engine import events, in_docker, lock
from pipeline.engine.digests import sources
from pipeline.engine.digests.fingerprint import PACKAGE, file_hashes
from pipeline.engine.digests.own_files import Copies
from pipeline.engine.job_graph import Job
from pipeline.engine.results import store
from pipeline.engine.results.record import SCHEMA, Record
from pipeline.engine.running import process
from pipeline.engine.status import Assessor, State, recorded_by_doit
from pipeline.errors import UnrollError

if TYPE_CHECKING:
    from filelock import BaseFileLock

Watcher = Callable[[dict[str, Any]], None]
"""Is given the events of this build as they happen."""


class StageFailedError(UnrollError):
    """A stage could not make its result; the sentence says why and what to do."""

    def __init__(self, sentence: str, ended: str | None = None) -> None:
        """Take the sentence, and how the stage's process ended if there was one."""
        super().__init__(sentence)
        self.ended = ended


class Build:
    """The build of one doit process: what it knows of the jobs, and who watches."""

    def __init__(self) -> None:
        """Know nothing yet, and show progress to nobody."""
        self.run_id = f"{os.getpid()}-{int(time.time())}"
        self.watcher: Watcher = lambda event: None  # noqa: ARG005
        self.on_wait: Callable[[str], None] = lambda sentence: None  # noqa: ARG005
        self.plan: Callable[[], list[str]] = list
        """Tells the jobs that this build is asked for, in order."""
        self.warnings: list[str] = []
        self._lock: BaseFileLock | None = None
        self._taking_lock = threading.Lock()
        self._assessor = Assessor()
        self._states: dict[str, State] = {}

    def state(self, job: Job, *, recorded: bool = True) -> State:
        """Assess a job, and the jobs it needs if that has not been done."""
        upstream = {need.name: self._states.get(need.name) or self.state(need) for need in job.needs.values()}
        state = self._assessor.assess(job, upstream, recorded=recorded)
        self._states[job.name] = state
        return state

    def known(self, job: Job) -> State:
        """Return the state last seen of a job."""
        return self._states.get(job.name) or self.state(job)

    def is_fresh(self, job: Job, *, recorded: bool) -> bool:
        """Tell doit whether a task is up to date, under the build folder's lock if it is not.

        A no-op takes no lock, since nothing that a result depends on is ever changed in place.
        """
        if self.state(job, recorded=recorded).fresh:
            return True
        if self._lock is None and self.begin():
            self._states.clear()  # whoever had the lock may have done the work
            recorded = job.name in recorded_by_doit()
        return self.state(job, recorded=recorded).fresh

    def begin(self) -> bool:
        """Take the lock of the build folder, if this build has not; return whether it had to wait."""
        waited: list[str] = []

        def wait(sentence: str) -> None:
            waited.append(sentence)
            self.on_wait(sentence)

        with self._taking_lock:
            if self._lock is None:
                self._lock = lock.acquire(wait)
                events.set_aside_when_large()
                who = {"pid": os.getpid(), "host": platform.node()}
                events.emit("run_started", run=self.run_id, **who, command=sys.argv[1:], plan=self.plan())
        return bool(waited)

    def end(self, failed: list[str]) -> None:
        """Leave the build folder to others."""
        if self._lock is not None:
            events.emit("run_ended", run=self.run_id, failed=failed)
            self._lock.release()
            self._lock = None

    def warn(self, sentence: str) -> None:
        """Keep a sentence for the end of the build; what holds for many jobs is said once."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def make(self, job: Job, starter: process.Starter = process.start) -> dict[str, Any]:
        """Restore a job's result or make it; return what doit keeps on record.

        A result that is in place already is made again: doit only asks for that after
        ``doit forget`` or with ``doit --always-execute``.

        Raises:
            StageFailedError: a sentence for the user.
            process.Interrupted: the build was told to stop.

        """
        self.begin()
        try:
            state = self.state(job)
            if not state.in_place and state.key and (record := store.restore(state.key, job.link, self.warn)):
                self._say("stage_restored", job, metrics=record.metrics)
            else:
                self._run(job, state, starter)
            del self._states[job.name]
            return {"key": self.state(job).key}
        except UnrollError as error:
            ended = getattr(error, "ended", None)
            self._say("stage_failed", job, message=str(error), log=job.log.as_posix(), ended=ended)
            raise
        except OSError as error:
            failure = StageFailedError(_disk_sentence(error))
            self._say("stage_failed", job, message=str(failure), log=job.log.as_posix())
            raise failure from None
        except process.Interrupted:
            self._say("stage_failed", job, message="stopped", log=job.log.as_posix())
            raise
        finally:
            file_hashes().save()

    def _run(self, job: Job, state: State, starter: process.Starter) -> None:
        if state.inputs is None or state.key is None:
            message = f"{job.name} needs {', '.join(need.name for need in job.needs.values())}; run: doit {job.name}"
            raise StageFailedError(message)
        self._say("stage_started", job, reasons=state.reasons or ["asked for again"])
        with store.scratch_folder() as scratch:
            result = scratch / "result"
            result.mkdir()
            outcome = self._work(job, state.inputs, scratch, starter)
            report = outcome.report
            record = Record(
                schema=SCHEMA,
                stage=job.stage.name,
                experiment=job.experiment,
                target=job.target,
                key=state.key,
                inputs={**state.inputs, "seed": _seed(job), "made_on": _machine()},
                outputs=store.describe_outputs(result),
                metrics=report["metrics"],
                unavailable=report["unavailable"],
                basis=report["basis"],
                warnings=report["warnings"],
                stand_in=report["stand_in"] or self._inherited_stand_in(job),
                seconds=round(outcome.seconds, 3),
                seconds_importing=report["seconds_importing"],
                peak_memory_bytes=report["peak_memory_bytes"],
                finished=round(time.time(), 3),
            )
            store.publish(result, record, job.link)
        self._say("stage_done", job, seconds=record.seconds, metrics=record.metrics)
        store.feed_shared(job.link, self.warn)

    def _work(self, job: Job, inputs: Mapping[str, Any], scratch: Path, starter: process.Starter) -> process.Outcome:
        """Have the stage work on what was hashed and nothing else.

        Raises:
            StageFailedError: it failed, or something of that changed meanwhile.

        """
        copies = Copies(job.own_files, job.config, inputs["files"], scratch / "own")
        if copies.changed:
            self._refuse(job, copies.changed[0])
        order = self._order(job, scratch / "result", inputs, copies)
        outcome = process.run(job, order, scratch, self._watch(job), starter)
        if "changed" in outcome.report:
            self._refuse(job, outcome.report["changed"], outcome.ended)
        if outcome.failure:
            raise StageFailedError(outcome.failure, outcome.ended)
        if copies.missing:
            self._refuse(job, copies.missing[0], outcome.ended)
        return outcome

    def _order(self, job: Job, result: Path, inputs: Mapping[str, Any], copies: Copies) -> dict[str, Any]:
        """Freeze what the stage may know, so that an edit while it runs can't reach it or is seen."""
        return {
            "config": copies.config,
            "shown_as": copies.shown_as,
            "inputs": {what: store.resolve(need.link).as_posix() for what, need in job.needs.items()},
            "files": {name: sha256 for name, sha256 in inputs["files"].items() if "/" in name},
            "source": inputs["source"],
            "tools": inputs["tools"],
            "into": result.as_posix(),
            "log": job.log.as_posix(),
            "run": self.run_id,
        }

    def _refuse(self, job: Job, name: str, ended: str | None = None) -> NoReturn:
        """End a job that did not work on what its key is made of; all of that is read again the next time."""
        hashes = file_hashes()
        for source in sources.sources(job.stage.module):
            hashes.forget(PACKAGE / source)
        for path in (file.path for file in job.own_files):
            hashes.forget(path)
        for need in job.needs.values():
            hashes.forget(store.resolve(need.link))
        raise StageFailedError(process.changed(job, name), ended)

    def _inherited_stand_in(self, job: Job) -> str | None:
        records = [self._states[need.name].record for need in job.needs.values()]
        return next((record.stand_in for record in records if record and record.stand_in), None)

    def _watch(self, job: Job) -> Callable[[], None]:
        follower = events.Follower(from_now=True)

        def watch() -> None:
            for event in follower.new():
                mine = (event.get("stage"), event.get("experiment"), event.get("target"))
                if event["event"] == "stage_progress" and mine == (job.stage.name, job.experiment, job.target):
                    self.watcher(event)

        return watch

    def _say(self, event: str, job: Job, **facts: Any) -> None:
        facts = {"stage": job.stage.name, "experiment": job.experiment, "target": job.target, **facts}
        events.emit(event, run=self.run_id, **facts)
        self.watcher({"event": event, **facts})


def _seed(job: Job) -> int | None:
    return next(
        (section["seed"] for section in job.config.values() if isinstance(section, dict) and "seed" in section), None
    )


def _machine() -> dict[str, Any]:
    """Say where a result was made; it does not matter to whether the result is fresh."""
    return {
        "platform": platform.platform(),
        "python": platform.python_version(),
        "container": in_docker.inside(),
    }


def _disk_sentence(error: OSError) -> str:
    where = error.filename or "build/"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full ({where}). Free space, or run: doit prune"
    if error.errno == errno.EROFS:
        return f"the disk is read-only ({where}). Build in a checkout that can be written to"
    return f"{where}: {error.strerror or error}"
