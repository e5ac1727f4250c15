"""Results that an earlier version left: they are made again, and crash no view until then."""

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.engine.results.record import RECORD, name_of
from tests.pipeline.records import amend
from tests.tui.recorded import NOW, Recorded
from tui import once
from tui.data import results
from tui.data.project import ProjectWatcher
from tui.data.view import View
from tui.screens import compare
from tui.tabs import accuracy, npu

EARLIER = {"float_accuracy": 0.98, "int8_accuracy": 0.97, "micro_accuracy": None, "test_samples": 10_000}
"""What the accuracy stage said before scores stood by form of the model."""


def views() -> str:
    """Return all that the views that show scores say of the project."""
    watcher = ProjectWatcher(lambda: NOW)
    watcher.poll()
    watcher.assess()
    snapshot = watcher.snapshot()
    (experiment,) = snapshot.experiments
    view = View(snapshot, experiment, None, NOW)
    found = results.catalogue(snapshot)
    screen = compare.CompareScreen(found, set(), lambda: NOW)
    cells = [screen._cells("A", result, screen._costs()) for result in found]
    text = [accuracy.accuracy_text(view, 120).plain, npu.npu_text(view, 120).plain, *once.lines(snapshot, NOW)]
    return "\n".join([*text, *map(str, cells), *map(str, results.side_by_side(found))])


def rewrite(link: Path, **facts: Any) -> None:
    """Let a record say something else that no version of today writes, under the name that goes with it."""
    home = link.resolve()
    document = {**msgspec.json.decode((home / RECORD).read_bytes()), **facts}
    content = msgspec.json.encode(document)
    (home / RECORD).unlink()
    (home / RECORD).write_bytes(content)
    named = home.rename(home.with_name(name_of(document["key"], content)))
    link.unlink()
    link.symlink_to(os.path.relpath(named, link.parent.resolve()))


def test_a_record_of_another_schema_is_none_and_says_so(recorded: Recorded) -> None:
    recorded.write()
    recorded.build()
    for job in recorded.jobs():
        rewrite(job.link, schema=1, **({"metrics": EARLIER} if job.stage.name == "accuracy" else {}))

    text = views()

    assert "stage.json has schema 1, this version writes 2" in text
    assert "98.00 %" not in text


@pytest.mark.parametrize(
    "metrics",
    [
        {"scores": None},
        {"scores": {}},
        {"scores": {"quantized": None}},
        {"scores": {"quantized": {"accuracy": "much"}, "float": 3}},
        {"scores": {"quantized": {"accuracy": 0.97}}, "task": "a task of a later version", "activations": None},
    ],
)
def test_scores_that_are_not_as_this_version_writes_them_crash_no_view(
    recorded: Recorded, metrics: dict[str, Any]
) -> None:
    recorded.write(budget=True)
    recorded.build()
    amend(Path("build/keyword/accuracy"), metrics={**metrics, **EARLIER})
    amend(Path("build/keyword/verify/u55-128"), metrics=metrics)
    assert views()
