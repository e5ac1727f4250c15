"""What the benchmarks share: a project to work in, commands run in turn, medians side by side."""

import contextlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
DOIT = (sys.executable, "-m", "doit")
Times = dict[str, list[float]]
"""What was run -> its seconds, round by round."""
Metrics = dict[str, Any]
Measured = TypeVar("Measured")

_PARTS = ("dodo.py", "pipeline", "experiments", "pyproject.toml")
_NOT_PASSED_ON = {
    "UNROLL_CACHE",  # would do the work of a cold build
    "PYTHONDONTWRITEBYTECODE",  # would compile our modules, but not the installed ones, at every start
}
_CONSOLE = Console(width=110, highlight=False)


@dataclass(frozen=True)
class Run:
    """A command that ended well."""

    seconds: float
    """Wall time of the process, its start included."""
    processor_seconds: float
    """What it and the processes that it waited for took of a processor, the system's part included."""
    output: str
    errors: str


@contextlib.contextmanager
def project() -> Iterator[Path]:
    """Copy what a build needs into a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="unroll-") as folder:
        for part in _PARTS:
            source, copy = ROOT / part, Path(folder, part)
            if source.is_dir():
                shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
            elif source.exists():
                shutil.copy2(source, copy)
        yield Path(folder)


def environment(**more: str) -> dict[str, str]:
    """Return this environment, fit for another folder and without what would falsify a comparison."""
    variables = {name: value for name, value in os.environ.items() if name not in _NOT_PASSED_ON}
    if "UNROLL_DATA" in variables:
        variables["UNROLL_DATA"] = str(Path(variables["UNROLL_DATA"]).resolve())
    return variables | more


def run(command: Sequence[str], folder: Path, **more: str) -> Run:
    """Run a command in a folder, with more environment variables; one that fails ends the benchmark."""
    started, processor = time.perf_counter(), _processor_seconds()
    done = subprocess.run(command, cwd=folder, env=environment(**more), capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with exit code {done.returncode}:\n{done.stdout}{done.stderr}")
    return Run(seconds, _processor_seconds() - processor, done.stdout, done.stderr)


def _processor_seconds() -> float:
    """Return what all processes took that this one has waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def stage_metrics(folder: Path, experiment: str, result: str) -> Metrics:
    """Read the metrics of a result that a project shows, with the seconds it took apart from imports."""
    record = json.loads((folder / "build" / experiment / result / "stage.json").read_bytes())
    found: Metrics = record["metrics"] | {"seconds": record["seconds"] - record["seconds_importing"]}
    return found


def accuracy(metrics: Mapping[str, Any], form: str) -> float:
    """Return the accuracy of a form of the model, a share of 1, by the metrics of its stage."""
    return float(metrics["scores"][form]["accuracy"])


def alternate(actions: Mapping[str, Callable[[], Measured]], rounds: int) -> dict[str, list[Measured]]:
    """Measure each action once a round; every other round runs backwards, so that no place is favoured."""
    measured: dict[str, list[Measured]] = {name: [] for name in actions}
    for number in range(rounds):
        names = list(actions)
        for name in reversed(names) if number % 2 else names:
            measured[name].append(actions[name]())
    return measured


def compare(title: str, times: Times, targets: Mapping[str, float]) -> bool:
    """Print medians and their ratios to the first one; return whether every target ratio is met."""
    base = statistics.median(next(iter(times.values())))
    ratios = {name: statistics.median(found) / base for name, found in times.items()}
    met = {name: ratios[name] <= target for name, target in targets.items()}
    rows = [
        [
            name,
            _seconds(statistics.median(found)),
            f"{_seconds(min(found))} to {_seconds(max(found))}",
            f"{ratios[name]:.2f}x",
            f"at most {targets[name]:g}x: {'met' if met[name] else 'MISSED'}" if name in targets else "",
        ]
        for name, found in times.items()
    ]
    show(f"{title}, {len(next(iter(times.values())))} rounds", ["", "median", "range", "ratio", "target"], rows)
    return all(met.values())


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table."""
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    _CONSOLE.print(table)


def _seconds(value: float) -> str:
    return f"{value * 1e3:.0f} ms" if value < 1 else f"{value:.1f} s"
