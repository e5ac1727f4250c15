"""A small experiment's jobs in a folder of one's own."""

from pathlib import Path

import pytest

from pipeline import experiment, fingerprint, graph
from pipeline.graph import Job
from tests.conftest import ROOT
from tests.machines import machine, shared

__all__ = ["jobs", "machine", "shared", "workplace"]


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty project folder, with nothing remembered of another one."""
    monkeypatch.chdir(tmp_path)
    fingerprint.file_hashes.cache_clear()
    fingerprint.source_digests.cache_clear()
    (tmp_path / "build" / ".store").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def jobs(workplace: Path) -> dict[str, Job]:
    """Return tiny's jobs by stage."""
    del workplace
    loaded = experiment.load("tiny", ROOT / "experiments")
    return {job.stage.name: job for job in graph.jobs("tiny", loaded)}
