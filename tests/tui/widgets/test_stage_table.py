"""The list: folding, filtering, marking, and a cursor that stays where it was put."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.app import ComposeResult
from textual.pilot import Pilot
from textual.widgets import Static

from tests.tui.alone import Empty
from tests.tui.conftest import settled, until
from tests.tui.data.conftest import look
from tests.tui.recorded import HOUR, NOW, Recorded
from tui.app import Dashboard
from tui.messages import Selected
from tui.widgets.stage_table import StageTable

STAGES = ["dataset", "network", "unrolled", "quantized", "accuracy", "vela u55-128", "verify u55-128"]
WIDE = (120, 40)


class OneList(Empty):
    """The list alone, as wide as it is in the dashboard."""

    def __init__(self) -> None:
        super().__init__()
        self.selected: tuple[str, str | None] | None = None
        self.opened = 0

    def compose(self) -> ComposeResult:
        yield StageTable(lambda: NOW)

    def on_selected(self, message: Selected) -> None:
        self.selected = (message.experiment, message.job)

    def on_opened(self) -> None:
        self.opened += 1

    def look(self) -> None:
        """Look at the project, and show it."""
        self.query_one(StageTable).show(look())


@asynccontextmanager
async def alone(size: tuple[int, int] = WIDE) -> AsyncIterator[Pilot[None]]:
    """Open the list; ``size`` is that of the dashboard."""
    app = OneList()
    async with app.run_test(size=size) as pilot:
        app.look()
        table(pilot).focus()
        await pilot.pause()
        yield pilot


def look_again(pilot: Pilot[None]) -> None:
    assert isinstance(pilot.app, OneList)
    pilot.app.look()


def at(pilot: Pilot[None]) -> tuple[str, str | None] | None:
    """Return what the list says that is selected."""
    assert isinstance(pilot.app, OneList)
    return pilot.app.selected


def table(pilot: Pilot[None]) -> StageTable:
    main = pilot.app.main if isinstance(pilot.app, Dashboard) else pilot.app
    return main.query_one(StageTable)


def shown(pilot: Pilot[None], column: int = 0) -> list[str]:
    """Return what stands in a column, row by row, as it is read."""
    rows = table(pilot)
    return [str(rows.get_row_at(row)[column]).strip() for row in range(rows.row_count)]


def selected(pilot: Pilot[None]) -> str:
    """Return the first line of the details."""
    return str(pilot.app.screen.query_one("#headline", Static).content).splitlines()[0]


def on_screen(pilot: Pilot[None]) -> int:
    """Return the line of the list's window that the cursor is in."""
    return table(pilot).cursor_row - round(table(pilot).scroll_y)


@pytest.fixture
def three(recorded: Recorded) -> Recorded:
    """Return a project of three experiments, of which b is built."""
    for name in ("a", "b", "c"):
        recorded.write(name, units=ord(name), description="just one" if name == "b" else "another")
    recorded.build("b")
    return recorded


async def test_experiments_are_folded_by_enter_and_arrows(three: Recorded) -> None:
    del three
    async with alone() as pilot:
        assert shown(pilot)[:9] == ["▾ a", *STAGES, "▾ b"]
        await pilot.press("enter")
        assert shown(pilot)[:3] == ["▸ a", "▾ b", "dataset"]
        await pilot.press("right")
        assert shown(pilot)[:2] == ["▾ a", "dataset"]
        await pilot.press("j", "j", "left")
        assert shown(pilot)[:2] == ["▸ a", "▾ b"]
        assert table(pilot).current == "a", "the cursor goes to what was folded"
        await pilot.press("left")
        assert shown(pilot)[0] == "▸ a", "folding twice changes nothing"


async def test_a_click_selects_and_another_folds_or_opens(three: Recorded, dashboard: Dashboard) -> None:
    del three
    async with dashboard.run_test(size=WIDE) as pilot:
        await settled(pilot)
        await pilot.click("#stages", offset=(3, 1))
        await pilot.pause()
        assert shown(pilot)[:2] == ["▸ a", "▾ b"]
        await pilot.click("#stages", offset=(6, 4))
        await until(pilot, lambda: selected(pilot).startswith("network:b"))
        assert table(pilot).has_focus
        await pilot.click("#stages", offset=(40, 4))
        await until(pilot, lambda: not table(pilot).has_focus)


async def test_keys_of_vi_move_the_cursor(three: Recorded) -> None:
    del three
    async with alone() as pilot:
        await pilot.press("G")
        assert table(pilot).current == "c/verify:c:u55-128"
        await pilot.press("k")
        assert table(pilot).current == "c/vela:c:u55-128"
        await pilot.press("g", "j")
        assert table(pilot).current == "a/dataset:a"


async def test_the_cursor_stays_when_experiments_come_and_go_above_it(three: Recorded) -> None:
    async with alone((120, 14)) as pilot:
        table(pilot).go_to("c", "quantized:c")
        await pilot.pause()
        line = on_screen(pilot)
        Path("experiments/a.toml").unlink()  # noqa: ASYNC240 - a test may wait for its disk
        look_again(pilot)
        assert "▾ a" not in shown(pilot)
        assert table(pilot).current == "c/quantized:c"
        await until(pilot, lambda: 0 <= on_screen(pilot) <= line)
        three.write("a2")
        look_again(pilot)
        assert shown(pilot)[0] == "▸ a2"
        await until(pilot, lambda: 0 <= on_screen(pilot) < table(pilot).size.height - 1)
        assert table(pilot).current == "c/quantized:c"
        assert at(pilot) == ("c", "quantized:c")


async def test_an_experiment_that_is_removed_under_the_cursor_leaves_it_beside(three: Recorded) -> None:
    del three
    async with alone() as pilot:
        table(pilot).go_to("b", None)
        await pilot.press("enter")
        Path("experiments/b.toml").unlink()  # noqa: ASYNC240
        look_again(pilot)
        await until(pilot, lambda: table(pilot).current == "c")
        await until(pilot, lambda: at(pilot) == ("c", None))


async def test_a_state_that_changes_moves_nothing_and_draws_only_its_cells(
    three: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    async with alone((120, 12)) as pilot:
        table(pilot).go_to("b", "accuracy:b")
        await pilot.pause()
        top = table(pilot).scroll_y
        assert top > 0
        monkeypatch.setattr(StageTable, "clear", lambda *_, **__: pytest.fail("all was drawn anew"))
        update = StageTable.update_cell_at

        def update_cell_at(self: StageTable, at: tuple[int, int], value: object) -> None:
            drawn.append(at[0])
            update(self, at, value)  # type: ignore[arg-type]

        monkeypatch.setattr(StageTable, "update_cell_at", update_cell_at)
        three.write("b", units=1, description="just one")
        look_again(pilot)
        assert "○ stale 6" in shown(pilot, 1)
        assert (table(pilot).current, table(pilot).scroll_y) == ("b/accuracy:b", top)
        assert set(drawn) == {8, 10, 11, 12, 13, 14, 15}, "the data set of b stays fresh"
        monkeypatch.undo()


async def test_marks_stand_beside_names_and_can_be_taken_away(three: Recorded) -> None:
    del three
    async with alone() as pilot:
        await pilot.press("space", "j", "j", "space", "space")
        assert shown(pilot)[0] == "▾ *a"
        await pilot.press("space")
        assert table(pilot).marked == set(), "a stage's mark is that of its experiment"
        assert shown(pilot)[0] == "▾ a"


async def test_the_filter_looks_at_names_words_states_and_reasons(three: Recorded) -> None:
    found = {"THE QUIET": {"c"}, "fresh": {"b"}, "never built": {"a", "c"}, "modle": {"d"}, "invalid": {"d"}}
    three.write("c", description="the quiet one")
    Path("experiments/d.toml").write_text("[modle]\n")  # noqa: ASYNC240
    async with alone() as pilot:
        for wanted, names in found.items():
            table(pilot).filter(wanted)
            assert {key.partition("/")[0] for key in table(pilot)._drawn} == names


async def test_escape_takes_the_filter_away_and_leaves_the_cursor(three: Recorded, dashboard: Dashboard) -> None:
    del three
    async with dashboard.run_test(size=WIDE) as pilot:
        await settled(pilot)
        dashboard.main.select("b", "network:b")
        await pilot.press("slash", *"just")
        await until(pilot, lambda: table(pilot).row_count == 8)
        assert table(pilot).current == "b/network:b"
        await pilot.press("escape")
        await until(pilot, lambda: table(pilot).row_count == 24)
        assert table(pilot).current == "b/network:b"
        assert table(pilot).has_focus


async def test_filtering_everything_away_keeps_what_is_selected(three: Recorded, dashboard: Dashboard) -> None:
    del three
    async with dashboard.run_test(size=WIDE) as pilot:
        await settled(pilot)
        dashboard.main.select("b", "network:b")
        await pilot.press("slash", *"xyz")
        await until(pilot, lambda: table(pilot).row_count == 0)
        assert selected(pilot).startswith("network:b")
        await pilot.press("enter", "j", "k", "enter", "space", "left", "right", "G", "escape")
        await pilot.press("slash", "escape")
        await until(pilot, lambda: table(pilot).row_count == 24)
        await pilot.pause()
        assert table(pilot).current == "b/network:b"
        assert selected(pilot).startswith("network:b")


async def test_the_details_follow_the_cursor_to_the_first_match(three: Recorded, dashboard: Dashboard) -> None:
    del three
    async with dashboard.run_test(size=WIDE) as pilot:
        await settled(pilot)
        await pilot.press("G", "slash", *"fresh", "enter")
        await until(pilot, lambda: selected(pilot).startswith("b  ● fresh"))
        dashboard.main.select("c", None)
        await until(pilot, lambda: selected(pilot).startswith("c "))
        assert table(pilot).row_count == 24, "what the filter hides is shown when it is gone to"
        assert str(table(pilot).ordered_columns[0].label) == "experiment, stage"


@pytest.mark.parametrize(
    ("width", "columns"),
    [(140, ["name", "state", "time", "age"]), (100, ["name", "state"]), (50, ["name", "state", "time"])],
)
async def test_age_goes_first_and_then_time(three: Recorded, width: int, columns: list[str]) -> None:
    three.write("b" * 100)
    async with alone((width, 40)) as pilot:
        labels = [str(column.label) for column in table(pilot).ordered_columns]
        assert ["name", *labels[1:]] == columns
        assert sum(column.width for column in table(pilot).ordered_columns) <= table(pilot).size.width
        long = next(name for name in shown(pilot) if "bbb" in name)
        assert long.endswith("b…")
        assert "53 s" not in " ".join(shown(pilot, -1)) or "time" in columns


async def test_a_resize_drops_columns_and_brings_them_back(three: Recorded) -> None:
    del three
    async with alone() as pilot:
        table(pilot).go_to("b", "network:b")
        assert "1 h ago" in shown(pilot, -1)
        for width, last in ((100, "state"), (50, "time"), (40, "state"), (12, "state"), (120, "age")):
            await pilot.resize_terminal(width, 30)
            await until(pilot, lambda last=last: str(table(pilot).ordered_columns[-1].label) == last)  # type: ignore[misc]
            await pilot.pause()
            assert table(pilot).current == "b/network:b"
            assert at(pilot) == ("b", "network:b")


async def test_200_experiments_are_folded_at_first(recorded: Recorded) -> None:
    for number in range(200):
        recorded.write(f"sweep-{number:03}", units=16 + number)
    async with alone((120, 20)) as pilot:
        assert table(pilot).row_count == 200
        await pilot.press("G")
        await until(pilot, lambda: table(pilot).current == "sweep-199")
        line = on_screen(pilot)
        recorded.write("a-first")
        look_again(pilot)
        assert table(pilot).row_count == 201
        await until(pilot, lambda: on_screen(pilot) == line)
        await pilot.press("enter")
        assert table(pilot).row_count == 208
        await pilot.press("j", "j", "left")
        await until(pilot, lambda: table(pilot).current == "sweep-199")
        assert table(pilot).row_count == 201


async def test_a_running_stage_shows_how_far_it_is_and_for_how_long(recorded: Recorded) -> None:
    recorded.write()
    recorded.build(finished=NOW - 50 * HOUR)
    recorded.write(units=8)
    recorded.start_run(NOW - 30)
    recorded.stage_event("stage_started", NOW - 20, "network:keyword", reasons=["units 256 -> 8"])
    recorded.stage_event("stage_progress", NOW - 10, "network:keyword", done=30, total=100)
    async with alone() as pilot:
        assert shown(pilot, 1)[:4] == ["▶ running", "● fresh", "▶ running 30 %", "◌ waiting"]
        assert shown(pilot, 2)[2] == "20 s"
        assert shown(pilot, 3)[1] == "2 d ago"
