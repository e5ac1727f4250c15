"""What a stage is given and returns."""

import time
from pathlib import Path
from typing import Any

import pytest

from pipeline.stage import Found, Work


def work(folder: Path, reports: list[dict[str, Any]]) -> Work[Any]:
    return Work(config={}, inputs={}, into=folder, report=lambda **facts: reports.append(facts))


def test_progress_is_reported_at_most_ten_times_a_second_and_always_at_the_end(tmp_path: Path) -> None:
    reports: list[dict[str, Any]] = []
    job = work(tmp_path, reports)
    started = time.monotonic()
    done = 0
    while time.monotonic() - started < 0.35:
        done += 1
        job.progress(done, 1_000_000_000)
    job.progress(5, 5, what="the end")

    assert done > 100
    assert 2 <= len(reports) <= 6
    assert reports[-1] == {"done": 5, "total": 5, "what": "the end"}


def test_the_end_is_reported_even_right_after_another_report(tmp_path: Path) -> None:
    reports: list[dict[str, Any]] = []
    job = work(tmp_path, reports)

    job.progress(1, 1)
    job.progress(1, 2)
    job.progress(2, 2, loss=0.5)

    assert reports == [{"done": 1, "total": 1}, {"done": 2, "total": 2, "loss": 0.5}]


def test_what_a_stage_finds_is_complete_without_the_rare_facts() -> None:
    found = Found(metrics={"model_bytes": 1})

    assert (dict(found.unavailable), dict(found.basis), found.stand_in) == ({}, {}, None)


def test_work_cannot_be_changed_by_a_stage(tmp_path: Path) -> None:
    with pytest.raises(AttributeError):
        work(tmp_path, []).into = tmp_path / "elsewhere"  # type: ignore[misc]
