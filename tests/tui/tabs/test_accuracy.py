"""The accuracy tab."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.tasks.classification import CLASSIFICATION
from pipeline.views.accuracies import Rung
from tests.pipeline.records import amend, scores
from tests.tui.alone import alone
from tests.tui.recorded import BY_CLASS, HOUR, NOW, Recorded, writable
from tui.data import changed_samples
from tui.data.changed_samples import ChangedSample
from tui.tabs.accuracy import AccuracyTab
from tui.widgets import accuracy_bars
from tui.widgets.details_tab import TextTab

WIDE = (94, 60)
HOME = Path("build/keyword/accuracy")


def find(**metrics: Any) -> None:
    """Let the accuracy stage have found something else."""
    amend(HOME, metrics=metrics)


def recalls(in_float: list[float | None], quantized: list[float | None]) -> None:
    """Let each class have been recognised so often."""
    find(
        scores={
            "float": {"accuracy": 0.98, "accuracy_by_class": in_float},
            "quantized": {"accuracy": 0.97, "accuracy_by_class": quantized},
        }
    )


def confuse(classes: int) -> None:
    """Write a confusion matrix in which every class is once taken for the next."""
    matrix = (np.eye(classes, dtype=int) * 9 + np.roll(np.eye(classes, dtype=int), 1, axis=1)).tolist()
    writable(HOME / "confusion.json").write_text(json.dumps({"float": matrix, "quantized": matrix}), encoding="utf-8")


@pytest.fixture
def built(recorded: Recorded) -> Recorded:
    """Return a project that is built."""
    recorded.write()
    recorded.build()
    return recorded


async def test_a_model_that_was_made_elsewhere_says_why_there_is_none(recorded: Recorded) -> None:
    recorded.write_imported()
    async with alone(AccuracyTab(), WIDE, "elsewhere") as app:
        assert app.text("#ladder").splitlines() == ["no accuracy yet", "never built"]
    recorded.build("elsewhere")
    async with alone(AccuracyTab(), WIDE, "elsewhere") as app:
        lines = app.text("#ladder").splitlines()
        assert lines[:2] == ["accuracy not available", "there is no test set"]
        assert "proved; 10,000 of 10,000 samples byte-identical to TFLite Micro" in " ".join(" ".join(lines).split())


def append(text: str) -> None:
    path = Path("experiments/keyword.toml")
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def budget(**limits: float) -> None:
    append("\n[budget]\n" + "".join(f"{name} = {value}\n" for name, value in limits.items()))


async def test_the_ladder_the_budget_and_the_classes(built: Recorded) -> None:
    del built
    budget(accuracy_min=0.99, accuracy_drop_max=1.0)
    async with alone(AccuracyTab(), WIDE) as app:
        text = app.text("#ladder")
        assert "accuracy over 10,000 test samples, measured" in text
        assert "+0.06 points" in text
        assert "NOT KEPT  accuracy_min at least 99.00 %: 98.25 %" in text
        assert "kept      accuracy_drop_max at most 1.00 points: -0.06 points" in text
        assert "2 of 10,000 predictions changed by int8: 1 to right, 1 to wrong" in text
        assert "4 taken for 9 (14)" in text
        assert "2 samples that quantizing puts into another class" in app.text("#samples")
        assert "sample 7: it is 7" in app.text("#samples")


async def test_a_limit_that_is_just_kept_is_kept(built: Recorded) -> None:
    del built
    find(**scores(float=0.9825, quantized=0.9775))
    budget(accuracy_min=0.9775, accuracy_drop_max=0.5)
    async with alone(AccuracyTab(), WIDE) as app:
        text = app.text("#ladder")
        assert "kept  accuracy_min at least 97.75 %: 97.75 %" in text
        assert "kept  accuracy_drop_max at most 0.50 points: 0.50 points" in text


async def test_what_compressing_may_cost_is_a_budget_like_the_others(recorded: Recorded) -> None:
    recorded.write()
    append("\n[compress]\nclusters = 16\n")
    budget(compression_drop_max=0.5)
    recorded.build()
    async with alone(AccuracyTab(), WIDE) as app:
        assert "NOT KNOWN  compression_drop_max at most 0.50 points: there is no result without" in app.text("#ladder")
        recorded.build(int8=0.9875, twin=True)
        app.look()
        assert "kept  compression_drop_max at most 0.50 points: 0.50 points" in app.text("#ladder")
        recorded.build(int8=0.99, twin=True)
        app.look()
        assert "NOT KEPT  compression_drop_max at most 0.50 points: 0.75 points" in app.text("#ladder")


async def test_nothing_is_known_before_the_first_result(recorded: Recorded) -> None:
    recorded.write()
    async with alone(AccuracyTab(), WIDE) as app:
        assert app.text("#ladder") == "no accuracy yet\nnever built"
        recorded.start_run(NOW - 10)
        recorded.stage_event("stage_failed", NOW, "accuracy:keyword", message="[no] luck", log="x")
        recorded.end_run(NOW, ["accuracy:keyword"])
        app.look()
        assert "[no] luck" in app.text("#ladder")
        recorded.build()
        app.look()
        await app.settle()
        assert "+0.06 points" in app.text("#ladder")


async def test_a_stale_result_is_from_the_previous_build_and_the_one_before_stands_beside(recorded: Recorded) -> None:
    recorded.write()
    recorded.build(finished=NOW - 5 * HOUR)
    recorded.write(units=8)
    recorded.build(int8=0.9725, stand_in="digits")
    recorded.write(units=9)
    async with alone(AccuracyTab(), WIDE) as app:
        text = app.text("#ladder")
        assert "○ stale  from the previous build: downstream of unrolled; downstream of quantized" in text
        assert "the result before, 5 h ago: float 98.19 % (now +0.00 points), int8 98.25 % (now -1.00 points)" in text
        assert "on STAND-IN data: digits" in text


@pytest.mark.parametrize("damage", ["{", "{}", '{"int8": [[]]}', "\xff"])
async def test_a_damaged_confusion_is_said_and_the_rest_is_shown(built: Recorded, damage: str) -> None:
    del built
    writable(HOME / "confusion.json").write_text(damage, encoding="latin-1")
    async with alone(AccuracyTab(), WIDE) as app:
        text = app.text("#ladder")
        assert "confusion.json" in text.splitlines()[-1]
        assert "+0.06 points" in text


async def test_artefacts_that_are_gone_are_named(built: Recorded) -> None:
    del built
    (HOME / "confusion.json").unlink()
    writable(HOME / "predictions.npz").write_bytes(b"PK damaged")
    async with alone(AccuracyTab(), WIDE) as app:
        assert "confusion.json can't be read: No such file" in app.text("#ladder")
        assert "predictions.npz can't be read" in app.text("#samples")


@pytest.mark.parametrize(("classes", "drawn"), [(2, True), (10, True), (100, False)])
async def test_matrices_of_few_and_many_classes(built: Recorded, classes: int, *, drawn: bool) -> None:
    del built
    confuse(classes)
    recalls([0.9] * classes, [0.9] * classes)
    async with alone(AccuracyTab(), WIDE) as app:
        text = app.text("#ladder")
        assert ("rows are labels" in text) == drawn
        assert "0 taken for 1 (1)" in text


async def test_a_class_without_samples_has_no_recall(built: Recorded) -> None:
    del built
    recalls([None] * 10, [None, 1.0, *BY_CLASS[2:]])
    async with alone(AccuracyTab(), WIDE) as app:
        rows = app.text("#ladder").splitlines()
        assert any(row.startswith(" 0        -") for row in rows)
        assert next(row for row in rows if row.startswith(" 1 ")).count("█") == 40
    recalls([None] * 10, [None] * 10)
    async with alone(AccuracyTab(), WIDE) as app:
        assert "\n 9        -" in app.text("#ladder")


@pytest.mark.parametrize(
    ("value", "scale", "blocks"),
    [(1.0, "90 %", 40), (0.0, "0 %", 0), (0.96, "90 %", 24), (0.5, "40 %", 7), (0.04, "0 %", 2)],
)
def test_bars_begin_where_differences_are_seen(value: float, scale: str, blocks: int) -> None:
    rung = Rung(name="float", metric=CLASSIFICATION.headline, score=value, samples=9, basis="measured")
    bar, legend = accuracy_bars.ladder_lines([rung], 200)
    assert legend.plain == f"bars go from {scale} to 100 %"
    assert sum(letter in "▏▎▍▌▋▊▉█" for letter in bar.plain) == blocks


async def test_samples_are_drawn_in_a_thread_that_asks_nothing_of_the_screen(
    built: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a layout is due, asking for the width lays the screen out, which a thread can't: it ended the dashboard."""
    del built
    threads: set[threading.Thread] = set()

    def columns(panel: TextTab) -> int:
        threads.add(threading.current_thread())
        return panel.scrollable_content_region.width

    monkeypatch.setattr(TextTab, "columns", property(columns))
    async with alone(AccuracyTab(), WIDE) as app:
        assert "2 samples that quantizing puts into another class" in app.text("#samples")
        await app.resize(100, 60)
    assert threads == {threading.main_thread()}


async def test_no_sample_changed(built: Recorded) -> None:
    del built
    labels = np.arange(40) % 10
    np.savez(writable(HOME / "predictions.npz"), labels=labels, float=labels, quantized=labels)
    find(changed_predictions=0, changed_to_right=0, changed_to_wrong=0)
    async with alone(AccuracyTab(), WIDE) as app:
        assert "0 of 10,000 predictions changed" in app.text("#ladder")
        assert app.text("#samples") == ""


async def test_without_colour_samples_are_drawn_by_half_blocks(
    built: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    del built
    monkeypatch.setenv("NO_COLOR", "1")
    async with alone(AccuracyTab(), (144, 60)) as app:
        wide = app.text("#samples")
        assert "████" in wide
        assert "sample 7" in wide.splitlines()[2]
        assert "sample 21" in wide.splitlines()[2]
        await app.resize(50, 40)
        assert "sample 21" not in app.text("#samples").splitlines()[2]


async def test_the_late_samples_of_another_experiment_are_not_shown(
    built: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    built.write("other")
    go = threading.Event()
    loaded: list[str] = []

    def changed(*_: object) -> list[ChangedSample]:
        go.wait(30)
        loaded.append("keyword")
        return [ChangedSample(7, 1, 1, "int8", 2, [[1.0]])]

    monkeypatch.setattr(changed_samples, "read_changed_samples", changed)
    async with alone(AccuracyTab(), WIDE, settled=False) as app:
        assert "points" in app.text("#ladder")
        app.select(None, "other")
        assert "no accuracy yet" in app.text("#ladder")
        go.set()
        await app.settle()
        assert loaded
        assert app.text("#samples") == ""


def test_numpy_is_not_loaded_before_the_tab_is_opened(built: Recorded) -> None:
    del built
    script = """if True:
        import asyncio, sys
        from tui.app import Dashboard
        async def main():
            app = Dashboard()
            async with app.run_test() as pilot:
                while app.snapshot is None:
                    await pilot.pause(0.01)
                for key in "1345j":
                    await pilot.press(key)
                print("numpy" in sys.modules)
                await pilot.press("2")
                await app.workers.wait_for_complete()
                print("numpy" in sys.modules)
        asyncio.run(main())"""
    root = str(Path(__file__).parents[3])
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env={"PYTHONPATH": root}
    )
    assert done.stdout.split() == ["False", "True"], done.stderr
