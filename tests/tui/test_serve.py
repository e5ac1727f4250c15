"""The dashboard's web server: its address, its warning and its end. The browser has tests of its own."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, Project
from tests.tui.recorded import Recorded
from tui import serve
from tui.serve import ServeError

Server = subprocess.Popen[str]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def start(port: int, *arguments: str) -> Server:
    return subprocess.Popen(
        [sys.executable, "-m", "tui", "--serve", "--port", str(port), *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def servers(recorded: Recorded) -> Iterator[list[Server]]:
    """Return a list of servers that are ended with the test."""
    recorded.write()
    started: list[Server] = []
    yield started
    for server in started:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
        server.communicate()


def answer(port: int) -> tuple[int, str]:
    found: list[tuple[int, str]] = []

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as page:
                found.append((page.status, page.read().decode()))
        except (urllib.error.URLError, ConnectionError):
            return False
        return True

    Project.wait_until(answers)
    return found[0]


def end(server: Server) -> str:
    """Press Ctrl-C; return everything it printed."""
    server.send_signal(signal.SIGINT)
    printed, _ = server.communicate(timeout=20)
    assert "Traceback" not in printed
    assert server.returncode == 0
    return printed


def test_it_answers_on_its_own_machine_and_ends_with_ctrl_c(servers: list[Server]) -> None:
    port = free_port()
    server = start(port)
    servers.append(server)
    status, page = answer(port)
    assert status == 200
    assert f"ws://127.0.0.1:{port}" in page
    assert "WARNING" not in end(server)
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)


def test_it_warns_when_others_can_reach_it(servers: list[Server]) -> None:
    port = free_port()
    server = start(port, "--host", "0.0.0.0")  # noqa: S104 - that is what is tested
    servers.append(server)
    assert answer(port)[0] == 200
    assert f"WARNING: whoever reaches 0.0.0.0:{port} can run builds and read results here." in end(server)


def test_a_proxys_address_is_the_one_that_browsers_are_sent_to(servers: list[Server]) -> None:
    port = free_port()
    server = start(port, "--public-url", "https://lab.example/unroll")
    servers.append(server)
    page = answer(port)[1]
    assert "wss://lab.example/unroll" in page
    assert f"127.0.0.1:{port}" not in page
    end(server)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_only_this_machine_reaches_a_loopback_address(host: str) -> None:
    assert serve._is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "", "lab-pc", "localhost.example"])  # noqa: S104
def test_others_reach_any_other_address(host: str) -> None:
    assert not serve._is_loopback(host)


def test_a_free_port_is_left_free_by_the_look_at_it() -> None:
    port = free_port()
    serve._check("127.0.0.1", port)
    serve._check("127.0.0.1", port)


def test_a_busy_port_is_refused_with_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServeError, match=f"127.0.0.1:{port} can't be served on: Address already in use; name anot"):
            serve._check("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "port", "why"),
    [
        ("127.0.0.1", 70_000, "port must be 0-65535"),
        ("127.0.0.1", -1, "port must be 0-65535"),
        ("192.0.2.1", 8000, "Cannot assign requested address"),
        ("no-such-machine.invalid", 8000, ""),
        ("lab..größe", 8000, "encoding of hostname failed"),
    ],
)
def test_an_address_that_is_none_of_this_machines_is_refused(host: str, port: int, why: str) -> None:
    with pytest.raises(ServeError, match=f"can't be served on: .*{why}"):
        serve._check(host, port)


def test_a_refusal_comes_before_the_web_server_is_loaded(tmp_path: Path) -> None:
    code = "import sys\nfrom tui import serve\n"
    code += "try:\n    serve.serve('192.0.2.1', 8000, None)\nexcept serve.ServeError:\n    print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "tui.serve" in done.stdout
    assert not {"textual_serve", "aiohttp", "textual"} & set(done.stdout.split())
