"""The matrix tab."""

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tests.tui.conftest import settled, until
from tests.tui.recorded import NOW, Recorded
from tui.app import Dashboard

WIDE = (190, 60)


def said(pilot: Pilot[None], part: str = "#matrix-table") -> str:
    return str(pilot.app.screen.query_one(part, Static).content)


async def opened(pilot: Pilot[None]) -> str:
    await settled(pilot)
    await pilot.press("6")
    await until(pilot, lambda: said(pilot))
    return said(pilot)


@pytest.fixture
def compiled(recorded: Recorded) -> Recorded:
    """Return a project whose matrix is compiled."""
    recorded.write()
    recorded.build()
    recorded.compile_matrix()
    return recorded


async def test_every_point_and_board_is_shown_with_all_columns_where_there_is_room(
    compiled: Recorded, dashboard: Dashboard
) -> None:
    del compiled
    async with dashboard.run_test(size=WIDE) as pilot:
        text = await opened(pilot)
        head = next(line for line in text.splitlines() if line.startswith("Ethos-U "))
        assert " ".join(head.split()) == "Ethos-U memory mode cycles ms SRAM flash DRAM MAC use on CPU"
        assert "Ethos_U85_SYS_DRAM_Mid, 500 MHz" in text
        (own,) = [line for line in text.splitlines() if line.startswith("* u")]
        assert own.split()[1:5] == ["u55-128", "Shared_Sram", "5.88M", "11.75"]
        assert text.count("fits  ") > 6
        assert "not compiled yet" not in text


@pytest.mark.parametrize("width", [50, 80, 140])
async def test_no_line_is_wider_than_there_is_room(compiled: Recorded, dashboard: Dashboard, width: int) -> None:
    del compiled
    async with dashboard.run_test(size=(width, 24)) as pilot:
        text = await opened(pilot)
        room = pilot.app.screen.query_one("MatrixTab").scrollable_content_region.width
        assert max(map(len, text.splitlines())) <= room
        assert "ms" in text.splitlines()[2], "cycles alone can't be compared between systems"


async def test_without_a_matrix_it_says_which_key_compiles_it(recorded: Recorded, dashboard: Dashboard) -> None:
    recorded.write()
    recorded.build()
    async with dashboard.run_test(size=WIDE) as pilot:
        assert "29 points not compiled yet: m compiles the matrix" in await opened(pilot)


async def test_the_key_runs_the_matrix_of_what_is_selected(
    recorded: Recorded, dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    monkeypatch.setattr(dashboard.engine, "start", lambda *commands: started.append(commands))
    recorded.write("broken", units=0)
    recorded.write()
    async with dashboard.run_test(size=WIDE) as pilot:
        await settled(pilot)
        await pilot.press("m")
        assert started == [], "the first experiment's file has a mistake"
        await pilot.press("j", "j", "m")
        assert started == [(["matrix:keyword"],)], "from a stage, too"


async def test_without_a_model_it_says_why(recorded: Recorded, dashboard: Dashboard) -> None:
    recorded.write()
    async with dashboard.run_test(size=WIDE) as pilot:
        assert "no model yet: never built" in await opened(pilot)


async def test_what_is_of_before_says_so(compiled: Recorded, dashboard: Dashboard) -> None:
    compiled.write(units=128)
    async with dashboard.run_test(size=WIDE) as pilot:
        assert "of before: downstream of unrolled" in await opened(pilot)
    compiled.build(int8=0.9)
    async with Dashboard(now=lambda: NOW).run_test(size=WIDE) as pilot:
        assert "compiles of another model or Vela left out" in await opened(pilot)


async def test_progress_is_shown_while_it_is_compiled(recorded: Recorded, dashboard: Dashboard) -> None:
    recorded.write()
    recorded.build()
    recorded.start_run(NOW - 9)
    recorded.stage_event("stage_started", NOW - 8, "matrix:keyword", reasons=["36 points to compile or restore"])
    async with dashboard.run_test(size=WIDE) as pilot:
        await opened(pilot)
        assert said(pilot, "#matrix-progress").startswith("compiling: 36 points")
        for done in (1, 9):
            recorded.stage_event("stage_progress", NOW - 8 + done / 2, "matrix:keyword", done=done, total=36)
        await until(pilot, lambda: "9 of 36 points" in said(pilot, "#matrix-progress"))
        assert "25 %" in said(pilot, "#matrix-progress")
        recorded.stage_event("stage_done", NOW - 1, "matrix:keyword", seconds=8.0, metrics={})
        recorded.end_run(NOW - 1, [])
        await until(pilot, lambda: not pilot.app.screen.query_one("#matrix-progress").display)
