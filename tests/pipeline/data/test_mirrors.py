"""Downloads from real web servers on this machine: good ones, bad ones, and none."""

import gzip
import importlib
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from pipeline.data import mirrors, mnist
from pipeline.data.arrays import DataError
from pipeline.data.mirrors import OfflineError
from pipeline.data.mnist_files import DOWNLOADS, FILES
from pipeline.stage import Work

Serve = Callable[[type[BaseHTTPRequestHandler] | Path], str]

SOON = 1.0
"""What REACH_SECONDS is in these tests."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirrors, "REACH_SECONDS", SOON)
    monkeypatch.setattr(mirrors, "READ_SECONDS", SOON)
    monkeypatch.setattr(sys.modules[Work.__module__], "_last_report", {})  # progress is reported ten times a second
    for name in ("requests", "pooch"):  # on a busy machine, importing them may take as long as SOON
        importlib.import_module(name)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let these addresses be the mirrors."""
    return lambda *addresses: monkeypatch.setattr(mirrors, "MIRRORS", addresses)


@pytest.fixture
def good_folder(tmp_path: Path) -> Path:
    """Return what a good mirror holds: small files that ``is_good`` knows."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    for name in FILES:
        (folder / f"{name}.gz").write_bytes(gzip.compress(name.encode()))
    return folder


def is_good(path: Path, name: str) -> None:
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError):
        content = b""
    if content != name.encode():
        message = f"not {name}"
        raise DataError(message)


def downloaded() -> list[str]:
    return sorted(path.name for path in DOWNLOADS.iterdir())


ALL_FOUR = sorted(f"{name}.gz" for name in FILES)


@pytest.fixture
def silent() -> Iterator[str]:
    """Return the address of a server that accepts and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


@pytest.fixture
def closed() -> str:
    """Return an address where nobody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}/"


class Handler(BaseHTTPRequestHandler):
    """Says that every file is there."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        """Say nothing."""

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.end_headers()


class Portal(Handler):
    """Answers everything with a page, as the network of a hotel does."""

    def do_GET(self) -> None:
        page = b"<html>Please log in</html>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)


class BreaksOff(Handler):
    """Promises more than it sends."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"\x1f\x8b")


class Stalls(Handler):
    """Is there, and then takes longer than anyone waits."""

    def do_GET(self) -> None:
        time.sleep(3 * SOON)
        self.close_connection = True


class Forbids(Handler):
    """Is there and gives nothing."""

    def do_GET(self) -> None:
        self.send_error(403)


def serves_something_else(name: str) -> str:
    return f"what it serves as {name}.gz is not MNIST's (a proxy's page, or a transfer that broke off)"


def refusal(work: Work[Any]) -> str:
    with pytest.raises(OfflineError) as caught:
        mirrors.download(work, is_good)
    said = str(caught.value)
    assert len(said.splitlines()) == 1, said
    return said


def test_a_good_mirror_gives_all_four_files(work: Work[Any], serve: Serve, use: Any, good_folder: Path) -> None:
    use(serve(good_folder))

    mirrors.download(work, is_good)

    assert downloaded() == ALL_FOUR
    for name in FILES:
        assert (DOWNLOADS / f"{name}.gz").read_bytes() == (good_folder / f"{name}.gz").read_bytes()


def test_the_download_is_reported_by_file(
    work: Work[Any], serve: Serve, use: Any, good_folder: Path, reports: list[dict[str, Any]]
) -> None:
    use(serve(good_folder))

    mirrors.download(work, is_good)

    assert reports[0] == {"done": 0, "total": 4, "what": "downloading train-images-idx3-ubyte.gz"}


@pytest.mark.parametrize("bad", [Portal, BreaksOff, Stalls, Forbids], ids=lambda bad: bad.__name__)
def test_a_bad_mirror_is_followed_by_a_good_one(
    work: Work[Any], serve: Serve, use: Any, good_folder: Path, bad: type[Handler]
) -> None:
    use(serve(bad), serve(good_folder))

    mirrors.download(work, is_good)

    assert downloaded() == ALL_FOUR


def test_a_mirror_with_one_bad_file_gives_none(work: Work[Any], serve: Serve, use: Any, good_folder: Path) -> None:
    (good_folder / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(b"tampered"))
    address = serve(good_folder)
    use(address)

    assert refusal(work) == f"{address}: {serves_something_else('t10k-labels-idx1-ubyte')}"
    assert downloaded() == []


def test_a_mirror_that_lacks_one_file_gives_none(work: Work[Any], serve: Serve, use: Any, good_folder: Path) -> None:
    (good_folder / "t10k-images-idx3-ubyte.gz").unlink()
    address = serve(good_folder)
    use(address)

    said = refusal(work)

    assert said.startswith(f"{address}: 404 ")
    assert downloaded() == []


def test_when_all_are_bad_each_is_named_with_what_it_did(work: Work[Any], serve: Serve, use: Any) -> None:
    portal, forbids = serve(Portal), serve(Forbids)
    use(portal, forbids)

    first, second = refusal(work).split("; ")

    assert first == f"{portal}: {serves_something_else('train-images-idx3-ubyte')}"
    assert second.startswith(f"{forbids}: 403 ")
    assert downloaded() == []


def test_mirrors_are_asked_in_their_order_not_in_that_of_their_answers(
    work: Work[Any], serve: Serve, use: Any, good_folder: Path
) -> None:
    class Slow(Portal):
        def do_HEAD(self) -> None:
            time.sleep(SOON / 10)
            super().do_HEAD()

    slow = serve(Slow)
    (good_folder / "t10k-labels-idx1-ubyte.gz").unlink()
    use(slow, serve(good_folder))

    assert refusal(work).startswith(slow)


def test_a_mirror_without_the_file_is_named_with_its_answer(
    work: Work[Any], serve: Serve, use: Any, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    address = serve(tmp_path / "empty")
    use(address)

    said = refusal(work)

    assert address in said
    assert "404" in said


def test_a_mirrors_bad_file_is_not_blamed_on_a_file_that_is_gone(work: Work[Any], serve: Serve, use: Any) -> None:
    address = serve(Portal)
    use(address)

    with pytest.raises(OfflineError) as caught:
        mnist.read(None, None, work)

    said = str(caught.value)
    assert said.startswith(f"{address}: ")
    assert "train-images-idx3-ubyte" in said
    assert str(DOWNLOADS) not in said
    assert "remove it" not in said


def test_where_nobody_listens_the_answer_comes_at_once(
    work: Work[Any], use: Any, closed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirrors, "REACH_SECONDS", 10.0)
    use(closed)
    started = time.monotonic()

    refusal(work)

    assert time.monotonic() - started < 5


def test_servers_that_accept_and_never_answer_cost_no_more_than_the_time_to_reach_them(
    work: Work[Any], use: Any, silent: str
) -> None:
    use(silent, f"{silent}other/")
    started = time.monotonic()

    said = refusal(work)

    assert time.monotonic() - started < SOON + 0.9
    assert said.startswith("no mirror answered within")


def test_a_silent_mirror_does_not_keep_a_good_one_from_being_used(
    work: Work[Any], serve: Serve, use: Any, good_folder: Path, silent: str
) -> None:
    use(silent, serve(good_folder))

    mirrors.download(work, is_good)

    assert downloaded() == ALL_FOUR


def test_real_mirrors_are_waited_for_a_few_seconds_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()

    assert mirrors.REACH_SECONDS <= 5
    assert all(mirror.startswith("https://") and mirror.endswith("/mnist/") for mirror in mirrors.MIRRORS)


def test_the_real_files_are_downloaded_and_read(
    work: Work[Any], serve: Serve, use: Any, real_mnist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirrors, "READ_SECONDS", 30.0)
    garbage = serve(Portal)
    use(garbage, serve(real_mnist))

    data = mnist.read(None, None, work)

    assert data.x_train.shape == (60_000, 28, 28)
    assert downloaded() == ALL_FOUR
