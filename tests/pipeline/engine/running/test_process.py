import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.engine.job_graph import Job
from pipeline.engine.project import Project
from pipeline.engine.running import process
from pipeline.engine.running.process import Processes

WAIT = 20.0


@pytest.fixture
def fake_stage(workplace: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run a script in place of ``pipeline.engine.running.run``: what is tested is the life and death of the process."""
    home = workplace.root / "fake"
    package = home / "pipeline" / "engine" / "running"
    package.mkdir(parents=True)
    for folder in (package, package.parent, package.parent.parent):
        (folder / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(home))
    monkeypatch.setattr(process, "ENVIRONMENT", {})
    return package / "run.py"


HEAD = "import json, os, signal, sys, time\norder = json.load(open(sys.argv[sys.argv.index('--order') + 1]))\n"
REPORT = "json.dump({'metrics': {}}, open(order['report'], 'w'))\n"


def _run(job: Job, script: Path, body: str) -> process.Outcome:
    script.write_text(HEAD + body)
    return Processes().run(job, {}, _scratch(job), lambda: None)


def _scratch(job: Job) -> Path:
    folder = job.root / "scratch"
    folder.mkdir(exist_ok=True)
    return folder


def test_a_stage_that_reports_and_ends_well_succeeded(jobs: dict[str, Job], fake_stage: Path) -> None:
    outcome = _run(jobs["network"], fake_stage, REPORT)
    assert outcome.failure is None
    assert outcome.report == {"metrics": {}}
    assert outcome.seconds > 0


def test_what_a_stage_prints_goes_into_its_log(jobs: dict[str, Job], fake_stage: Path) -> None:
    _run(jobs["network"], fake_stage, "print('to stdout'); os.write(2, b'to stderr, as C++ does')\n" + REPORT)
    log = jobs["network"].log.read_text()
    assert "to stdout" in log
    assert "to stderr, as C++ does" in log


def test_a_report_is_not_believed_against_the_exit_code(jobs: dict[str, Job], fake_stage: Path) -> None:
    outcome = _run(jobs["network"], fake_stage, REPORT + "sys.exit(7)")
    assert outcome.failure == "network ended with exit code 7 and no result. Log: build/logs/network.tiny.log"


def test_the_exit_code_is_not_believed_without_a_report(jobs: dict[str, Job], fake_stage: Path) -> None:
    assert _run(jobs["network"], fake_stage, "").failure is not None


def test_a_half_written_report_is_a_failure(jobs: dict[str, Job], fake_stage: Path) -> None:
    assert _run(jobs["network"], fake_stage, "open(order['report'], 'w').write('{\"metr')").failure is not None


ENDINGS = {
    "well": (REPORT, "exit code 0"),
    "with an exit code": ("sys.exit(7)", "exit code 7"),
    "with a crash": ("os.kill(os.getpid(), signal.SIGSEGV)", "signal SIGSEGV"),
    "killed": ("os.kill(os.getpid(), signal.SIGKILL)", "signal SIGKILL"),
    "aborted, after its report": (REPORT + "sys.stdout.flush(); os.abort()", "signal SIGABRT"),
}


@pytest.mark.parametrize(("body", "ended"), ENDINGS.values(), ids=ENDINGS)
def test_how_the_process_ended_is_told_beside_the_sentence(
    jobs: dict[str, Job], fake_stage: Path, body: str, ended: str
) -> None:
    outcome = _run(jobs["network"], fake_stage, body)
    assert outcome.ended == ended
    assert (outcome.failure is None) == (ended == "exit code 0")


def test_the_sentence_of_a_stage_is_passed_on(jobs: dict[str, Job], fake_stage: Path) -> None:
    body = "json.dump({'error': 'the sentence'}, open(order['report'], 'w')); sys.exit(1)"
    assert _run(jobs["network"], fake_stage, body).failure == "the sentence"


def test_a_crash_names_the_signal_and_what_is_known_of_it(jobs: dict[str, Job], fake_stage: Path) -> None:
    outcome = _run(jobs["quantized"], fake_stage, "os.kill(os.getpid(), signal.SIGSEGV)")
    assert outcome.failure is not None
    assert outcome.failure.startswith("quantized crashed (SIGSEGV). TFLiteConverter is known to crash")
    assert outcome.failure.endswith("Log: build/logs/quantized.tiny.log")


def test_a_kill_is_said_to_be_want_of_memory(jobs: dict[str, Job], fake_stage: Path) -> None:
    outcome = _run(jobs["network"], fake_stage, "os.kill(os.getpid(), signal.SIGKILL)")
    assert outcome.failure is not None
    assert "memory ran out" in outcome.failure


def test_what_a_stage_started_does_not_outlive_it(jobs: dict[str, Job], fake_stage: Path) -> None:
    body = "import subprocess\nchild = subprocess.Popen(['sleep', '60'])\nprint('CHILD', child.pid)\n" + REPORT
    _run(jobs["network"], fake_stage, body)
    child = int(jobs["network"].log.read_text().split("CHILD")[1])
    _wait_until_gone(child)


def test_the_watcher_is_called_while_the_stage_runs(jobs: dict[str, Job], fake_stage: Path) -> None:
    fake_stage.write_text(HEAD + "time.sleep(0.5)\n" + REPORT)
    seen: list[float] = []
    Processes().run(jobs["network"], {}, _scratch(jobs["network"]), lambda: seen.append(time.monotonic()))
    assert len(seen) >= 3


def test_the_stage_is_named_on_its_command_line(jobs: dict[str, Job], fake_stage: Path) -> None:
    outcome = _run(jobs["vela"], fake_stage, "print(sys.argv[1:4])\n" + REPORT)
    assert outcome.failure is None
    assert "['vela', 'tiny', 'u55-128']" in jobs["vela"].log.read_text()


def test_an_interruption_ends_with_128_and_the_signals_number() -> None:
    with pytest.raises(process.Interrupted) as caught:
        Processes().stop(signal.SIGTERM)
    assert caught.value.code == 143
    again = process.Interrupted(str(caught.value))
    assert again.code == 143, "doit makes it anew in its main thread, from the class and the text"


def test_a_stage_that_ignores_sigterm_is_killed(
    jobs: dict[str, Job], fake_stage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GRACE_SECONDS", 0.2)
    fake_stage.write_text(
        HEAD + "signal.signal(signal.SIGTERM, signal.SIG_IGN); print('PID', os.getpid()); time.sleep(60)"
    )
    log, processes = jobs["network"].log, Processes()

    def stop_once_it_ignores() -> None:
        if "PID" in log.read_text():
            processes.stop(signal.SIGTERM)

    with pytest.raises(process.Interrupted):
        processes.run(jobs["network"], {}, _scratch(jobs["network"]), stop_once_it_ignores)
    _wait_until_gone(int(log.read_text().split("PID")[1]))


def test_python_is_the_one_that_runs_the_build(jobs: dict[str, Job], fake_stage: Path) -> None:
    _run(replace(jobs["network"]), fake_stage, "print(sys.executable)\n" + REPORT)
    assert jobs["network"].log.read_text().strip() == sys.executable


def _wait_until_gone(process_number: int) -> None:
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{process_number}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return
        if state == "Z":  # an orphan nobody waits for, in a container without an init
            return
        time.sleep(0.02)
    os.kill(process_number, signal.SIGKILL)
    pytest.fail(f"process {process_number} was still there")
