"""What the tabs have in common: they scroll by keys, and draw only in sight and for their width."""

import pytest

from tests.tui.alone import alone
from tests.tui.conftest import settled, until
from tests.tui.recorded import Recorded
from tui.app import Dashboard
from tui.data.view import View
from tui.tabs.accuracy import AccuracyTab
from tui.tabs.npu import NpuTab
from tui.tabs.stage import StageTab
from tui.widgets.details_tab import TextTab


async def test_a_tab_scrolls_by_keys_of_vi(recorded: Recorded) -> None:
    recorded.write()
    recorded.build()
    async with alone(NpuTab(), (63, 9)) as app:
        tab, pilot = app.tab, app.pilot
        assert tab.has_focus
        assert tab.max_scroll_y > 5
        for key, goal in (("G", tab.max_scroll_y), ("k", tab.max_scroll_y - 1), ("g", 0), ("j", 1)):
            await pilot.press(key)
            await until(pilot, lambda goal=goal: tab.scroll_y == goal)  # type: ignore[misc]


async def test_only_the_tab_in_sight_is_drawn_and_again_for_a_new_width(
    recorded: Recorded, dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[str, int]] = []
    for kind in (StageTab, AccuracyTab, NpuTab):

        def draw(self: TextTab, view: View) -> None:
            assert view.experiment.name == "keyword"
            drawn.append((type(self).__name__, self.columns))

        monkeypatch.setattr(kind, "draw", draw)
    recorded.write()
    async with dashboard.run_test(size=(140, 30)) as pilot:
        await settled(pilot)
        await until(pilot, lambda: drawn)
        assert {name for name, _ in drawn} == {"StageTab"}
        drawn.clear()
        await pilot.press("2")
        await until(pilot, lambda: drawn)
        assert {name for name, _ in drawn} == {"AccuracyTab"}
        before = drawn[-1][1]
        await pilot.resize_terminal(130, 30)
        await until(pilot, lambda: drawn[-1] == ("AccuracyTab", before - 10))


def test_a_view_finds_all_stages_of_a_kind(recorded: Recorded) -> None:
    from tests.tui.data.conftest import look  # noqa: PLC0415 - only this test needs it

    recorded.write()
    snapshot = look()
    view = View(snapshot, snapshot.experiments[0], None, 0.0)
    assert [stage.job.name for stage in view.all_of("vela")] == ["vela:keyword:u55-128"]
    assert view.all_of("nothing") == []
