"""One job at work: its stage gets what was hashed and nothing else, and what it leaves is described."""

import platform
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from pipeline.engine import docker
from pipeline.engine.digests.fingerprint import PACKAGE
from pipeline.engine.digests.own_files import Copies
from pipeline.engine.job_graph import Job
from pipeline.engine.project import Project
from pipeline.engine.results.record import SCHEMA, Record
from pipeline.engine.results.store import resolve
from pipeline.engine.running import process
from pipeline.errors import UnrollError


class StageFailedError(UnrollError):
    """A stage could not make its result; the sentence says why and what to do."""

    def __init__(self, sentence: str, ended: str | None = None) -> None:
        """Take the sentence, and how the stage's process ended if there was one."""
        super().__init__(sentence)
        self.ended = ended


class Making:
    """The work on one result."""

    def __init__(self, project: Project, job: Job, inputs: Mapping[str, Any], run_id: str) -> None:
        """Take what goes in, as it was hashed."""
        self._project = project
        self._job = job
        self._inputs = inputs
        self._run_id = run_id

    def work(self, scratch: Path, run: Callable[[dict[str, Any]], process.Outcome], result: Path) -> process.Outcome:
        """Have the stage work on what was hashed and nothing else.

        Args:
            scratch: a folder for copies of the user's own files.
            run: runs the stage's process with its order.
            result: an empty folder, where the stage leaves its artefacts.

        Raises:
            StageFailedError: it failed, or something of that changed meanwhile.

        """
        copies = Copies(self._job.own_files, self._job.config, self._inputs["files"], scratch / "own")
        if copies.changed:
            self._refuse(copies.changed[0])
        outcome = run(self._order(result, copies))
        if "changed" in outcome.report:
            self._refuse(outcome.report["changed"], outcome.ended)
        if outcome.failure:
            raise StageFailedError(outcome.failure, outcome.ended)
        if copies.missing:
            self._refuse(copies.missing[0], outcome.ended)
        return outcome

    def record(self, key: str, result: Path, outcome: process.Outcome, stand_in: str | None) -> Record:
        """Describe a result.

        Args:
            key: the digest of what went in.
            result: the folder with its artefacts, which are read-only from now on.
            outcome: what its stage said of it.
            stand_in: what the results it was made from stand in for, if they do.

        """
        report = outcome.report
        return Record(
            schema=SCHEMA,
            stage=self._job.stage.name,
            experiment=self._job.experiment,
            target=self._job.target,
            key=key,
            inputs={**self._inputs, "seed": _seed(self._job), "made_on": _machine()},
            outputs=self._project.store.describe_outputs(result),
            metrics=report["metrics"],
            unavailable=report["unavailable"],
            basis=report["basis"],
            warnings=report["warnings"],
            stand_in=report["stand_in"] or stand_in,
            seconds=round(outcome.seconds, 3),
            seconds_importing=report["seconds_importing"],
            peak_memory_bytes=report["peak_memory_bytes"],
            finished=round(time.time(), 3),
        )

    def _order(self, result: Path, copies: Copies) -> dict[str, Any]:
        """Freeze what the stage may know, so that an edit while it runs can't reach it or is seen."""
        return {
            "config": copies.config,
            "shown_as": copies.shown_as,
            "inputs": {what: resolve(need.link).as_posix() for what, need in self._job.needs.items()},
            "files": {name: sha256 for name, sha256 in self._inputs["files"].items() if "/" in name},
            "source": self._inputs["source"],
            "tools": self._inputs["tools"],
            "into": result.as_posix(),
            "log": self._job.shown_log.as_posix(),
            "events": self._project.events.file.as_posix(),
            "run": self._run_id,
        }

    def _refuse(self, name: str, ended: str | None = None) -> NoReturn:
        """End a job that did not work on what its key is made of; all of that is read again the next time."""
        hashes = self._project.hashes
        for source in self._inputs["source"]:
            hashes.forget(PACKAGE.parent / source)
        for file in self._job.own_files:
            hashes.forget(file.place)
        for need in self._job.needs.values():
            hashes.forget(resolve(need.link))
        raise StageFailedError(process.changed(self._job, name), ended)


def _seed(job: Job) -> int | None:
    return next(
        (section["seed"] for section in job.config.values() if isinstance(section, dict) and "seed" in section), None
    )


def _machine() -> dict[str, Any]:
    """Say where a result was made; it does not matter to whether the result is fresh."""
    return {
        "platform": platform.platform(),
        "python": platform.python_version(),
        "container": docker.inside(),
    }
