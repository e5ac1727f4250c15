import errno
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.engine.project import Project
from pipeline.engine.running import run
from pipeline.errors import UnrollError
from pipeline.stage import Found, Stage, Work
from pipeline.stages import accuracy
from pipeline.stages.catalogue import STAGES
from tests.conftest import ROOT
from tests.models import chain, packed


class Config(msgspec.Struct, frozen=True):
    a: int


def _run(workplace: Project, monkeypatch: pytest.MonkeyPatch, make: Any, **facts: Any) -> dict[str, Any]:
    """Do in this process what the accuracy stage's does, with another function in place of its own."""
    stage = Stage(name="accuracy", summary="", config=Config, make=make)
    monkeypatch.setattr(accuracy, "STAGE", stage)
    folder = workplace.root
    (folder / "into").mkdir(exist_ok=True)
    order = {
        "module": "pipeline.stages.accuracy",
        "config": {"a": 1},
        "inputs": {"dataset": "there"},
        "run": "1",
        "log": "the.log",
    }
    order |= {"into": str(folder / "into"), "report": str(folder / "report.json"), "events": str(workplace.events.file)}
    order |= {fact: {} for fact in ("shown_as", "files", "source", "tools")} | facts
    (folder / "order.json").write_text(json.dumps(order))
    code = run.main(["accuracy", "tiny", "--order", str(folder / "order.json")])
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    assert code == (0 if "metrics" in report else 1)
    return report


def test_a_stage_gets_its_order_and_nothing_else(workplace: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Work[Any]] = []

    def make(work: Work[Any]) -> Found:
        seen.append(work)
        work.progress(1, 1, loss=0.5)
        return Found(metrics={"cycles": 3}, basis={"cycles": "estimated"}, warnings=["look"], stand_in="digits")

    report = _run(workplace, monkeypatch, make)
    (work,) = seen
    assert (work.config, work.inputs, work.into) == (Config(a=1), {"dataset": Path("there")}, workplace.root / "into")
    assert (report["metrics"], report["basis"], report["stand_in"]) == (
        {"cycles": 3},
        {"cycles": "estimated"},
        "digits",
    )
    assert report["warnings"] == ["look"]
    assert report["peak_memory_bytes"] > 1_000_000
    event = json.loads(workplace.events.file.read_text())
    assert (event["event"], event["stage"], event["experiment"], event["loss"], event["done"]) == (
        "stage_progress",
        "accuracy",
        "tiny",
        0.5,
        1,
    )


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (UnrollError("what to do"), "what to do"),
        (MemoryError(), "memory ran out. Close other programs or lower batch_size. Log: the.log"),
        (OSError(errno.ENOSPC, "No space", "file"), "the disk is full (file). Free space, or run: doit prune"),
        (ImportError("no x"), "a library is missing or broken (no x). Remove .venv and run ./doitw. Log: the.log"),
        (RuntimeError("first\nsecond"), "RuntimeError: first Log: the.log"),
        (RuntimeError(), "RuntimeError: (no message) Log: the.log"),
    ],
)
def test_what_goes_wrong_becomes_a_sentence(
    workplace: Project, monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
) -> None:

    def make(work: Work[Any]) -> Found:
        (work.into / "half").write_text("half")
        raise error

    assert _run(workplace, monkeypatch, make) == {"error": sentence}
    assert not (workplace.root / "into").exists(), "nothing half is left to be published"


CONTENT = hashlib.sha256(b"content").hexdigest()


@pytest.fixture
def upstream(workplace: Project) -> dict[str, Any]:
    """Return the facts of an order to read the result ``there`` of the stage dataset."""
    there = workplace.root / "there"
    there.mkdir()
    (there / "dataset.npz").write_bytes(b"content")
    return {"inputs": {"dataset": str(there)}, "files": {"dataset/dataset.npz": CONTENT}}


def _count(calls: list[Work[Any]]) -> Any:
    def make(work: Work[Any]) -> Found:
        calls.append(work)
        return Found(metrics={})

    return make


def test_a_result_that_is_read_is_read_whole_first(
    workplace: Project, upstream: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Work[Any]] = []
    assert _run(workplace, monkeypatch, _count(calls), **upstream)["metrics"] == {}
    assert len(calls) == 1


def test_a_stage_does_not_begin_on_what_was_not_hashed(
    workplace: Project, upstream: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Work[Any]] = []
    Path(upstream["inputs"]["dataset"], "dataset.npz").write_bytes(b"c0ntent")
    assert _run(workplace, monkeypatch, _count(calls), **upstream) == {"changed": "dataset.npz of dataset"}
    assert calls == []


def test_what_changed_while_the_stage_ran_is_seen_at_its_end(
    workplace: Project, upstream: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(_work: Work[Any]) -> Found:
        Path(upstream["inputs"]["dataset"], "dataset.npz").write_bytes(b"changed")
        return Found(metrics={})

    assert _run(workplace, monkeypatch, make, **upstream) == {"changed": "dataset.npz of dataset"}


def test_what_goes_wrong_with_half_a_file_is_not_the_stages_fault(
    workplace: Project, upstream: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(_work: Work[Any]) -> Found:
        Path(upstream["inputs"]["dataset"], "dataset.npz").write_bytes(b"con")
        raise ValueError

    assert _run(workplace, monkeypatch, make, **upstream) == {"changed": "dataset.npz of dataset"}


def test_a_tool_of_another_version_than_the_key_says(workplace: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Work[Any]] = []
    assert _run(workplace, monkeypatch, _count(calls), tools={"numpy": "0.0.1"}) == {"changed": "numpy"}
    assert calls == []


def test_users_read_of_their_file_and_not_of_its_copy(workplace: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workplace.root)  # a stage runs there
    copy = workplace.root / "scratch" / "data.npz"

    def fail(_work: Work[Any]) -> Found:
        message = f"scratch/data.npz is broken, see {copy}"
        raise UnrollError(message)

    def warn(_work: Work[Any]) -> Found:
        return Found(metrics={}, warnings=["scratch/data.npz is odd"])

    shown_as = {"scratch/data.npz": "own/data.npz"}
    assert _run(workplace, monkeypatch, fail, shown_as=shown_as) == {
        "error": "own/data.npz is broken, see own/data.npz"
    }
    assert _run(workplace, monkeypatch, warn, shown_as=shown_as)["warnings"] == ["own/data.npz is odd"]


def _run_alone(folder: Path, source: dict[str, str]) -> dict[str, Any]:
    """Run the stage that takes a model made elsewhere in a process of its own, as a build does."""
    (folder / "model.tflite").write_bytes(packed(chain()))
    (folder / "into").mkdir()
    order = {
        "module": "pipeline.stages.imported",
        "config": {"model": {"tflite": "model.tflite"}},
        "into": "into",
        "run": "1",
    }
    order |= {fact: {} for fact in ("shown_as", "inputs", "files", "tools")} | {"source": source}
    order |= {"log": "the.log", "report": "report.json", "events": "events.jsonl"}
    (folder / "order.json").write_text(json.dumps(order), encoding="utf-8")
    command = [sys.executable, "-m", "pipeline.engine.running.run", "quantized", "own", "--order", "order.json"]
    subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False)
    report: dict[str, Any] = json.loads((folder / "report.json").read_bytes())
    return report


def test_every_source_that_runs_is_compared(workplace: Project, tmp_path: Path) -> None:
    """Each of them, also those that Python loads before any stage: a digest that differs by itself is named."""
    names = workplace.toolchain().sources.run_by(STAGES["imported"].module)
    digests = {
        f"pipeline/{name}": hashlib.sha256((ROOT / "pipeline" / name).read_bytes()).hexdigest() for name in names
    }
    assert "metrics" in _run_alone(tmp_path, digests)
    for name in digests:
        folder = tmp_path / name.replace("/", " ")
        folder.mkdir()
        assert _run_alone(folder, digests | {name: "0"}) == {"changed": name}
