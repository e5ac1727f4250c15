"""Run Vela in a process of its own, whatever becomes of it."""

import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from typing import Any


def run(arguments: Sequence[str]) -> tuple[int, str]:
    """Run Vela to its end.

    Where Vela is loaded already, as a fork server does, a fork runs it; else a fresh Python.

    Returns:
        Exit code, negative for a signal, and all that it printed.

    """
    loaded = sys.modules.get("ethosu.vela.vela")
    if loaded is not None:
        return _fork(loaded.main, arguments)
    command = [sys.executable, "-m", "ethosu.vela", *arguments]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False
    )
    return done.returncode, done.stdout


def _fork(vela: Callable[[Sequence[str]], Any], arguments: Sequence[str]) -> tuple[int, str]:
    with tempfile.TemporaryFile() as output:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            _become_vela(vela, arguments, output.fileno())
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        output.seek(0)
        return code, output.read().decode(errors="replace")


def _become_vela(vela: Callable[[Sequence[str]], Any], arguments: Sequence[str], output: int) -> None:
    """Do what ``python -m ethosu.vela`` does, and never return."""
    code: object = 1
    try:
        os.dup2(output, 1)
        os.dup2(output, 2)
        code = vela(arguments) or 0
    except SystemExit as end:
        code = end.code or 0
        if not isinstance(code, int):
            print(code)  # noqa: T201 - as Python itself does with such a code
    except BaseException:  # noqa: BLE001 - whatever it is, its text and the code tell of it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)
