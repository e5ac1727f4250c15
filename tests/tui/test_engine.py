"""Starting and stopping doit: real doits in a real project, and real processes of others."""

import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import pipeline.engine.project
from tests.conftest import Project
from tui import engine
from tui.data.live import Run
from tui.engine import Ending, Engine, ForeignRunError

VELA = "vela:tiny:u55-128"


@pytest.fixture
def here(built: Project) -> Project:
    """Return a project where tiny is built."""
    return built


@pytest.fixture
def machine(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Return the engine of the test's project; what it still runs at the end of the test is ended."""
    projects = [request.getfixturevalue(name) for name in ("built", "project") if name in request.fixturenames]
    made = Engine(pipeline.engine.project.Project(projects[0].folder if projects else tmp_path))
    yield made
    while made.running:
        made.stop()
        made.poll()


def ending(machine: Engine) -> Ending:
    found: list[Ending | None] = []

    def ended() -> bool:
        found.append(machine.poll())
        return found[-1] is not None

    Project.wait_until(ended)
    assert found[-1] is not None
    assert not machine.running
    assert machine.poll() is None, "told once"
    return found[-1]


@pytest.fixture
def instead_of_doit(tmp_path: Path) -> Callable[[str], None]:
    """Return what puts a script in place of doit."""

    def write(body: str) -> None:
        (tmp_path / "doit.py").write_text(f"import os, signal, sys, time\n{body}\n", encoding="utf-8")

    return write


def test_doit_runs_to_its_end_and_the_last_line_is_told(here: Project, machine: Engine) -> None:
    del here
    assert not machine.running
    assert machine.poll() is None
    machine.start(["build:tiny"])
    assert machine.running
    end = ending(machine)
    assert end == Ending(("doit", "build:tiny"), 0, "tiny: up to date, nothing to do (7 stages)", stopped=False)
    assert machine.output.read_text(encoding="utf-8").endswith("(7 stages)\n")


def test_two_commands_run_one_after_the_other(here: Project, machine: Engine) -> None:
    here.mark()
    machine.start(["forget", VELA], [VELA])
    assert ending(machine).command == ("doit", VELA)
    events = here.events()
    done = [event["stage"] for event in events if event["event"] == "stage_done"]
    assert done[-1] == "vela"
    assert events[-1]["event"] == "run_ended"
    assert here.states()["vela"] == "fresh"


def test_what_was_made_before_a_stop_is_kept(here: Project, machine: Engine) -> None:
    here.change("test_samples = 100", "test_samples = 90")
    here.mark()
    machine.start(["build:tiny"], ["never:reached"])
    here.wait_for("stage_started", stage="network")
    machine.stop()
    end = ending(machine)
    assert (end.stopped, end.exit_code, end.command) == (True, 130, ("doit", "build:tiny"))
    here.wait_until(lambda: not here.stage_processes())
    states = here.states()
    assert (states["dataset"], states["network"]) == ("fresh", "stale")


def test_a_run_announces_what_it_is_asked_for(here: Project, machine: Engine) -> None:
    here.change("ethos-u55-128", "ethos-u55-256")
    here.mark()
    machine.start([VELA])
    here.wait_for("run_started")
    event = next(event for event in reversed(here.events()) if event["event"] == "run_started")
    assert event["plan"][-1] == VELA
    assert event["plan"][0] == "dataset:tiny", "each after what it needs"
    assert ending(machine).exit_code == 0


def test_a_failing_stage_fails_the_run_and_ends_it(here: Project, machine: Engine) -> None:
    here.change("representative_samples = 20", "representative_samples = 99999")
    machine.start(["quantized:tiny"], ["list"])
    end = ending(machine)
    assert (end.exit_code, end.stopped, end.command) == (1, False, ("doit", "quantized:tiny"))
    assert "99999" in machine.output.read_text(encoding="utf-8")
    assert end.last_line


def test_a_mistake_in_the_command_is_told(here: Project, machine: Engine) -> None:
    del here
    machine.start(["no-such-task"])
    end = ending(machine)
    assert end.exit_code == 3
    assert end.last_line
    assert "no-such-task" in machine.output.read_text(encoding="utf-8")


def test_a_build_folder_that_can_not_be_written_fails_at_once(machine: Engine, project: Project) -> None:
    (project.folder / "build").write_text("in the way", encoding="utf-8")
    with pytest.raises(OSError, match="build"):
        machine.start(["build:tiny"])
    assert not machine.running


def test_a_build_folder_where_nothing_can_be_made_ends_doit_with_words(here: Project, machine: Engine) -> None:
    (here.folder / "build" / ".writable").mkdir()
    machine.start(["build:tiny"])
    end = ending(machine)
    assert end.exit_code != 0
    assert end.last_line.startswith("ERROR: build/ can't be written to")


def test_a_second_command_that_can_not_be_started_is_told(
    machine: Engine, instead_of_doit: Callable[[str], None]
) -> None:
    instead_of_doit("import shutil; shutil.rmtree('build')")
    machine.start(["first"], ["second"])
    end = ending(machine)
    assert (end.command, end.exit_code) == (("doit", "second"), 1)
    assert end.last_line.startswith("doit can't be started: ")


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ("print('one\\ntwo\\n\\n   '); sys.exit(3)", 3, "two"),
        ("sys.exit(2)", 2, ""),
        ("os.write(1, b'\\x1b[31m\\xff[bold]\\x1b[0m'); os.kill(os.getpid(), signal.SIGKILL)", -9, "\ufffd[bold]"),
    ],
)
def test_the_last_line_of_a_doit_that_dies_is_told(
    machine: Engine, instead_of_doit: Callable[[str], None], body: str, code: int, said: str
) -> None:
    instead_of_doit(body)
    machine.start(["x"])
    end = ending(machine)
    assert (end.exit_code, end.last_line, end.stopped) == (code, said, False)


def test_a_doit_that_does_not_heed_a_stop_is_killed_by_the_second(
    machine: Engine, instead_of_doit: Callable[[str], None]
) -> None:
    instead_of_doit("signal.signal(signal.SIGINT, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)")
    machine.start(["x"])
    Project.wait_until(lambda: machine.output.exists() and "deaf" in machine.output.read_text())
    machine.stop()
    time.sleep(0.2)
    assert machine.poll() is None
    machine.stop()
    end = ending(machine)
    assert (end.exit_code, end.stopped) == (-signal.SIGKILL, True)


def test_stopping_what_ended_already_is_no_trouble(machine: Engine, instead_of_doit: Callable[[str], None]) -> None:
    machine.stop()
    instead_of_doit("")
    machine.start(["x"])
    time.sleep(0.5)
    machine.stop()
    assert ending(machine).exit_code == 0


def test_a_run_outlives_the_dashboard_that_started_it(tmp_path: Path, instead_of_doit: Callable[[str], None]) -> None:
    instead_of_doit("time.sleep(1); print('still here')")
    code = f"import sys; sys.path.append({str(Path(__file__).parents[2])!r})\n"
    code += "from pipeline.engine.project import Project; from tui.engine import Engine\n"
    code += "machine = Engine(Project()); machine.start(['x']); print('left')"
    left = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=30
    )
    assert left.stdout == "left\n"
    output = tmp_path / "build" / "logs" / "dashboard.log"
    Project.wait_until(lambda: "still here" in output.read_text())


def foreign(pid: int, host: str = "") -> Run:
    return Run(id="r", pid=pid, host=host or platform.node(), command=("build",), plan=(), started=0.0)


def test_a_run_from_another_terminal_is_stopped_as_ctrl_c_would() -> None:
    code = "import time; print('up', flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        engine.stop_foreign(foreign(other.pid))
        assert other.wait(20) in {-signal.SIGINT, 130}
    engine.stop_foreign(foreign(other.pid))  # over already: no trouble


def test_a_run_in_a_container_or_on_another_machine_is_left_alone() -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        with pytest.raises(ForeignRunError, match=r"in a container or on another machine \(elsewhere\): stop it there"):
            engine.stop_foreign(foreign(other.pid, "elsewhere"))
        assert other.poll() is None
        other.kill()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may stop everybody's runs")
def test_a_run_of_another_user_is_told() -> None:
    with pytest.raises(ForeignRunError, match=r"belongs to another user \(pid 1\)"):
        engine.stop_foreign(foreign(1))


@pytest.fixture
def editors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that is all of PATH, with nobody's favourite named."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    return tmp_path


def install(folder: Path, name: str) -> None:
    shutil.copy("/bin/true", folder / name)


def test_the_users_editor_is_taken_with_its_options(editors: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(editors, "code")
    install(editors, "my editor")
    install(editors, "nano")
    file = Path("experiments/a b.toml")
    monkeypatch.setenv("EDITOR", "code --wait")
    assert engine.edit_command(file) == ["code", "--wait", "experiments/a b.toml"]
    monkeypatch.setenv("VISUAL", "'my editor' -n")
    assert engine.edit_command(file) == ["my editor", "-n", "experiments/a b.toml"]
    monkeypatch.setenv("VISUAL", "")
    assert engine.edit_command(file) == ["code", "--wait", "experiments/a b.toml"]


def test_without_a_favourite_one_that_is_there_is_taken(editors: Path) -> None:
    assert engine.edit_command(Path("x.toml")) is None
    install(editors, "vi")
    assert engine.edit_command(Path("x.toml")) == ["vi", "x.toml"]
    install(editors, "nano")
    assert engine.edit_command(Path("x.toml")) == ["nano", "x.toml"]


@pytest.mark.parametrize("named", ["no-such-editor", "   ", "vim '", '"'])
def test_an_editor_that_is_not_there_or_not_a_command_is_none(
    editors: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    install(editors, "nano")
    monkeypatch.setenv("EDITOR", named)
    assert engine.edit_command(Path("x.toml")) is None, "the user is asked rather than surprised"
