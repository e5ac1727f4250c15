"""A small experiment's jobs in a folder of one's own."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.engine import job_graph
from pipeline.engine.job_graph import Job
from pipeline.engine.project import Project
from pipeline.experiments import experiment
from pipeline.stage import Work
from tests.conftest import ROOT
from tests.machines import machine, shared
from tests.pipeline.chain import chain, data, dataset, settings, start_alone, target, training
from tests.pipeline.vela_models import compiled, models, vela_once

__all__ = [
    "chain",
    "compiled",
    "data",
    "dataset",
    "jobs",
    "machine",
    "models",
    "settings",
    "shared",
    "start_alone",
    "target",
    "training",
    "vela_once",
    "workplace",
]


@pytest.fixture
def workplace(tmp_path: Path) -> Project:
    """Return a project in which nothing was built."""
    (tmp_path / "build" / ".store").mkdir(parents=True)
    return Project(tmp_path)


@pytest.fixture
def jobs(workplace: Project) -> dict[str, Job]:
    """Return tiny's jobs by stage."""
    loaded = experiment.load("tiny", ROOT / "experiments")
    return {job.stage.name: job for job in job_graph.jobs("tiny", loaded, root=workplace.root)}


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Work[Any]]:
    """Return what makes a stage's work, in a project folder of the test's own, which is where a stage runs."""
    monkeypatch.chdir(tmp_path)

    def make(
        config: Mapping[str, Any],
        inputs: Mapping[str, Path] | None = None,
        into: str = "into",
        report: Callable[..., None] = lambda **_: None,
    ) -> Work[Any]:
        folder = tmp_path / into
        folder.mkdir(parents=True)
        return Work(config=config, inputs=inputs or {}, into=folder, report=report)

    return make
