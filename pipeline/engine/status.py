"""Stale or fresh, and why in words, without running anything."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from pipeline.engine.digests.fingerprint import digest
from pipeline.engine.digests.own_files import MISSING
from pipeline.engine.job_graph import Job
from pipeline.engine.project import Project
from pipeline.engine.results.record import RECORD, SCHEMA, BrokenRecordError, Record, damage, misfit, read_record


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one job."""

    fresh: bool
    reasons: tuple[str, ...]
    """Why it is stale; empty when it is fresh."""
    inputs: dict[str, Any] | None
    """What would go in; None while a stage it needs has to be made first."""
    record: Record | None
    """The result now shown, fresh or stale, if it can be read."""
    in_place: bool
    """The result shown is whole and is the one its inputs ask for."""
    kept: Record | None = None
    """Stale, but the store can bring this result back."""

    @property
    def remembered(self) -> bool:
        """Whether the store can bring its result back."""
        return self.kept is not None

    @property
    def result(self) -> Record | None:
        """What it has made, or what the store will bring back for it."""
        return self.record if self.in_place else self.kept

    @property
    def key(self) -> str | None:
        """The digest of what would go in."""
        return None if self.inputs is None else digest(self.inputs)


MadeWith = tuple[Mapping[str, str], Mapping[str, str]]
"""The digests of sources, and the versions of tools."""


class Assessor:
    """Assesses jobs; remembers what it found, as long as nothing that a job depends on changes."""

    def __init__(self, project: Project) -> None:
        """Look at our sources, the tools, and what was forgotten."""
        self._project = project
        self._store = os.fspath(project.store.folder)
        self._assessed: dict[str, tuple[tuple[Any, ...] | None, State]] = {}
        self.look_again()

    def look_again(self) -> None:
        """See our sources, the tools and what was forgotten as they are now, and not as they were at the last look."""
        self._toolchain = self._project.toolchain()
        self.see_forgotten()

    def see_forgotten(self) -> None:
        """See what was forgotten as it is now: another process may have made it."""
        self._forgotten = self._project.forgotten.names()

    def remember(self, job: Job) -> None:
        """Take a job that is made off what was forgotten."""
        if job.name in self._forgotten:
            self._project.forgotten.remove(job.name)
            self._forgotten -= {job.name}

    def assess(self, job: Job, upstream: Mapping[str, State]) -> State:
        """Say how a job stands, given the states of the jobs it needs by name."""
        record, trouble = self._read(job.link)
        results = {what: upstream[need.name].result for what, need in job.needs.items()}
        made_with = self._made_with(job)
        seen = (job, record, trouble, tuple(results.values()), job.name in self._forgotten, *made_with)
        state = self._assessed.get(job.name, _NOTHING)
        if not job.needs or job.own_files or state[0] != seen:  # files of the user's own change unseen
            state = (seen, self._judged(job, record, trouble, results, made_with))
            self._assessed[job.name] = state
        judged = state[1]
        return judged if judged.in_place else self._with_kept(job, judged)

    def _judged(
        self,
        job: Job,
        record: Record | None,
        trouble: str,
        results: Mapping[str, Record | None],
        made_with: "MadeWith",
    ) -> State:
        waiting = [job.needs[what].stage.name for what, result in results.items() if result is None]
        inputs = self._inputs(job, {what: result for what, result in results.items() if result is not None}, made_with)
        reasons = [trouble] if trouble else _differences(record, inputs, job, partial=bool(waiting))
        reasons += [f"downstream of {stage}" for stage in waiting]
        in_place = not reasons
        if in_place and job.name in self._forgotten:
            reasons = ["forgotten (doit forget)"]
        return State(
            fresh=not reasons,
            reasons=tuple(reasons),
            inputs=None if waiting else inputs,
            record=record,
            in_place=in_place,
        )

    def _with_kept(self, job: Job, state: State) -> State:
        key = state.key
        kept = self._kept(key) if key else None
        if kept is None or (kept.stand_in and not job.needs):
            return state
        return msgspec.structs.replace(state, kept=kept)

    def _kept(self, key: str) -> Record | None:
        """Return the record of the result that the store would bring back; a damaged or foreign one it discards."""
        kept = self._project.store.find(key)
        record, trouble = self._read(kept) if kept else (None, "")
        return None if trouble or (record and misfit(record, key)) else record

    def _read(self, shown: Path) -> tuple[Record | None, str]:
        """Return the record of a result, given its link or its folder, and what is wrong with the result."""
        place = os.fspath(shown)
        try:
            home = f"{self._store}/{os.readlink(place).rpartition('/')[2]}"
        except OSError:
            home = place
        try:
            record = read_record(home)
        except FileNotFoundError:
            return None, "never built" if not os.path.isdir(home) else f"{RECORD} is missing"
        except BrokenRecordError as error:
            return None, str(error)
        except OSError as error:
            return None, f"{RECORD} can't be read: {error.strerror}"
        return record, damage(home, record, self._project.hashes) or ""

    def _made_with(self, job: Job) -> "MadeWith":
        """Return the digests of a job's sources and the versions of its tools."""
        return self._toolchain.source_digests(job.stage.module), self._toolchain.versions(job.stage.tools)

    def _inputs(self, job: Job, needed: Mapping[str, Record], made_with: "MadeWith") -> dict[str, Any]:
        """Collect what goes into a job; its digest is the result's key."""
        source, tools = made_with
        files = {
            f"{stage}/{name}": facts["sha256"]
            for stage, record in needed.items()
            for name, facts in record.outputs.items()
        }
        return {
            "schema": SCHEMA,
            "stage": job.stage.name,
            "config": _without_paths(job),
            "files": files | self._own_data(job),
            "source": source,
            "tools": tools,
        }

    def _own_data(self, job: Job) -> dict[str, str]:
        """Return the digests of the user's own files that the job reads."""
        digests = {}
        for file in job.own_files:
            try:
                digests[file.name] = self._project.hashes.sha256(file.place)
            except OSError:
                digests[file.name] = MISSING
        return digests


_NOTHING = (None, State(fresh=False, reasons=(), inputs=None, record=None, in_place=False))


def assess_all(project: Project, jobs: Iterable[Job]) -> dict[str, State]:
    """Assess the jobs of an experiment in their order."""
    assessor = Assessor(project)
    states: dict[str, State] = {}
    for job in jobs:
        states[job.name] = assessor.assess(job, states)
    return states


def _without_paths(job: Job) -> dict[str, Any]:
    """Return what a job reads of its experiment, but not where files are found: their content alone matters."""
    return {
        title: {key: value for key, value in job.config[title].items() if key not in section.PATHS}
        for title, section in job.sections.items()
    }


def _differences(record: Record | None, inputs: Mapping[str, Any], job: Job, *, partial: bool) -> list[str]:
    """Say in words how what went in differs from what would go in now."""
    if record is None:
        return ["never built"]
    old = record.inputs
    if not partial and all(old.get(name) == value for name, value in inputs.items()) and not record.stand_in:
        return []
    reasons = [f"{key} {before} -> {after}" for key, before, after in _changes(old["config"], inputs["config"])]
    if not partial:
        reasons += [f"{name.split('/')[-1]} changed" for name, *_ in _changes(old["files"], inputs["files"])]
    reasons += [f"{name} changed" for name, *_ in _changes(old["source"], inputs["source"])]
    reasons += [f"{tool} {before} -> {after}" for tool, before, after in _changes(old["tools"], inputs["tools"])]
    if record.stand_in and not job.needs and (at_hand := job.at_hand):
        reasons.append(f"{at_hand} is at hand now, in place of {record.stand_in}")
    if not reasons and not partial and record.key != digest(dict(inputs)):
        reasons.append("made under another format of results")
    return reasons


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """List (key, before, after) of what differs; tables are entered, and only the last key is named."""
    found = []
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key, "nothing"), new.get(key, "nothing")
        if isinstance(before, dict) and isinstance(after, dict):
            found += _changes(before, after)
        elif before != after:
            found.append((key, _shown(before), _shown(after)))
    return found


def _shown(value: Any) -> str:
    return "none" if value is None else os.fspath(value) if isinstance(value, str) else repr(value)
