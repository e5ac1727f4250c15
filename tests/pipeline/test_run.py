import errno
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline import run
from pipeline.errors import UnrollError
from pipeline.stages import accuracy
from pipeline.stages.contract import Found, Work


def _run(monkeypatch: pytest.MonkeyPatch, make: Any) -> dict[str, Any]:
    """Run the accuracy stage's process with another function in place of its own."""
    monkeypatch.setattr(accuracy, "make", make)
    into = Path("into")
    into.mkdir()
    order = {"module": "accuracy", "config": {"a": 1}, "inputs": {"dataset": "there"}, "into": "into", "run": "1"}
    order |= {fact: {} for fact in ("shown_as", "files", "source", "tools")}
    Path("order.json").write_text(json.dumps({**order, "log": "the.log", "report": "report.json"}))
    code = run.main(["accuracy", "tiny", "--order", "order.json"])
    report: dict[str, Any] = json.loads(Path("report.json").read_text())
    assert code == (0 if "metrics" in report else 1)
    return report


def test_a_stage_gets_its_order_and_nothing_else(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del workplace
    seen: list[Work] = []

    def make(work: Work) -> Found:
        seen.append(work)
        work.progress(1, 1, loss=0.5)
        return Found(metrics={"cycles": 3}, basis={"cycles": "estimated"}, warnings=["look"], stand_in="digits")

    report = _run(monkeypatch, make)
    (work,) = seen
    assert (work.config, work.inputs, work.into) == ({"a": 1}, {"dataset": Path("there")}, Path("into"))
    assert (report["metrics"], report["basis"], report["stand_in"]) == (
        {"cycles": 3},
        {"cycles": "estimated"},
        "digits",
    )
    assert report["warnings"] == ["look"]
    assert report["peak_memory_bytes"] > 1_000_000
    event = json.loads(Path("build/events.jsonl").read_text())
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
    workplace: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
) -> None:
    del workplace

    def make(work: Work) -> Found:
        (work.into / "half").write_text("half")
        raise error

    assert _run(monkeypatch, make) == {"error": sentence}
    assert not Path("into").exists(), "nothing half is left to be published"
