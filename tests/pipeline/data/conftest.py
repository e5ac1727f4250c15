"""What the tests of the data sets share: a stage's work, small web servers, and the real MNIST if it is at hand."""

import gzip
import os
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipeline.data.mnist_files import FILES
from pipeline.stage import Work


@pytest.fixture
def reports() -> list[dict[str, Any]]:
    """Return what ``work`` reports as progress."""
    return []


@pytest.fixture
def work(tmp_path: Path, reports: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> Work[Any]:
    """Return a stage's work in an empty project folder of its own, with no UNROLL_DATA and no proxy."""
    for name in ("UNROLL_DATA", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    into = tmp_path / "into"
    into.mkdir()
    return Work(config={}, inputs={}, into=into, report=lambda **facts: reports.append(facts))


class _QuietFiles(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        """Say nothing."""


@pytest.fixture
def serve() -> Iterator[Callable[[type[BaseHTTPRequestHandler] | Path], str]]:
    """Start a web server on this machine for a folder, or for a handler; return its address with a slash."""
    servers: list[ThreadingHTTPServer] = []

    def start(what: type[BaseHTTPRequestHandler] | Path) -> str:
        handler = partial(_QuietFiles, directory=str(what)) if isinstance(what, Path) else what
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def real_mnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the four real files, compressed otherwise than they were."""
    data = os.environ.get("UNROLL_DATA")
    if not data:
        pytest.skip("needs the real MNIST: set UNROLL_DATA to the folder that holds mnist/")
    folder = tmp_path_factory.mktemp("mnist")
    for name in FILES:
        there = Path(data, "mnist", f"{name}.gz")
        content = gzip.decompress(there.read_bytes()) if there.exists() else there.with_suffix("").read_bytes()
        (folder / f"{name}.gz").write_bytes(gzip.compress(content, compresslevel=1, mtime=1))
    return folder
