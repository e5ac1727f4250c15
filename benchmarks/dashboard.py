"""The dashboard: first paint against a minimal Textual app, idle load, 200 experiments, a burst in the log."""

import argparse
import asyncio
import contextlib
import os
import select
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.side_by_side import DOIT, ROOT, alternate, compare, environment, project, run, show
from tests.tui.conftest import settled, until
from tests.tui.terminal import Terminal
from tui.app import Dashboard
from tui.data.project import ProjectWatcher
from tui.tabs.log import LogTab, LogView

PAINT_RATIO = 2.0
IDLE_PERCENT, REFRESH_MS, BURST_SECONDS, KEY_MS = 2.0, 100.0, 5.0, 100.0
MANY, TARGETS = 200, ("u55-32", "u55-64", "u55-128")
"""With three targets an experiment has eight stages."""
BURST_LINES = 100_000
IDLE_SECONDS = 20.0

MINIMAL = """
from textual.app import App
from textual.widgets import Label

class Minimal(App):
    def compose(self):
        yield Label("Unroll")

Minimal().run()
"""
BARE, OURS, WHOLE = "a minimal Textual app", "the dashboard", "the dashboard with every state"
Row = tuple[str, float, float, str]
"""What, figure, limit, unit."""


def main() -> int:
    """Measure; return 0 when every target is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    with project() as folder:
        _prepare(folder)
        run([*DOIT, "build:tiny"], folder)
        paint = alternate(
            {
                BARE: lambda: _paint(["-c", MINIMAL], folder),
                OURS: lambda: _paint(["-m", "tui"], folder),
                WHOLE: lambda: _paint(["-m", "tui"], folder, "fresh"),
            },
            rounds,
        )
        met = compare("First paint on a terminal", paint, {OURS: PAINT_RATIO})
        rows = [_idle(folder)]
        run([sys.executable, str(ROOT / "benchmarks" / "many.py"), "tiny", str(MANY - 1)], folder, PYTHONPATH=".")
        with _inside(folder):
            rows += [_refresh(rounds), _keys(), *asyncio.run(_burst())]
    show(
        "The dashboard at work",
        ["", "measured", "target"],
        [
            [what, f"{found:.1f} {unit}", f"below {limit:g} {unit}: {_verdict(found, limit)}"]
            for what, found, limit, unit in rows
        ],
    )
    return 0 if met and all(found < limit for _, found, limit, _ in rows) else 1


def _verdict(found: float, limit: float) -> str:
    return "met" if found < limit else "MISSED"


def _prepare(folder: Path) -> None:
    """Give tiny three targets, and the project the dashboard."""
    shutil.copytree(ROOT / "tui", folder / "tui", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "experiments" / "mnist-gru.toml").unlink()
    file = folder / "experiments" / "tiny.toml"
    head, _, target = file.read_text(encoding="utf-8").partition("[vela.targets.u55-128]")
    parts = [f"[vela.targets.{name}]{target.replace('u55-128', name)}\n" for name in TARGETS]
    file.write_text("".join([head, *parts]), encoding="utf-8")
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(folder)], check=True, env=environment())


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _paint(arguments: list[str], folder: Path, text: str = "Unroll") -> float:
    """Return the seconds from starting Python until a text is on the terminal."""
    with _inside(folder):
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        started = time.perf_counter()
        terminal = Terminal([sys.executable, *arguments])
        terminal.wait_for(text)
        seconds = time.perf_counter() - started
    terminal.close()
    return seconds


def _idle(folder: Path) -> Row:
    """Measure the processor time of a dashboard that nobody touches."""
    with _inside(folder):
        terminal = Terminal([sys.executable, "-m", "tui"])
        terminal.wait_for("fresh")
        time.sleep(2)
    before, began = terminal.processor_seconds(), time.monotonic()
    terminal.drain(IDLE_SECONDS)
    used = terminal.processor_seconds() - before
    took = time.monotonic() - began
    terminal.close()
    return (f"idle, of one core ({IDLE_SECONDS:.0f} s)", 100 * used / took, IDLE_PERCENT, "%")


def _refresh(rounds: int) -> Row:
    watcher = ProjectWatcher()
    watcher.assess()
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        watcher.assess()
        stages = len(watcher.snapshot().stages())
        times.append(time.perf_counter() - started)
    what = f"status of {MANY} experiments, {stages} stages (median of {rounds})"
    return (what, 1e3 * statistics.median(times), REFRESH_MS, "ms")


def _keys() -> Row:
    """Measure how long a key takes to be shown while the list of 200 experiments is unfolded and scrolled."""
    terminal = Terminal([sys.executable, "-m", "tui"])
    terminal.wait_for("not fresh")
    time.sleep(1)
    times = []
    for key in ["\x1b[C", *["j"] * 60, *["\x1b[6~"] * 3, *["k"] * 40]:
        while select.select([terminal.master], [], [], 0.05)[0]:
            terminal.drain()
        started = time.perf_counter()
        terminal.press(key)
        while not terminal.seen:
            terminal.drain()
        times.append(time.perf_counter() - started)
    terminal.close()
    return (
        f"a key in a list of {MANY} experiments (median of {len(times)})",
        1e3 * statistics.median(times),
        KEY_MS,
        "ms",
    )


async def _burst() -> list[Row]:
    """Measure how long a burst in the log takes to be shown, and the longest pause of the event loop meanwhile."""
    app = Dashboard()
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        app.main.select("tiny", "network:tiny")
        await pilot.press("l")
        panel = app.main.query_one(LogTab)
        log = panel.query_one(LogView)
        stage = app.main.stage()
        path = stage.job.log if stage else Path()
        await until(pilot, lambda: log.line_count > 0)
        before = log.line_count
        pauses: list[float] = []
        watch = asyncio.create_task(_watch(pauses))
        started = time.perf_counter()
        with path.open("a", encoding="utf-8") as file:
            file.writelines(
                f"step {number}/{BURST_LINES}  loss {1 / (number + 1):.4f}\n" for number in range(BURST_LINES)
            )
        await until(pilot, lambda: log.line_count >= before + BURST_LINES)
        took = time.perf_counter() - started
        watch.cancel()
    return [
        (f"a burst of {BURST_LINES:,} lines in the log, until shown", took, BURST_SECONDS, "s"),
        ("longest pause for a key meanwhile", 1e3 * max(pauses), 1e3 * BURST_SECONDS / 10, "ms"),
    ]


async def _watch(pauses: list[float]) -> None:
    while True:
        started = time.perf_counter()
        await asyncio.sleep(0.01)
        pauses.append(time.perf_counter() - started - 0.01)


if __name__ == "__main__":
    sys.exit(main())
