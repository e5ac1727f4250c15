"""The matrix tab."""

import pytest

from tests.tui.alone import alone
from tests.tui.recorded import NOW, Recorded
from tui.tabs.matrix import MatrixTab

WIDE = (134, 60)


@pytest.fixture
def compiled(recorded: Recorded) -> Recorded:
    """Return a project whose matrix is compiled."""
    recorded.write()
    recorded.build()
    recorded.compile_matrix()
    return recorded


async def test_every_point_and_board_is_shown_with_all_columns_where_there_is_room(compiled: Recorded) -> None:
    del compiled
    async with alone(MatrixTab(), WIDE) as app:
        text = app.text("#matrix-table")
        head = next(line for line in text.splitlines() if line.startswith("Ethos-U "))
        assert " ".join(head.split()) == "Ethos-U memory mode cycles ms MAC use SRAM DRAM flash on the CPU"
        assert "Ethos_U85_SYS_DRAM_Mid, 500 MHz" in text
        (own,) = [line for line in text.splitlines() if line.startswith("* u")]
        assert own.split()[1:5] == ["u55-128", "Shared_Sram", "5.88M", "11.75"]
        assert text.count("fits  ") > 6
        assert "not compiled yet" not in text


@pytest.mark.parametrize("width", [48, 50, 84])
async def test_no_line_is_wider_than_there_is_room(compiled: Recorded, width: int) -> None:
    del compiled
    async with alone(MatrixTab(), (width, 24)) as app:
        text = app.text("#matrix-table")
        room = app.tab.columns
        assert max(map(len, text.splitlines())) <= room
        assert "ms" in text.splitlines()[2], "cycles alone can't be compared between systems"


async def test_without_a_matrix_it_says_which_key_compiles_it(recorded: Recorded) -> None:
    recorded.write()
    recorded.build()
    async with alone(MatrixTab(), WIDE) as app:
        assert "29 points not compiled yet: m compiles the matrix" in app.text("#matrix-table")


async def test_without_a_model_it_says_why(recorded: Recorded) -> None:
    recorded.write()
    async with alone(MatrixTab(), WIDE) as app:
        assert "no model yet: never built" in app.text("#matrix-table")


async def test_what_is_from_the_previous_build_says_so(compiled: Recorded) -> None:
    compiled.write(units=128)
    async with alone(MatrixTab(), WIDE) as app:
        assert "from the previous build: downstream of network; downstream of unrolled" in app.text("#matrix-table")
    compiled.build(int8=0.9)
    async with alone(MatrixTab(), WIDE) as app:
        assert "compiles of another model or Vela left out" in app.text("#matrix-table")


async def test_progress_is_shown_while_it_is_compiled(recorded: Recorded) -> None:
    recorded.write()
    recorded.build()
    recorded.start_run(NOW - 9)
    recorded.stage_event("stage_started", NOW - 8, "matrix:keyword", reasons=["36 points to compile or restore"])
    async with alone(MatrixTab(), WIDE) as app:
        assert app.text("#matrix-progress").startswith("compiling: 36 points")
        for done in (1, 9):
            recorded.stage_event("stage_progress", NOW - 8 + done / 2, "matrix:keyword", done=done, total=36)
        app.look()
        assert "9 of 36 points" in app.text("#matrix-progress")
        assert "25 %" in app.text("#matrix-progress")
        recorded.stage_event("stage_done", NOW - 1, "matrix:keyword", seconds=8.0, metrics={})
        recorded.end_run(NOW - 1, [])
        app.look()
        assert not app.tab.query_one("#matrix-progress").display
