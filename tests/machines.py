"""Machines that share a store: a project folder each, whose stages leave two artefacts and are counted.

``machine`` and ``shared`` are fixtures; the conftest of who needs them takes them from here.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.engine import job_graph
from pipeline.engine.build import Build
from pipeline.engine.job_graph import Job
from pipeline.engine.project import Project
from pipeline.engine.running.process import Outcome, Processes
from pipeline.experiments import experiment
from tests.conftest import ROOT

REPORT: dict[str, Any] = {
    "metrics": {"accuracy": 0.5},
    "unavailable": {},
    "basis": {"accuracy": "measured"},
    "warnings": [],
    "stand_in": None,
    "seconds_importing": 0.1,
    "peak_memory_bytes": 5,
}


class Machine(Processes):
    """A checkout of its own, with the shared store of all; stands in for the stages' processes."""

    def __init__(self, folder: Path) -> None:
        """Lay out a folder in which nothing was built."""
        super().__init__()
        (folder / "build" / ".store").mkdir(parents=True)
        self.project = Project(folder)
        self.folder = folder
        self.ran: list[str] = []
        self.warnings: list[str] = []
        self.report = REPORT
        loaded = experiment.load("tiny", ROOT / "experiments")
        self.jobs: dict[str, Job] = {job.stage.name: job for job in job_graph.jobs("tiny", loaded, root=folder)}

    def run(self, job: Job, order: dict[str, Any], *_: object, **_more: object) -> Outcome:
        """Stand in for a stage's process, which has tests of its own."""
        self.ran.append(job.stage.name)
        text = json.dumps([job.stage.name, job.config, sorted(order["inputs"])], default=dict)
        Path(order["into"], "artefact").write_text(text, encoding="utf-8")
        Path(order["into"], "plots").mkdir()
        Path(order["into"], "plots", "more").write_text(text[::-1], encoding="utf-8")
        return Outcome(self.report, None, 1.0, "exit code 0")


Enter = Callable[[str], Machine]


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the shared store, which is there and empty."""
    folder = tmp_path / "shared"
    folder.mkdir()
    monkeypatch.setenv("UNROLL_CACHE", str(folder))
    return folder


@pytest.fixture
def machine(tmp_path: Path) -> Enter:
    """Return what brings one to another machine, by its name."""

    def enter(name: str) -> Machine:
        return Machine(tmp_path / name)

    return enter


def build(machine: Machine, *stages: str) -> Build:
    """Build stages as doit does; the machine keeps what was said."""
    made = Build(machine.project, machine)
    for stage in stages:
        made.make(machine.jobs[stage])
    made.end([])
    machine.warnings = made.warnings
    return made


def shown(machine: Machine, stage: str) -> dict[str, bytes]:
    """Return what a machine shows as the artefacts of a stage."""
    folder = machine.jobs[stage].link
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "stage.json"}


def entries(shared: Path) -> list[Path]:
    """Return the entries of a store."""
    return sorted(path for path in shared.iterdir() if not path.name.startswith("."))
