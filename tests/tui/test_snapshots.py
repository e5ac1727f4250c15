"""Every screen as a picture, in the states and sizes that matter; ``--snapshot-update`` takes new ones.

Look at a new picture before it is committed: ``tests/tui/__snapshots__/``.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tests.tui.conftest import settled, still, until
from tests.tui.recorded import HOUR, MINUTE, NOW, Recorded
from tui.app import Dashboard
from tui.tabs.accuracy import AccuracyTab

SIZES = {"80x24": (80, 24), "120x40": (120, 40), "50x24": (50, 24)}
SMALL = pytest.param("50x24", marks=pytest.mark.slow)
AT_EVERY_SIZE = pytest.mark.parametrize("size", ["80x24", "120x40", SMALL])
Compare = Callable[..., bool]


def _never_built(recorded: Recorded) -> None:
    recorded.write()


def _all_fresh(recorded: Recorded) -> None:
    recorded.write(budget=True)
    recorded.build()


def _stale(recorded: Recorded) -> None:
    recorded.write()
    recorded.build()
    recorded.write(units=128)


def _running(recorded: Recorded) -> None:
    recorded.write()
    recorded.build()
    recorded.write(units=128)
    recorded.start_run(NOW - 20)
    recorded.stage_event("stage_started", NOW - 19, "network:keyword", reasons=["units 256 -> 128"])
    for done in range(0, 400, 20):
        facts = {"done": done, "total": 938, "epoch": "1/1", "step": f"{done}/938"}
        learned = {"accuracy": 0.1 + 0.8 * done / 400, "loss": 2.3 / (1 + done / 50)}
        recorded.stage_event("stage_progress", NOW - 15 + done / 40, "network:keyword", **facts, **learned)


def _failed(recorded: Recorded) -> None:
    recorded.write()
    recorded.build()
    recorded.write(units=128)
    recorded.start_run(NOW - 2 * MINUTE)
    recorded.stage_event("stage_started", NOW - 2 * MINUTE, "network:keyword", reasons=["units 256 -> 128"])
    message = "the loss became nan while training. Lower training.learning_rate, or set training.clip_norm."
    facts = {"message": message, "log": "build/logs/weights.keyword.log", "ended": "exit code 1"}
    recorded.stage_event("stage_failed", NOW - MINUTE, "network:keyword", **facts)
    recorded.end_run(NOW - MINUTE, ["network:keyword"])
    recorded.log("network:keyword", "".join(f"epoch 1/1, step {step}/938\n" for step in range(1, 30)))


def _stand_in(recorded: Recorded) -> None:
    recorded.write()
    recorded.build(stand_in="digits")


def _many(recorded: Recorded) -> None:
    for number in range(200):
        recorded.write(f"sweep-{number:03}", units=16 + number, description=f"units {16 + number}")


def _invalid(recorded: Recorded) -> None:
    recorded.write()
    text = Path("experiments/keyword.toml").read_text(encoding="utf-8").replace("units =", "unit =")
    Path("experiments/keyword.toml").write_text(text, encoding="utf-8")


STATES: dict[str, Callable[[Recorded], None]] = {
    "empty": lambda recorded: None,  # noqa: ARG005 - there is nothing to lay down
    "never built": _never_built,
    "all fresh": _all_fresh,
    "stale": _stale,
    "running": _running,
    "failed": _failed,
    "stand-in": _stand_in,
    "200 experiments": _many,
    "invalid": _invalid,
}
LAID_OUT_ANOTHER_WAY = {"all fresh", "running", "200 experiments"}
"""States whose pictures of every size are always taken; of the others, which differ in words, .ci/run takes them."""
WEIGHTS = {"running", "failed", "stale"}
"""States that are best seen on the second stage."""


def _look(keys: Sequence[str]) -> Callable[[Pilot[None]], object]:
    async def prepare(pilot: Pilot[None]) -> None:
        await settled(pilot)
        for key in keys:
            await pilot.press(key)
            await settled(pilot)
        await still(pilot)

    return prepare


MAIN_SCREENS = [
    pytest.param(
        state,
        size,
        id=f"{state}-{size}",
        marks=[pytest.mark.slow] if size == "50x24" or (size == "80x24" and state not in LAID_OUT_ANOTHER_WAY) else [],
    )
    for state in STATES
    for size in SIZES
]


@pytest.mark.parametrize(("state", "size"), MAIN_SCREENS)
def test_the_main_screen(
    recorded: Recorded, whole_dashboard: Dashboard, snap_compare: Compare, state: str, size: str
) -> None:
    STATES[state](recorded)
    keys = ["j", "j"] if state in WEIGHTS else []
    assert snap_compare(whole_dashboard, terminal_size=SIZES[size], run_before=_look(keys))


TABS = {"accuracy": "2", "npu": "3", "layers": "4", "log": "5", "matrix": "6"}


@AT_EVERY_SIZE
@pytest.mark.parametrize("tab", TABS)
def test_a_tab(recorded: Recorded, whole_dashboard: Dashboard, snap_compare: Compare, tab: str, size: str) -> None:
    _all_fresh(recorded)
    if tab == "matrix":
        recorded.compile_matrix()
    recorded.log("vela:keyword:u55-128", "".join(f"NPU: operator {number}\n" for number in range(60)))
    assert snap_compare(whole_dashboard, terminal_size=SIZES[size], run_before=_look([TABS[tab]]))


@AT_EVERY_SIZE
def test_the_samples_that_changed_class(
    recorded: Recorded, whole_dashboard: Dashboard, snap_compare: Compare, size: str
) -> None:
    _all_fresh(recorded)

    async def look(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await pilot.press("2")
        panel = whole_dashboard.main.query_one(AccuracyTab)
        await until(pilot, lambda: str(panel.query_one("#samples", Static).content) and panel.max_scroll_y)
        await pilot.press("G")
        await still(pilot)

    assert snap_compare(whole_dashboard, terminal_size=SIZES[size], run_before=look)


@AT_EVERY_SIZE
def test_comparing(recorded: Recorded, whole_dashboard: Dashboard, snap_compare: Compare, size: str) -> None:
    recorded.write("keyword")
    recorded.build("keyword", finished=NOW - 5 * HOUR)
    recorded.write("keyword", units=64)
    recorded.build("keyword", int8=0.9731, cycles=1_200_000)
    recorded.write("small", units=16, description="the smallest that is still good")
    recorded.build("small", int8=0.9412, cycles=240_000, finished=NOW - MINUTE)
    assert snap_compare(whole_dashboard, terminal_size=SIZES[size], run_before=_look(["d"]))


@AT_EVERY_SIZE
def test_the_help(recorded: Recorded, whole_dashboard: Dashboard, snap_compare: Compare, size: str) -> None:
    _never_built(recorded)
    assert snap_compare(whole_dashboard, terminal_size=SIZES[size], run_before=_look(["question_mark"]))


def test_a_light_theme(recorded: Recorded, whole_dashboard: Dashboard, snap_compare: Compare) -> None:
    _stale(recorded)
    whole_dashboard.theme = "textual-light"
    assert snap_compare(whole_dashboard, terminal_size=SIZES["120x40"], run_before=_look(["j", "j"]))


def test_without_colours(recorded: Recorded, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    _failed(recorded)
    assert snap_compare(Dashboard(now=lambda: NOW), terminal_size=SIZES["120x40"], run_before=_look(["j", "j"]))
