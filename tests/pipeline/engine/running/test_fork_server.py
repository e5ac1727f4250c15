"""Stages that are forked: they run, are logged, are killed and end with the build as those of a fresh Python."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.engine.running.fork_server import ForkServer
from tests.conftest import ROOT
from tests.models import chain, packed

STAND_IN = """
import os, sys, time
from pipeline.engine.running import run

def main(words):
    print("words", *words, "leader", os.getpgrp() == os.getpid(), flush=True)
    exec(words[0])
    return 0

run.main = main
"""
"""In place of a stage: does what its first word says."""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "unroll_stand_in.py").write_text(STAND_IN, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT)]))
    return "unroll_stand_in"


def _gone(pid: int) -> Callable[[], bool]:
    def gone() -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True

    return gone


def _wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def test_a_stage_runs_and_reports_as_in_a_fresh_python(tmp_path: Path) -> None:
    order: dict[str, object] = {"into": str(tmp_path / "into"), "log": "a.log", "run": "1", "events": "events.jsonl"}
    order |= {"report": str(tmp_path / "report.json"), "module": "pipeline.stages.nothing"}
    order |= {fact: {} for fact in ("config", "shown_as", "inputs", "files", "source", "tools")}
    (tmp_path / "order.json").write_text(json.dumps(order), encoding="utf-8")
    said = []
    for modules in ((), ("no_such_module",)):
        with ForkServer(*modules) as server:
            child = server.start(
                ["nothing", "tiny", "--order", str(tmp_path / "order.json")], tmp_path / "a.log", tmp_path
            )
            assert child.wait() == child.poll() == 1
            if child.stdin:
                child.stdin.close()
            said.append(json.loads((tmp_path / "report.json").read_bytes()))
    assert said[0] == said[1]
    assert "pipeline.stages.nothing" in said[0]["error"]


def test_each_stage_leads_its_own_group_and_has_its_own_log(stand_in: str, tmp_path: Path) -> None:
    with ForkServer(stand_in) as server:
        for name in ("one", "two"):
            assert server.start(["pass", name], tmp_path / f"{name}.log", tmp_path).wait() == 0
    assert (tmp_path / "one.log").read_text(encoding="utf-8") == "words pass one leader True\n"
    assert (tmp_path / "two.log").read_text(encoding="utf-8") == "words pass two leader True\n"


@pytest.mark.parametrize(
    ("does", "code"), [("os._exit(3)", 3), ("os.kill(os.getpid(), 11)", -11), ("raise ValueError", 1)]
)
def test_how_it_ended_is_told_and_the_next_one_is_unharmed(stand_in: str, tmp_path: Path, does: str, code: int) -> None:
    with ForkServer(stand_in) as server:
        assert server.start([does], tmp_path / "log", tmp_path).wait() == code
        assert server.start(["pass"], tmp_path / "log", tmp_path).wait() == 0


def test_it_can_be_waited_for_a_while_and_then_killed(stand_in: str, tmp_path: Path) -> None:
    with ForkServer(stand_in) as server:
        child = server.start(["time.sleep(60)"], tmp_path / "log", tmp_path)
        assert child.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(0.02)
        os.killpg(child.pid, signal.SIGTERM)
        assert child.wait() == -signal.SIGTERM


def test_it_can_be_killed_from_the_moment_its_pid_is_known(stand_in: str, tmp_path: Path) -> None:
    with ForkServer(stand_in) as server:
        for _ in range(30):
            child = server.start(["time.sleep(60)"], tmp_path / "log", tmp_path)
            os.killpg(child.pid, signal.SIGKILL)
            assert child.wait() == -signal.SIGKILL


def test_a_server_that_was_killed_is_replaced(stand_in: str, tmp_path: Path) -> None:
    with ForkServer(stand_in) as server:
        child = server.start(["time.sleep(60)"], tmp_path / "log", tmp_path)
        parent = int(Path(f"/proc/{child.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
        os.kill(parent, signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        os.killpg(child.pid, signal.SIGKILL)
        assert server.start(["pass"], tmp_path / "log", tmp_path).wait() == 0


def test_a_stage_sees_the_build_go_away(stand_in: str, tmp_path: Path) -> None:
    with ForkServer(stand_in) as server:
        child = server.start(["os.read(0, 1)"], tmp_path / "log", tmp_path)
    _wait_until(_gone(child.pid))


def test_a_fork_runs_what_its_server_loaded_and_knows_of_which_bytes(tmp_path: Path) -> None:
    """An edit after the server began reaches no stage; a server that began after the edit tells of it."""
    shutil.copytree(ROOT / "pipeline", tmp_path / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    name = "pipeline/frontends/tflite.py"
    source = tmp_path / name
    (tmp_path / "model.tflite").write_bytes(packed(chain()))
    order: dict[str, object] = {fact: {} for fact in ("shown_as", "inputs", "files", "tools")}
    order |= {"module": "pipeline.stages.imported", "run": "1", "events": "events.jsonl"}
    order |= {"config": {"model": {"tflite": "model.tflite"}}, "into": "into", "log": "log", "report": "report.json"}
    order |= {"source": {name: hashlib.sha256(source.read_bytes()).hexdigest()}}
    (tmp_path / "order.json").write_text(json.dumps(order), encoding="utf-8")
    reports = []
    for _ in range(2):
        with ForkServer("pipeline.frontends.tflite") as server:
            for _ in range(2):
                (tmp_path / "into").mkdir(exist_ok=True)
                server.start(["quantized", "own", "--order", "order.json"], Path("log"), tmp_path).wait()
                reports.append(json.loads((tmp_path / "report.json").read_bytes()))
                source.write_text(f"{source.read_text(encoding='utf-8')}# edited\n", encoding="utf-8")
    assert ["metrics" in report for report in reports] == [True, True, False, False]
    assert reports[2] == reports[3] == {"changed": name}
