"""The report as a reader meets it: one file that needs nothing else, in a real browser, and the same as Markdown."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from pipeline.views.report.write import render
from tests.conftest import Project

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: .ci/run installs it where it can")


@pytest.fixture(scope="module")
def reported(matrix_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny whose report is written; nobody may change it."""
    folder = tmp_path_factory.mktemp("report") / "Prüfstand"
    shutil.copytree(matrix_template, folder, symlinks=True)
    project = Project(folder)
    project.change('description = "', 'description = "<b>|</b> ')
    project.environment["TZ"] = "UTC"
    assert project.doit("report:tiny").endswith("build/tiny/report.html\nbuild/tiny/report.md\n")
    return folder / "build" / "tiny"


class Links(HTMLParser):
    """Collects whatever a browser might fetch, and the headings."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.tags: list[str] = []
        self.headings: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [f"{name}={value}" for name, value in attrs if name in {"src", "href", "srcset", "data"}]

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] in {"h1", "h2"} and data.strip():
            self.headings.append(data.strip())


def parsed(path: Path) -> Links:
    links = Links()
    links.feed(path.read_text(encoding="utf-8"))
    return links


HEADINGS = [
    "tiny",
    "Why it costs what it costs, on u55-128",
    "Budgets",
    "On the NPU: u55-128",
    "On every Ethos-U",
    "Boards",
    "Accuracy",
    "Training",
    "Quantization",
    "What was built from what",
]


def test_the_page_needs_nothing_else(reported: Path) -> None:
    links = parsed(reported / "report.html")
    assert links.fetched == []
    assert not {"script", "link", "img", "iframe"} & set(links.tags)
    assert "url(" not in (reported / "report.html").read_text(encoding="utf-8")


def test_both_files_say_the_same(reported: Path) -> None:
    markdown = (reported / "report.md").read_text(encoding="utf-8")
    assert [line.lstrip("# ") for line in markdown.splitlines() if re.match(r"##? ", line)] == HEADINGS
    assert parsed(reported / "report.html").headings == HEADINGS


def test_the_numbers_are_those_of_the_results(reported: Path) -> None:
    compiled = json.loads((reported / "vela" / "u55-128" / "stage.json").read_bytes())["metrics"]
    found = json.loads((reported / "accuracy" / "stage.json").read_bytes())["metrics"]
    for name in ("report.html", "report.md"):
        text = (reported / name).read_text(encoding="utf-8")
        assert f"{compiled['cycles_total']:,}" in text
        assert f"{100 * found['scores']['quantized']['accuracy']:.2f} %" in text
        assert text.count("ethos-u85-2048") >= 3
        assert "estimated" in text
        assert "measured" in text
        assert "clustering the weights to 16 values" in text or "cycles are spent computing" in text


def test_what_comes_from_outside_is_escaped(reported: Path) -> None:
    page = (reported / "report.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;|&lt;/b&gt;" in page
    assert "<b>|</b>" not in page


def test_every_table_of_the_markdown_has_equally_many_cells(reported: Path) -> None:
    blocks = re.split(r"\n\s*\n", (reported / "report.md").read_text(encoding="utf-8"))
    tables = [block.splitlines() for block in blocks if block.startswith("| ")]
    assert len(tables) > 8
    for table in tables:
        assert len({len(re.split(r"(?<!\\)\|", row)) for row in table}) == 1, table[0]
        assert re.fullmatch(r"\|( -{3}:? \|)+", table[1])


def test_the_training_curve_is_drawn_while_its_events_are_there(reported: Path) -> None:
    page = (reported / "report.html").read_text(encoding="utf-8")
    points = re.findall(r'<polyline class="(\w+)" points="([^"]+)"', page)
    assert [name for name, _ in points] == ["loss", "acc"]
    assert all(len(line.split()) > 2 for _, line in points)


def test_a_template_that_misses_a_fact_says_so() -> None:
    with pytest.raises(Exception, match="is undefined"):
        render("md", {})


def shown_in_a_browser(page: Path, folder: Path, scheme: str = "1") -> set[str]:
    """Show a page in Chromium, as ``folder/page.png``; return the addresses that the page asked for.

    The browser itself looks for updates; what it asks for a page of ours has ``file://`` as its site.
    """
    log = folder / "net.json"
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    command += [f"--blink-settings=preferredColorScheme={scheme}", f"--log-net-log={log}", "--window-size=1000,800"]
    command += [f"--user-data-dir={folder / 'profile'}", f"--screenshot={folder / 'page.png'}", f"file://{page}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert "bytes written to file" in done.stderr, done.stderr
    events: list[dict[str, Any]] = json.loads(log.read_text(encoding="utf-8"))["events"]
    asked = [event.get("params", {}) for event in events]
    return {str(each["url"]) for each in asked if "url" in each and "site=file://" in str(each.get("site_for_cookies"))}


@needs_chromium
@pytest.mark.parametrize("scheme", ["0", "1"], ids=["dark", "light"])
def test_a_real_browser_shows_it_without_asking_the_network(reported: Path, tmp_path: Path, scheme: str) -> None:
    asked = shown_in_a_browser(reported / "report.html", tmp_path, scheme)
    assert {url for url in asked if not url.startswith("file://")} == set()
    assert is_dark(tmp_path / "page.png") == (scheme == "0")


@needs_chromium
def test_a_page_that_asks_the_network_would_be_noticed(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text('<img src="http://127.0.0.1:9/x.png">', encoding="utf-8")
    assert "http://127.0.0.1:9/x.png" in shown_in_a_browser(tmp_path / "page.html", tmp_path)


def is_dark(picture: Path) -> bool:
    """Tell whether the first pixel of a PNG is dark; its first line is of one colour, whatever the filter."""
    import struct  # noqa: PLC0415 - only this test reads a PNG
    import zlib  # noqa: PLC0415 - as above

    content, data, place = picture.read_bytes(), b"", 8
    while place < len(content):
        length, kind = struct.unpack(">I4s", content[place : place + 8])
        data += content[place + 8 : place + 8 + length] if kind == b"IDAT" else b""
        place += length + 12
    return zlib.decompress(data)[1] < 128
