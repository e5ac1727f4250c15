"""Vela in a fork says the same as Vela in a fresh Python: exit code or signal, and all that it printed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.npu import vela_process
from tests.conftest import ROOT

LOADED = """
import json, os, sys, types
from pipeline.npu import vela_process

def main(arguments):
    print("told", *arguments, flush=True)
    os.system("echo from a child")
    exec(arguments[0])
    return None

sys.modules["ethosu.vela.vela"] = types.SimpleNamespace(main=main)
print(json.dumps(vela_process.run([sys.argv[1]])))
"""
"""A process in which Vela is loaded; what stands for Vela does what its first argument says."""


def forked(does: str) -> tuple[int, str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", LOADED, does]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    code, printed = json.loads(done.stdout)
    return code, printed


@pytest.mark.parametrize(
    ("does", "code"),
    [
        ("pass", 0),
        ("sys.exit(2)", 2),
        ("sys.exit()", 0),
        ("os.kill(os.getpid(), 11)", -11),
    ],
)
def test_how_it_ended_and_what_it_printed(does: str, code: int) -> None:
    assert forked(does) == (code, f"told {does}\nfrom a child\n")


@pytest.mark.parametrize(
    ("does", "last"), [("sys.exit('no model')", "no model"), ("1 / 0", "ZeroDivisionError: division by zero")]
)
def test_what_it_died_of_is_the_last_line(does: str, last: str) -> None:
    code, printed = forked(does)
    assert code == 1
    assert printed.splitlines()[-1] == last


def test_both_ways_compile_to_the_same_bytes(models: Path, tmp_path: Path) -> None:
    told = ["--config", "Arm/vela.ini", "--accelerator-config", "ethos-u55-128"]
    told += ["--system-config", "Ethos_U55_High_End_Embedded", "--memory-mode", "Shared_Sram"]
    model = str(models / "on_npu.tflite")
    script = (
        "import sys, ethosu.vela.vela\nfrom pipeline.npu import vela_process\nprint(*vela_process.run(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", script, model, "--output-dir", str(tmp_path / "fork"), *told]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
    code, _ = vela_process.run([model, "--output-dir", str(tmp_path / "fresh"), *told])
    assert code == 0
    fork, fresh = ({path.name: path.read_bytes() for path in (tmp_path / way).iterdir()} for way in ("fork", "fresh"))
    assert fork == fresh
