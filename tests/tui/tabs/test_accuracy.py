"""The accuracy tab."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from pipeline.ladder import Rung
from tests.tui.conftest import settled, until
from tests.tui.recorded import BY_CLASS, HOUR, NOW, Recorded, writable
from tui.app import Dashboard
from tui.data import changed_samples
from tui.data.changed_samples import Changed
from tui.tabs import accuracy as accuracy_tab
from tui.widgets.tab import Panel

WIDE = (150, 60)
HOME = Path("build/keyword/accuracy")


def said(pilot: Pilot[None], part: str = "#ladder") -> str:
    return str(pilot.app.screen.query_one(part, Static).content)


async def opened(pilot: Pilot[None], part: str = "#ladder") -> str:
    """Open the tab, and return what it says."""
    await settled(pilot)
    await pilot.press("2")
    await settled(pilot)
    return said(pilot, part)


def find(**metrics: Any) -> None:
    """Let the accuracy stage have found something else."""
    record = json.loads((HOME / "stage.json").read_text(encoding="utf-8"))
    record["metrics"] |= metrics
    (HOME / "stage.json").write_text(json.dumps(record), encoding="utf-8")


def confuse(classes: int) -> None:
    """Write a confusion matrix in which every class is once taken for the next."""
    matrix = (np.eye(classes, dtype=int) * 9 + np.roll(np.eye(classes, dtype=int), 1, axis=1)).tolist()
    writable(HOME / "confusion.json").write_text(json.dumps({"float": matrix, "int8": matrix}), encoding="utf-8")


@pytest.fixture
def built(recorded: Recorded) -> Recorded:
    """Return a project that is built."""
    recorded.write()
    recorded.build()
    return recorded


async def test_a_model_that_was_made_elsewhere_says_why_there_is_none(recorded: Recorded, dashboard: Dashboard) -> None:
    recorded.write_imported()
    async with dashboard.run_test(size=WIDE) as pilot:
        assert (await opened(pilot)).splitlines() == ["no accuracy yet", "never built"]
    recorded.build("elsewhere")
    async with Dashboard(now=lambda: NOW).run_test(size=WIDE) as pilot:
        assert (await opened(pilot)).splitlines() == ["accuracy not available", "there is no test set"]


def budget(**limits: float) -> None:
    path = Path("experiments/keyword.toml")
    lines = "".join(f"{name} = {value}\n" for name, value in limits.items())
    path.write_text(path.read_text(encoding="utf-8") + f"\n[budget]\n{lines}", encoding="utf-8")


async def test_the_ladder_the_budget_and_the_classes(built: Recorded, dashboard: Dashboard) -> None:
    del built
    budget(accuracy_min=0.99, accuracy_drop_max=1.0)
    async with dashboard.run_test(size=WIDE) as pilot:
        text = await opened(pilot)
        assert "accuracy over 10,000 test samples, measured" in text
        assert "+0.06 points" in text
        assert "int8 at least 99.00 %: NOT KEPT" in text
        assert "int8 at most 1.0 points below float: kept" in text
        assert "2 of 10,000 predictions changed by int8: 1 to right, 1 to wrong" in text
        assert "4 taken for 9 (14)" in text
        assert "2 samples that quantizing puts into another class" in said(pilot, "#samples")
        assert "sample 7: it is 7" in said(pilot, "#samples")


async def test_a_limit_that_is_just_kept_is_kept(built: Recorded, dashboard: Dashboard) -> None:
    del built
    find(float_accuracy=0.9825, int8_accuracy=0.9775)
    budget(accuracy_min=0.9775, accuracy_drop_max=0.5)
    async with dashboard.run_test(size=WIDE) as pilot:
        text = await opened(pilot)
        assert "int8 at least 97.75 %: kept" in text
        assert "int8 at most 0.5 points below float: kept" in text


async def test_nothing_is_known_before_the_first_result(recorded: Recorded, dashboard: Dashboard) -> None:
    recorded.write()
    async with dashboard.run_test(size=WIDE) as pilot:
        assert await opened(pilot) == "no accuracy yet\nnever built"
        recorded.start_run(NOW - 10)
        recorded.stage_event("stage_failed", NOW, "accuracy:keyword", message="[no] luck", log="x")
        recorded.end_run(NOW, ["accuracy:keyword"])
        await until(pilot, lambda: "[no] luck" in said(pilot))
        recorded.build()
        await until(pilot, lambda: "+0.06 points" in said(pilot))


async def test_a_stale_result_is_of_before_and_the_one_before_stands_beside(
    recorded: Recorded, dashboard: Dashboard
) -> None:
    recorded.write()
    recorded.build(finished=NOW - 5 * HOUR)
    recorded.write(units=8)
    recorded.build(int8=0.9725, stand_in="digits")
    recorded.write(units=9)
    async with dashboard.run_test(size=WIDE) as pilot:
        text = await opened(pilot)
        assert "○ stale  of before: downstream of unrolled; downstream of quantized" in text
        assert "the result before, 5 h ago: float 98.19 % (now +0.00 points), int8 98.25 % (now -1.00 points)" in text
        assert "on STAND-IN data: digits" in text


@pytest.mark.parametrize("damage", ["{", "{}", '{"int8": [[]]}', "\xff"])
async def test_a_damaged_confusion_is_said_and_the_rest_is_shown(
    built: Recorded, dashboard: Dashboard, damage: str
) -> None:
    del built
    writable(HOME / "confusion.json").write_text(damage, encoding="latin-1")
    async with dashboard.run_test(size=WIDE) as pilot:
        text = await opened(pilot)
        assert "confusion.json" in text.splitlines()[-1]
        assert "+0.06 points" in text


async def test_artefacts_that_are_gone_are_named(built: Recorded, dashboard: Dashboard) -> None:
    del built
    (HOME / "confusion.json").unlink()
    writable(HOME / "predictions.npz").write_bytes(b"PK damaged")
    async with dashboard.run_test(size=WIDE) as pilot:
        assert "confusion.json can't be read: No such file" in await opened(pilot)
        assert "predictions.npz can't be read" in said(pilot, "#samples")


@pytest.mark.parametrize(("classes", "drawn"), [(2, True), (10, True), (100, False)])
async def test_matrices_of_few_and_many_classes(
    built: Recorded, dashboard: Dashboard, classes: int, *, drawn: bool
) -> None:
    del built
    confuse(classes)
    find(**dict.fromkeys(("float_accuracy_by_class", "int8_accuracy_by_class"), [0.9] * classes))
    async with dashboard.run_test(size=WIDE) as pilot:
        text = await opened(pilot)
        assert ("rows are labels" in text) == drawn
        assert "0 taken for 1 (1)" in text


async def test_a_class_without_samples_has_no_recall(built: Recorded, dashboard: Dashboard) -> None:
    del built
    find(int8_accuracy_by_class=[None, 1.0, *BY_CLASS[2:]], float_accuracy_by_class=[None] * 10)
    async with dashboard.run_test(size=WIDE) as pilot:
        rows = (await opened(pilot)).splitlines()
        assert any(row.startswith(" 0        -") for row in rows)
        assert next(row for row in rows if row.startswith(" 1 ")).count("█") == 40
    find(int8_accuracy_by_class=[None] * 10)
    async with Dashboard(now=lambda: NOW).run_test(size=WIDE) as pilot:
        assert "\n 9        -" in await opened(pilot)


@pytest.mark.parametrize(
    ("value", "scale", "blocks"),
    [(1.0, "90 %", 40), (0.0, "0 %", 0), (0.96, "90 %", 24), (0.5, "40 %", 7), (0.04, "0 %", 2)],
)
def test_bars_begin_where_differences_are_seen(value: float, scale: str, blocks: int) -> None:
    rung = Rung(name="float", metric="float_accuracy", accuracy=value, samples=9, basis="measured")
    bar, legend = accuracy_tab.ladder_lines([rung], 200)
    assert legend.plain == f"bars go from {scale} to 100 %"
    assert sum(letter in "▏▎▍▌▋▊▉█" for letter in bar.plain) == blocks


async def test_samples_are_drawn_in_a_thread_that_asks_nothing_of_the_screen(
    built: Recorded, dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a layout is due, asking for the width lays the screen out, which a thread can't: it ended the dashboard."""
    del built
    threads: set[threading.Thread] = set()

    def columns(panel: Panel) -> int:
        threads.add(threading.current_thread())
        return panel.scrollable_content_region.width

    monkeypatch.setattr(Panel, "columns", property(columns))
    async with dashboard.run_test(size=WIDE) as pilot:
        assert "2 samples that quantizing puts into another class" in await opened(pilot, "#samples")
        await pilot.resize_terminal(100, 60)
        await settled(pilot)
    assert threads == {threading.main_thread()}


async def test_no_sample_changed(built: Recorded, dashboard: Dashboard) -> None:
    del built
    labels = np.arange(40) % 10
    np.savez(writable(HOME / "predictions.npz"), labels=labels, float=labels, int8=labels)
    find(changed_predictions=0, changed_to_right=0, changed_to_wrong=0)
    async with dashboard.run_test(size=WIDE) as pilot:
        assert "0 of 10,000 predictions changed" in await opened(pilot)
        assert said(pilot, "#samples") == ""


async def test_without_colour_samples_are_drawn_by_half_blocks(
    built: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    del built
    monkeypatch.setenv("NO_COLOR", "1")
    async with Dashboard(now=lambda: NOW).run_test(size=(200, 60)) as pilot:
        wide = await opened(pilot, "#samples")
        assert "████" in wide
        assert "sample 7" in wide.splitlines()[2]
        assert "sample 21" in wide.splitlines()[2]
        await pilot.resize_terminal(50, 40)
        await until(pilot, lambda: "sample 21" not in said(pilot, "#samples").splitlines()[2])


async def test_the_late_samples_of_another_experiment_are_not_shown(
    built: Recorded, dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    built.write("other")
    go = threading.Event()
    loaded: list[str] = []

    def changed(*_: object) -> list[Changed]:
        go.wait(30)
        loaded.append("keyword")
        return [Changed(7, 1, 1, "int8", 2, [[1.0]])]

    monkeypatch.setattr(changed_samples, "changed", changed)
    async with dashboard.run_test(size=WIDE) as pilot:
        await until(pilot, lambda: dashboard.snapshot)
        await pilot.press("2")
        await until(pilot, lambda: "points" in said(pilot))
        dashboard.main.select("other", None)
        await until(pilot, lambda: "no accuracy yet" in said(pilot))
        go.set()
        await until(pilot, lambda: loaded)
        await settled(pilot)
        assert said(pilot, "#samples") == ""


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
