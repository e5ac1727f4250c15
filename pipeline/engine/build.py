"""The build: what it knows of the jobs, who watches, and making one job after the other."""

import errno
import os
import platform
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.engine.job_graph import Job
from pipeline.engine.making import Making, StageFailedError
from pipeline.engine.project import Project
from pipeline.engine.running import process
from pipeline.engine.status import Assessor, State
from pipeline.errors import UnrollError

if TYPE_CHECKING:
    from filelock import BaseFileLock

Watcher = Callable[[dict[str, Any]], None]
"""Is given the events of this build as they happen."""


class Build:
    """The build of one process: what it knows of a project's jobs, and who watches."""

    def __init__(self, project: Project, processes: process.Processes | None = None) -> None:
        """Know nothing yet, and show progress to nobody.

        Args:
            project: what is built.
            processes: runs the stages; processes of their own by default.

        """
        self.project = project
        self.processes = processes or process.Processes()
        self.run_id = f"{os.getpid()}-{int(time.time())}"
        self.watcher: Watcher = lambda event: None  # noqa: ARG005
        self.on_wait: Callable[[str], None] = lambda sentence: None  # noqa: ARG005
        self.plan: Callable[[], list[str]] = list
        """Tells the jobs that this build is asked for, in order."""
        self.warnings: list[str] = []
        self._lock: BaseFileLock | None = None
        self._taking_lock = threading.Lock()
        self.one_at_a_time = threading.Lock()
        """Is held by who makes many jobs at once."""
        self._assessor = Assessor(project)
        self._states: dict[str, State] = {}

    def state(self, job: Job) -> State:
        """Assess a job, and the jobs it needs if that has not been done."""
        upstream = {need.name: self._states.get(need.name) or self.state(need) for need in job.needs.values()}
        state = self._assessor.assess(job, upstream)
        self._states[job.name] = state
        return state

    def known(self, job: Job) -> State:
        """Return the state last seen of a job."""
        return self._states.get(job.name) or self.state(job)

    def is_fresh(self, job: Job) -> bool:
        """Tell doit whether a task is up to date, under the build folder's lock if it is not.

        A no-op takes no lock, since nothing that a result depends on is ever changed in place.
        """
        if self.state(job).fresh:
            return True
        if self._lock is None and self.begin():
            self._states.clear()  # whoever had the lock may have done the work
            self._assessor.see_forgotten()
        return self.state(job).fresh

    def begin(self) -> bool:
        """Take the lock of the build folder, if this build has not; return whether it had to wait."""
        waited: list[str] = []

        def wait(sentence: str) -> None:
            waited.append(sentence)
            self.on_wait(sentence)

        with self._taking_lock:
            if self._lock is None:
                self._lock = self.project.lock.acquire(wait)
                events = self.project.events
                events.set_aside_when_large()
                who = {"pid": os.getpid(), "host": platform.node()}
                events.emit("run_started", run=self.run_id, **who, command=sys.argv[1:], plan=self.plan())
        return bool(waited)

    def end(self, failed: list[str]) -> None:
        """Leave the build folder to others."""
        if self._lock is not None:
            self.project.events.emit("run_ended", run=self.run_id, failed=failed)
            self._lock.release()
            self._lock = None

    def warn(self, sentence: str) -> None:
        """Keep a sentence for the end of the build; what holds for many jobs is said once."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def make(self, job: Job, starter: process.Starter = process.start) -> None:
        """Restore a job's result or make it.

        A result that is in place already is made again: doit only asks for that after
        ``doit forget`` or with ``doit --always-execute``.

        Raises:
            StageFailedError: a sentence for the user.
            process.Interrupted: the build was told to stop.

        """
        self.begin()
        log = job.shown_log.as_posix()
        try:
            self._restore_or_run(job, starter)
        except UnrollError as error:
            self._say("stage_failed", job, message=str(error), log=log, ended=getattr(error, "ended", None))
            raise
        except OSError as error:
            failure = StageFailedError(self._disk_sentence(error))
            self._say("stage_failed", job, message=str(failure), log=log)
            raise failure from None
        except process.Interrupted:
            self._say("stage_failed", job, message="stopped", log=log)
            raise
        finally:
            self.project.hashes.save()

    def _restore_or_run(self, job: Job, starter: process.Starter) -> None:
        state = self.state(job)
        kept = state.key and not state.in_place and self.project.store.restore(state.key, job.link, self.warn)
        if kept:
            self._say("stage_restored", job, metrics=kept.metrics)
        else:
            self._run(job, state, starter)
        self._assessor.remember(job)
        self.state(job)

    def _run(self, job: Job, state: State, starter: process.Starter) -> None:
        if state.inputs is None or state.key is None:
            message = f"{job.name} needs {', '.join(need.name for need in job.needs.values())}; run: doit {job.name}"
            raise StageFailedError(message)
        self._say("stage_started", job, reasons=state.reasons or ["asked for again"])
        store = self.project.store
        with store.scratch_folder() as scratch:
            result = scratch / "result"
            result.mkdir()
            making = Making(self.project, job, state.inputs, self.run_id)
            watch = self._watch(job)
            outcome = making.work(
                scratch, lambda order: self.processes.run(job, order, scratch, watch, starter), result
            )
            record = making.record(state.key, result, outcome, self._inherited_stand_in(job))
            store.publish(result, record, job.link)
        self._say("stage_done", job, seconds=record.seconds, metrics=record.metrics)
        store.feed_shared(job.link, self.warn)

    def _inherited_stand_in(self, job: Job) -> str | None:
        records = [self._states[need.name].record for need in job.needs.values()]
        return next((record.stand_in for record in records if record and record.stand_in), None)

    def _watch(self, job: Job) -> Callable[[], None]:
        follower = self.project.events.follow(from_now=True)

        def watch() -> None:
            for event in follower.new():
                mine = (event.get("stage"), event.get("experiment"), event.get("target"))
                if event["event"] == "stage_progress" and mine == (job.stage.name, job.experiment, job.target):
                    self.watcher(event)

        return watch

    def _say(self, event: str, job: Job, **facts: Any) -> None:
        facts = {"stage": job.stage.name, "experiment": job.experiment, "target": job.target, **facts}
        self.project.events.emit(event, run=self.run_id, **facts)
        self.watcher({"event": event, **facts})

    def _disk_sentence(self, error: OSError) -> str:
        where = self.project.shown(Path(os.fsdecode(error.filename))) if error.filename else "build/"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return f"the disk is full ({where}). Free space, or run: doit prune"
        if error.errno == errno.EROFS:
            return f"the disk is read-only ({where}). Build in a checkout that can be written to"
        return f"{where}: {error.strerror or error}"
