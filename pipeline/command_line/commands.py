"""What the dodo file offers beside building: status, prune, Docker, and unlinking for ``doit clean``."""

import errno
import json
import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from doit.exceptions import InvalidDodoFile, TaskFailed

from pipeline.engine.job_graph import Job
from pipeline.engine.project import Project
from pipeline.engine.results.store import resolve
from pipeline.engine.status import State, assess_all
from pipeline.errors import UnrollError
from pipeline.experiments.experiment import TWIN
from pipeline.stages.catalogue import by_name
from pipeline.text import tables

if TYPE_CHECKING:
    from pipeline.engine.rehash import Rehashed

STATUS_SCHEMA = 2
_UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def prepare_build_folder(project: Project) -> None:
    """Make ``build/``, which a build needs before it takes the lock.

    Raises:
        InvalidDodoFile: doit shows it in one line and ends with 3.

    """
    try:
        project.build.mkdir(exist_ok=True)
        probe = project.build / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InvalidDodoFile(_unwritable(project, error)) from None


def _unwritable(project: Project, error: OSError) -> str:
    build = project.shown(project.build)
    owner = project.build.stat().st_uid if project.build.exists() else os.geteuid()
    if error.errno == errno.EACCES and owner != os.geteuid():
        remedy = f"It belongs to user {owner}, and you are {os.geteuid()}: sudo chown -R {os.geteuid()} {build}"
    else:
        remedy = "Free or remount the disk, or build elsewhere"
    return f"{build}/ can't be written to: {error.strerror}. {remedy}"


def unlink(job: Job, dryrun: bool) -> None:  # noqa: FBT001 - doit calls it with this name
    """Take a job's result out of sight; the store still remembers it."""
    if job.link.is_symlink():
        print(f"{job.name} - unlinking {job.shown_link}")  # noqa: T201 - what a clean action is for
        if not dryrun:
            job.link.unlink()
            with suppress(OSError):
                job.link.parent.rmdir()


def unlink_all(project: Project, folder: Path, dryrun: bool) -> None:  # noqa: FBT001 - doit calls it with this name
    """Take the results that a folder shows out of sight; the store still remembers them."""
    for link in sorted(folder.rglob("*")):
        if link.is_symlink():
            print(f"unlinking {project.shown(link)}")  # noqa: T201 - what a clean action is for
            if not dryrun:
                link.unlink()


def prune(project: Project, keep: str, check: bool = False) -> TaskFailed | None:  # noqa: FBT001, FBT002 - doit calls it with this name
    """Bound the size of the store; with ``check``, read all of it first, and fail if something was damaged."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?B?)", keep.strip(), re.IGNORECASE)
    if not match:
        return TaskFailed(f"--keep {keep}: give a size such as 500MB or 5GB")
    unit = match[2].upper()
    bytes_kept = float(match[1]) * _UNITS[unit if unit in _UNITS else f"{unit}B"] if unit != "B" else float(match[1])
    held = project.lock.acquire(print)
    damaged = _remove_damaged(project) if check else 0
    freed, left = project.store.prune(int(bytes_kept))
    project.hashes.save()
    held.release()
    print(f"freed {tables.figure(freed / 1e6, 1)} MB; the store holds {tables.figure(left / 1e6, 1)} MB")  # noqa: T201
    return TaskFailed("", report=False) if damaged else None


def _remove_damaged(project: Project) -> int:
    """Remove the results of the store that are not what their records say; name them, and return how many."""
    from pipeline.engine import rehash  # noqa: PLC0415

    read = rehash.remembered(project)
    shown_at = {project.shown(resolve(link)): project.shown(link) for link in project.store.shown_links()}
    for each in read.damaged:
        where = shown_at.get(each.result, "shown nowhere")
        print(f"removed {each.result} ({where}): {each.reason}")  # noqa: T201
        project.store.discard(project.root / each.result)
    print(read.sentence)  # noqa: T201
    return len(read.damaged)


def status(
    project: Project,
    experiments: Mapping[str, "list[Job] | UnrollError"],
    as_json: bool,  # noqa: FBT001 - doit calls it with this name
    names: list[str],
    reread: bool = False,  # noqa: FBT001, FBT002 - as well
) -> TaskFailed | None:
    """Print how every stage stands; a failed task, hence exit code 1, when any is not fresh.

    Args:
        project: where they are built.
        experiments: their jobs by name, or what is wrong with them.
        as_json: print JSON.
        names: of the experiments that are asked for; all by default.
        reread: read every result again, damaged ones fail, too.

    """
    unknown = [name for name in names if name not in experiments]
    if unknown:
        return TaskFailed(f"no experiment {unknown[0]!r}; there are: {', '.join(experiments)}")
    chosen = {name: experiments[name] for name in names or experiments}
    from pipeline.engine import rehash  # noqa: PLC0415

    read = rehash.shown(project, names or None) if reread else None
    rows = [row for name, jobs in chosen.items() for row in _rows(project, name, jobs)]
    project.hashes.save()
    if as_json:
        found = {name: _payback(project, jobs, experiments.get(name + TWIN)) for name, jobs in chosen.items()}
        pays = {name: each for name, each in found.items() if each}
        document = {"schema": STATUS_SCHEMA, "stages": rows, "payback": pays}
        json.dump(document | ({"rehash": msgspec.to_builtins(read)} if read else {}), sys.stdout, indent=1)
        print()  # noqa: T201
    else:
        _print_rows(rows)
        _print_rehashed(read)
    whole = all(row["state"] == "fresh" for row in rows) and not (read and read.damaged)
    return None if whole else TaskFailed("", report=False)


def _print_rehashed(read: "Rehashed | None") -> None:
    if read:
        for each in read.damaged:
            print(f"damaged: {each.result}: {each.reason}")  # noqa: T201
        print(read.sentence)  # noqa: T201


def _rows(project: Project, name: str, jobs: "list[Job] | UnrollError") -> list[dict[str, Any]]:
    if isinstance(jobs, UnrollError):
        return [
            {"task": f"{stage}:{name}", "experiment": name, "stage": stage, "target": None}
            | {"state": "invalid", "reasons": [str(jobs)], "remembered": False, "result": None}
            for stage in by_name()
        ]
    states = assess_all(project, jobs)
    return [_row(job, states[job.name]) for job in jobs]


def _payback(
    project: Project, jobs: "list[Job] | UnrollError", twins: "list[Job] | UnrollError | None"
) -> dict[str, Any]:
    """Return by target what compressing pays back, where both results are in place."""
    from pipeline.views import uncompressed  # noqa: PLC0415 - a build owes it nothing, as below

    if isinstance(jobs, UnrollError) or isinstance(twins, UnrollError) or twins is None:
        return {}
    pairs = [
        [(job, state.record) for job in each if (state := states[job.name]).in_place and state.record]
        for each in (jobs, twins)
        if (states := assess_all(project, each))
    ]
    return {each.target: {"before": each.before, "now": each.now} for each in uncompressed.paybacks(*pairs)}


def _row(job: Job, state: State) -> dict[str, Any]:
    record = state.record
    return {
        "task": job.name,
        "experiment": job.experiment,
        "stage": job.stage.name,
        "target": job.target,
        "state": "fresh" if state.fresh else "stale",
        "reasons": list(state.reasons),
        "remembered": state.remembered,
        "result": None if record is None else job.shown_link.as_posix(),
        "stand_in": record.stand_in if record else None,
        "seconds": record.seconds if record else None,
        "finished": record.finished if record else None,
        "metrics": record.metrics if record else None,
        "unavailable": record.unavailable if record else {},
    }


def _print_rows(rows: list[dict[str, Any]]) -> None:
    width = max((len(row["task"]) for row in rows), default=0)
    for row in rows:
        words = "; ".join(row["reasons"])
        if row["remembered"]:
            words += " (remembered: will be restored)"
        if row.get("stand_in"):
            words += f" [stand-in data: {row['stand_in']}]"
        print(f"{row['task']:<{width}}  {row['state']:<7}  {words}".rstrip())  # noqa: T201


def image(project: Project) -> TaskFailed | None:
    """Make the Docker image, if what goes into it changed."""
    from pipeline.engine.docker.image import ensure_image  # noqa: PLC0415 - most runs have nothing to do with Docker

    try:
        ensure_image(project.root)
    except UnrollError as error:
        return TaskFailed(str(error))
    return None


def run_in_docker(project: Project, words: list[str]) -> TaskFailed | None:
    """Run doit in a container; ends this program with the exit code of that one unless it is 0."""
    from pipeline.engine.docker import container  # noqa: PLC0415 - as above

    try:
        code = container.run(words, project.root)
    except UnrollError as error:
        return TaskFailed(str(error))
    if code:
        raise SystemExit(code)
    return None
