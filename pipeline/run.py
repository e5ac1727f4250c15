"""One stage in one process: ``python -m pipeline.run STAGE EXPERIMENT [TARGET] --order FILE``.

The order is written by ``pipeline.build`` and holds everything the stage may know: its part of
the experiment, the folders of the results it reads, and the scratch folder it writes to. The
names on the command line are there for whoever looks at the list of processes.
"""

import argparse
import errno
import importlib
import json
import os
import resource
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline import events
from pipeline.errors import UnrollError
from pipeline.stages.contract import Work


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage; return 0 when it made its result."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.run", description=__doc__)
    parser.add_argument("names", nargs="+", metavar="STAGE EXPERIMENT [TARGET]")
    parser.add_argument("--order", type=Path, required=True, help="the JSON file written by the build")
    options = parser.parse_args(arguments)
    order = json.loads(options.order.read_text(encoding="utf-8"))
    _end_with_the_build()
    report = _report(order, ":".join(options.names))
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


def _report(order: dict[str, Any], name: str) -> dict[str, Any]:
    """Make the result, and return what there is to say of it: metrics, or the error in words."""
    try:
        return _made(order, name)
    except Exception as error:  # noqa: BLE001 - whatever a library raises ends the stage, not the build
        shutil.rmtree(order["into"], ignore_errors=True)  # on a full disk, this makes room for log and report
        if not isinstance(error, UnrollError):
            traceback.print_exc()
        return {"error": _sentence(error, order)}


def _made(order: dict[str, Any], name: str) -> dict[str, Any]:
    started = time.monotonic()
    stage = importlib.import_module(f"pipeline.stages.{order['module']}")
    imported = time.monotonic()
    found = stage.make(_work(order, name))
    return {
        "metrics": found.metrics,
        "unavailable": found.unavailable,
        "basis": found.basis,
        "warnings": list(found.warnings),
        "stand_in": found.stand_in,
        "seconds_importing": round(imported - started, 3),
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


def _work(order: dict[str, Any], name: str) -> Work:
    stage, experiment, target = (*name.split(":"), None)[:3]

    def progress(**facts: Any) -> None:
        events.emit("stage_progress", run=order["run"], stage=stage, experiment=experiment, target=target, **facts)

    return Work(
        config=order["config"],
        inputs={stage: Path(folder) for stage, folder in order["inputs"].items()},
        into=Path(order["into"]),
        report=progress,
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["(no message)"])[0]


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the report is written; TensorFlow would take its time to take itself down
