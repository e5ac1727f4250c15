"""The dashboard in a real browser: ``--serve``, opened by headless Chromium."""

import asyncio
import base64
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.conftest import ROOT
from tests.tui.recorded import NOW, Recorded

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
    "--window-size=1280,800",
)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: .ci/run installs it where it can")


@pytest.fixture
def served(recorded: Recorded) -> Iterator[str]:
    """Serve a recorded project; return its address."""
    recorded.write(budget=True)
    recorded.build(finished=NOW)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "tui", "--serve", "--port", str(port)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    yield f"http://127.0.0.1:{port}"
    server.send_signal(signal.SIGINT)
    printed = server.communicate(timeout=20)[0]
    assert b"Traceback" not in printed, printed.decode()


@pytest.fixture
def chromium(tmp_path: Path) -> Iterator[str]:
    """Start a browser; return the address of its debugger."""
    profile = tmp_path / "profile"
    browser = subprocess.Popen(
        [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    for _ in range(600):
        if (profile / "DevToolsActivePort").exists() and (profile / "DevToolsActivePort").read_text().count("\n"):
            break
        subprocess.run(["sleep", "0.05"], check=True)
    yield f"http://127.0.0.1:{(profile / 'DevToolsActivePort').read_text().splitlines()[0]}"
    os.killpg(browser.pid, signal.SIGKILL)
    browser.wait()


class Page:
    """One page of the browser, spoken to in the DevTools protocol."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._calls = 0
        self.written = b""
        """What the dashboard wrote to the browser's terminal."""

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._calls += 1
        await self._socket.send_json({"id": self._calls, "method": method, "params": parameters})
        while True:
            answer = await self._receive()
            if answer.get("id") == self._calls:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    async def _receive(self) -> dict[str, Any]:
        message: dict[str, Any] = await self._socket.receive_json(timeout=30)
        if message.get("method") == "Network.webSocketFrameReceived":
            payload = message["params"]["response"]["payloadData"]
            opcode = message["params"]["response"]["opcode"]
            self.written += base64.b64decode(payload) if opcode == 2 else payload.encode()  # 2 is binary
        return message

    async def wait_for(self, text: str) -> None:
        async with asyncio.timeout(30):
            while text.encode() not in self.written:
                await self._receive()


async def test_it_answers_in_a_browser_and_takes_keys(served: str, chromium: str, tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(200):
            try:
                async with session.get(served) as answer:
                    assert answer.status == 200
                    break
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.1)
        async with session.get(f"{chromium}/json/list") as answer:
            pages = await answer.json()
        address = next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page")
        async with session.ws_connect(address, max_msg_size=0) as connection:
            page = Page(connection)
            await page.call("Network.enable")
            await page.call("Page.enable")
            await page.call("Page.navigate", url=served)
            await page.wait_for("quantized")
            await page.wait_for("fresh")
            click = {"x": 200, "y": 400, "button": "left", "clickCount": 1}
            await page.call("Input.dispatchMouseEvent", type="mousePressed", **click)
            await page.call("Input.dispatchMouseEvent", type="mouseReleased", **click)
            key = {"key": "3", "code": "Digit3", "windowsVirtualKeyCode": 51}
            await page.call("Input.dispatchKeyEvent", type="keyDown", text="3", **key)
            await page.call("Input.dispatchKeyEvent", type="keyUp", **key)
            await page.wait_for("off-chip flash")
            shot = b""
            for _ in range(100):  # a page that has the words need not have painted them
                shot = base64.b64decode((await page.call("Page.captureScreenshot"))["data"])
                if len(shot) > 20_000:
                    break
                await asyncio.sleep(0.1)
            picture = Path(os.environ.get("UNROLL_PICTURES", tmp_path)) / "browser.png"
            picture.write_bytes(shot)
            assert len(shot) > 20_000, "the picture is empty"
