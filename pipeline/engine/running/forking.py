"""The process of a fork server: loads modules once and forks a stage for each line that it is told.

Started by ``fork_server`` beside it. Only what lets it see what it loads is imported here, as in ``run``: what a fork
finds loaded has the digests that were read then.
"""

import importlib
import json
import os
import sys
from collections.abc import Sequence

from pipeline.engine.digests import loading


def serve(arguments: Sequence[str]) -> None:
    """Load the modules, then fork a stage for every line, and tell its pid and its code."""
    alive = int(arguments[0])
    for module in ("pipeline.engine.running.run", "pipeline.engine.running.work", *arguments[1:]):
        importlib.import_module(module)
    for line in sys.stdin.buffer:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become_a_stage(order["words"], order["log"], alive)
        os.setpgid(pid, pid)  # the fork does so too: whichever comes first, who is told the pid can signal its group
        _tell(pid)
        _tell(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def _tell(number: int) -> None:
    os.write(1, f"{number}\n".encode())


def _become_a_stage(words: list[str], log: str, alive: int) -> None:
    """Do what ``pipeline.engine.running.process.start`` does for a fresh Python, and never return."""
    from pipeline.engine.running import run  # noqa: PLC0415 - it looks at the packages when the server loads it

    code = 1
    try:
        os.setpgid(0, 0)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        for source, standard in ((alive, 0), (output, 1), (output, 2)):
            os.dup2(source, standard)
        code = run.main(words)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__mp_main__":
    loading.join()

if __name__ == "__main__":
    loading.watch()
    serve(sys.argv[1:])
