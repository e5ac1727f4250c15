"""What a stage's process does: make the result, and say of it what there is to say.

A stage works on what was hashed: whatever went into the result's key is compared with what is read and what runs,
and a result of anything else is none.
"""

import errno
import importlib
import json
import os
import resource
import shutil
import signal
import threading
import traceback
from pathlib import Path
from typing import Any

import msgspec

from pipeline.engine.digests import loading
from pipeline.engine.digests.artefacts import Artefacts
from pipeline.engine.digests.packages import Watch
from pipeline.engine.events import Events
from pipeline.engine.running.import_clock import ImportClock
from pipeline.errors import UnrollError
from pipeline.stage import Stage, Work


def carry_out(order_file: Path, name: str, watch: Watch) -> int:
    """Do as the order says and write the report; return 0 when there is a result.

    Args:
        order_file: JSON, written by ``pipeline.engine.build``.
        name: of the job, as doit calls it.
        watch: sees since before any library was loaded which packages change.

    """
    order = json.loads(order_file.read_text(encoding="utf-8"))
    _end_with_the_build()
    loading.let_children_join(order_file)
    report = _report(order, name, _Evidence(order, order_file, watch))
    Path(order["report"]).write_text(json.dumps(report), encoding="utf-8")
    return 0 if "metrics" in report else 1


def _end_with_the_build() -> None:
    """End the whole process group of this stage when the pipe from the build closes."""

    def watch() -> None:
        while os.read(0, 1):
            pass
        os.killpg(os.getpgrp(), signal.SIGKILL)

    if os.getpgrp() == os.getpid():  # a stage started by hand keeps its terminal
        threading.Thread(target=watch, daemon=True).start()


class _ChangedError(UnrollError):
    """What a stage works on is not what was hashed."""


class _Evidence:
    """Tells whether what this process reads and runs is what the order says."""

    def __init__(self, order: dict[str, Any], order_file: Path, watch: Watch) -> None:
        self._order, self._order_file, self._watch = order, order_file, watch
        files: dict[str, tuple[Path, str]] = {}
        for name, sha256 in order["files"].items():
            stage, _, artefact = name.partition("/")
            files[f"{artefact} of {stage}"] = Path(order["inputs"][stage], artefact), sha256
        self._artefacts = Artefacts(files)

    def changed(self) -> list[str]:
        """Return what is not, or is no longer, as it was hashed."""
        return [
            *self._artefacts.changed(),
            *loading.changed(self._order["source"], self._order_file),
            *self._watch.changed(self._order["tools"]),
        ]

    def check(self) -> None:
        """Go on only if nothing changed.

        Raises:
            _ChangedError: names what changed.

        """
        if changed := self.changed():
            raise _ChangedError(changed[0])


def _report(order: dict[str, Any], name: str, evidence: _Evidence) -> dict[str, Any]:
    """Make the result, and return what there is to say of it: metrics, what changed, or the error in words."""
    try:
        return _made(order, name, evidence)
    except Exception as error:  # noqa: BLE001 - whatever a library raises ends the stage, not the build
        shutil.rmtree(order["into"], ignore_errors=True)  # on a full disk, this makes room for log and report
        if isinstance(error, _ChangedError):
            return {"changed": str(error)}
        if changed := evidence.changed():  # what goes wrong with half a source, or half a package, is not its own fault
            return {"changed": changed[0]}
        if not isinstance(error, UnrollError):
            traceback.print_exc()
        return {"error": _as_users_know_it(_sentence(error, order), order)}


def _made(order: dict[str, Any], name: str, evidence: _Evidence) -> dict[str, Any]:
    clock = ImportClock()
    with clock.running():
        stage: Stage[Any] = importlib.import_module(order["module"]).STAGE
        evidence.check()
        found = stage.make(_work(order, name, stage))
    evidence.check()
    return {
        "metrics": found.metrics,
        "unavailable": found.unavailable,
        "basis": found.basis,
        "warnings": [_as_users_know_it(warning, order) for warning in found.warnings],
        "stand_in": found.stand_in,
        "seconds_importing": round(clock.seconds, 3),
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def _sentence(error: Exception, order: dict[str, Any]) -> str:
    log = f"Log: {order['log']}"
    match error:
        case UnrollError():
            return str(error)
        case ImportError():
            return f"a library is missing or broken ({error}). Remove .venv and run ./doitw. {log}"
        case MemoryError():
            return f"memory ran out. Close other programs or lower batch_size. {log}"
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return f"the disk is full ({error.filename or order['into']}). Free space, or run: doit prune"
    return f"{type(error).__name__}: {_first_line(error)} {log}"


def _as_users_know_it(sentence: str, order: dict[str, Any]) -> str:
    """Name the user's files in place of the copies that the stage was given."""
    for copy, path in order["shown_as"].items():
        sentence = sentence.replace(str(Path(copy).resolve()), path).replace(copy, path)
    return sentence


def _work(order: dict[str, Any], name: str, declared: Stage[Any]) -> Work[Any]:
    stage, experiment, target = (*name.split(":"), None)[:3]
    events = Events(Path(order["events"]))

    def progress(**facts: Any) -> None:
        events.emit("stage_progress", run=order["run"], stage=stage, experiment=experiment, target=target, **facts)

    return Work(
        config=msgspec.convert(order["config"], declared.config),
        inputs={what: Path(folder) for what, folder in order["inputs"].items()},
        into=Path(order["into"]),
        report=progress,
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["(no message)"])[0]
