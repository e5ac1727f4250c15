"""``python -m tui`` as a user types it: what it refuses, and what it says then."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.tui.recorded import Recorded
from tui.__main__ import main


def run(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run it with neither input nor output at a terminal."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TEXTUAL")}
    return subprocess.run(
        [sys.executable, "-m", "tui", *arguments],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_without_a_terminal_it_names_the_two_ways_that_need_none(recorded: Recorded) -> None:
    recorded.write()
    done = run()
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == ("this is no terminal: --once prints the same as text, --serve opens it in a browser\n")


@pytest.mark.parametrize("arguments", [[], ["--once"], ["--serve", "--port", "1"]])
def test_outside_of_a_project_it_says_where_to_start_it(tmp_path: Path, arguments: list[str]) -> None:
    done = run(*arguments, folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "there is no experiments/ here: start the dashboard in the project's folder\n"


def test_a_file_called_like_the_folder_is_no_project(tmp_path: Path) -> None:
    (tmp_path / "experiments").touch()
    assert run("--once", folder=tmp_path).returncode == 2


WRONG = {
    "unknown": (["--onec"], "unrecognized arguments: --onec"),
    "two ways at once": (["--once", "--serve"], "not allowed with argument"),
    "a port in words": (["--serve", "--port", "http"], "argument --port: 'http' is no port: 1 to 65535"),
    "port 0": (["--serve", "--port", "0"], "argument --port: '0' is no port"),
    "no port": (["--serve", "--port"], "argument --port: expected one argument"),
    "an experiment": (["keyword"], "unrecognized arguments: keyword"),
}


@pytest.mark.parametrize(("arguments", "says"), WRONG.values(), ids=WRONG)
def test_wrong_options_are_explained(
    recorded: Recorded, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    recorded.write()
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    said = capsys.readouterr().err
    assert caught.value.code == 2
    assert said.startswith("usage: ./doitw dashboard")
    assert says in said


def test_the_help_names_every_option_and_the_danger(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert caught.value.code == 0
    for option in ("--once", "--serve", "--host", "--port", "--public-url"):
        assert option in said
    assert "whoever reaches it can run builds" in said


def test_a_port_that_is_taken_is_one_line_and_exit_code_1(recorded: Recorded) -> None:
    recorded.write()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("--serve", "--port", str(port))
    assert done.returncode == 1
    assert done.stderr == (
        f"dashboard: 127.0.0.1:{port} can't be served on: Address already in use; name another with --port\n"
    )


def test_once_prints_and_ends_well(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    recorded.write()
    recorded.build()
    assert main(["--once"]) == 0
    assert capsys.readouterr().out.startswith("Unroll: 1 experiment, 7 stages, all fresh\n")
