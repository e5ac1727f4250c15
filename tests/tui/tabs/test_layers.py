"""The layers tab."""

import json
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tests.tui.conftest import settled, until
from tests.tui.recorded import Recorded, writable
from tests.tui.tabs.test_npu import SECOND, append
from tui.app import Dashboard
from tui.tabs.layers import LayerTable
from tui.widgets.filter_bar import FilterBar

WIDE = (150, 40)
HOME = Path("build/keyword/vela/u55-128")


def table(pilot: Pilot[None]) -> LayerTable:
    return pilot.app.screen.query_one(LayerTable)


def head(pilot: Pilot[None]) -> str:
    return str(pilot.app.screen.query_one("#layers-head", Static).content)


def names(pilot: Pilot[None]) -> list[str]:
    return [str(table(pilot).get_row_at(row)[0]) for row in range(table(pilot).row_count)]


def titles(pilot: Pilot[None]) -> list[str]:
    return [str(column.label) for column in table(pilot).ordered_columns]


async def opened(pilot: Pilot[None]) -> None:
    await settled(pilot)
    await pilot.press("4")
    await until(pilot, lambda: head(pilot))
    await pilot.pause()


@pytest.fixture
def built(recorded: Recorded) -> Recorded:
    """Return a project that is built."""
    recorded.write()
    recorded.build()
    return recorded


async def test_operators_are_put_together_in_four_ways(built: Recorded, dashboard: Dashboard) -> None:
    del built
    async with dashboard.run_test(size=WIDE) as pilot:
        await opened(pilot)
        assert names(pilot)[0] == "recurrent product"
        await pilot.press("t")
        assert names(pilot)[:3] == ["step 1", "step 2", "step 3"]
        assert "by time step" in head(pilot)
        await pilot.press("t")
        assert set(names(pilot)) == {"FullyConnected", "Add", "Mul", "Softmax"}
        await pilot.press("t")
        assert table(pilot).row_count == 189
        assert "189 rows in 189 groups" in head(pilot)
        await pilot.press("t")
        assert names(pilot)[0] == "recurrent product"


@pytest.fixture
def folded(built: Recorded) -> None:
    """Let four rows of the data set be a time step."""
    del built
    record = writable(Path("build/keyword/unrolled/stage.json"))
    facts = json.loads(record.read_bytes())
    facts["metrics"] |= {"rows_per_step": 4, "time_steps": 7, "steps_per_inference": 7, "inferences_per_sequence": 1}
    record.write_text(json.dumps(facts), encoding="utf-8")


async def test_a_step_of_several_rows_says_so(folded: None, dashboard: Dashboard) -> None:
    del folded
    async with dashboard.run_test(size=WIDE) as pilot:
        await opened(pilot)
        assert "by role  " in head(pilot)
        await pilot.press("t")
        assert "by time step of 4 rows  " in head(pilot)


async def test_keys_and_clicks_on_the_head_sort(built: Recorded, dashboard: Dashboard) -> None:
    del built
    async with dashboard.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await pilot.press("t")
        assert "order execution" in head(pilot)
        await pilot.press("o", "o")
        assert "order name" in head(pilot)
        steps = [name for name in names(pilot) if name.startswith("step")]
        assert steps[:3] == ["step 1", "step 2", "step 3"], "numbers go by their size"
        await pilot.press("o", "o", "o", "o")
        assert "order execution" in head(pilot)
        for title, order in (("share", "cycles"), ("operators", "operators"), ("bound by", "bound by")):
            column = titles(pilot).index(title)
            widths = [each.get_render_width(table(pilot)) for each in table(pilot).ordered_columns]
            await pilot.click(LayerTable, offset=(sum(widths[:column]) + 2, 0))
            await until(pilot, lambda order=order: f"order {order}" in head(pilot))  # type: ignore[misc]
        await pilot.click(LayerTable, offset=(2, 0))
        await until(pilot, lambda: "order name" in head(pilot))


async def test_the_filter_looks_at_all_words_of_an_operator(built: Recorded, dashboard: Dashboard) -> None:
    del built
    found = {"step 3": 6, "flash": 57, "SOFTMAX": 20, "CPU": 0, "[x]": 0}
    async with dashboard.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await pilot.press("slash")
        for wanted, rows in found.items():
            dashboard.main.query_one(FilterBar).value = wanted
            await until(pilot, lambda rows=rows: f"{rows} rows in" in head(pilot))  # type: ignore[misc]
            assert repr(wanted) in head(pilot)
        await pilot.press("enter", "j", "t", "o", "G")
        assert table(pilot).has_focus
        await pilot.press("slash", "escape")
        await until(pilot, lambda: "189 rows in" in head(pilot))


async def test_what_stays_on_the_cpu_is_found_and_marked(built: Recorded, dashboard: Dashboard) -> None:
    del built
    layers = json.loads((HOME / "layers.json").read_text(encoding="utf-8"))
    layers["layers"][0] |= {"target": "CPU", "name": "net/[odd]/exp"}
    writable(HOME / "layers.json").write_text(json.dumps(layers), encoding="utf-8")
    async with dashboard.run_test(size=(200, 40)) as pilot:
        await opened(pilot)
        await pilot.press("t", "t", "t", "slash")
        dashboard.main.query_one(FilterBar).value = "cpu"
        await until(pilot, lambda: "with" in head(pilot))
        assert names(pilot) == ["net/[odd]/exp  1 on the CPU"]


async def test_the_cursor_stays_on_its_operators(built: Recorded, dashboard: Dashboard) -> None:
    del built
    async with dashboard.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await pilot.press("j", "j")
        name = names(pilot)[2]
        await pilot.press("o")
        await until(pilot, lambda: "order name" in head(pilot))
        assert names(pilot)[table(pilot).cursor_row] == name
        await pilot.press("slash")
        dashboard.main.query_one(FilterBar).value = name
        await until(pilot, lambda: "with" in head(pilot))
        assert names(pilot)[table(pilot).cursor_row] == name
        await pilot.press("escape")
        await until(pilot, lambda: "with" not in head(pilot))
        assert not dashboard.screen.query_one(FilterBar).display
        assert names(pilot)[table(pilot).cursor_row] == name


async def test_columns_go_when_there_is_no_room(built: Recorded, dashboard: Dashboard) -> None:
    del built
    everything = ["role", "cycles", "share", "", "bound by", "operators", "MACs"]
    async with dashboard.run_test(size=(180, 40)) as pilot:
        await opened(pilot)
        assert titles(pilot) == everything
        for width in (120, 80, 50, 30):
            await pilot.resize_terminal(width, 30)
            await pilot.pause()
            await until(pilot, lambda: table(pilot).virtual_size.width <= table(pilot).size.width or width == 30)  # noqa: B023
            assert titles(pilot) == everything[: len(titles(pilot))]
        await until(pilot, lambda: titles(pilot) == ["role", "cycles"])


async def test_another_target_is_drawn_when_it_is_selected(recorded: Recorded, dashboard: Dashboard) -> None:
    recorded.write()
    append(SECOND)
    recorded.build()
    recorded.write("empty")
    async with dashboard.run_test(size=WIDE) as pilot:
        dashboard.main.select("keyword", None)
        await settled(pilot)
        dashboard.main.select("keyword", "vela:keyword:u85-256")
        await opened(pilot)
        await until(pilot, lambda: "vela:keyword:u85-256" in head(pilot))
        dashboard.main.select("keyword", "weights:keyword")
        await until(pilot, lambda: "vela:keyword:u55-128" in head(pilot))
        dashboard.main.select("empty", None)
        await until(pilot, lambda: head(pilot).startswith("no result yet: never built"))
        assert table(pilot).row_count == 0


@pytest.mark.parametrize("damage", ['{"layers": [3]}', '{"layers": []}'])
async def test_damaged_layers_are_said_and_no_key_fails(built: Recorded, dashboard: Dashboard, damage: str) -> None:
    del built
    writable(HOME / "layers.json").write_text(damage, encoding="utf-8")
    async with dashboard.run_test(size=WIDE) as pilot:
        await opened(pilot)
        assert "layers.json" in head(pilot) or "0 rows in 0 groups" in head(pilot)
        await pilot.press("t", "o", "j", "G", "enter", "c")
        assert dashboard.is_running
