"""The layers tab."""

import json
from pathlib import Path

import pytest

from tests.pipeline.records import amend
from tests.tui.alone import OneTab, alone
from tests.tui.conftest import until
from tests.tui.recorded import Recorded, writable
from tests.tui.tabs.test_npu import SECOND, append
from tui.tabs.layers import LayersTab, LayerTable

WIDE = (93, 40)
HOME = Path("build/keyword/vela/u55-128")


def table(app: OneTab) -> LayerTable:
    return app.tab.query_one(LayerTable)


def head(app: OneTab) -> str:
    return app.text("#layers-head")


def names(app: OneTab) -> list[str]:
    return [str(table(app).get_row_at(row)[0]) for row in range(table(app).row_count)]


def titles(app: OneTab) -> list[str]:
    return [str(column.label) for column in table(app).ordered_columns]


@pytest.fixture
def built(recorded: Recorded) -> Recorded:
    """Return a project that is built."""
    recorded.write()
    recorded.build()
    return recorded


async def test_operators_are_put_together_in_four_ways(built: Recorded) -> None:
    del built
    async with alone(LayersTab(), WIDE) as app:
        assert names(app)[0] == "recurrent product"
        await app.pilot.press("t")
        assert names(app)[:3] == ["step 1", "step 2", "step 3"]
        assert "by time step" in head(app)
        await app.pilot.press("t")
        assert set(names(app)) == {"FullyConnected", "Add", "Mul", "Softmax"}
        await app.pilot.press("t")
        assert table(app).row_count == 189
        assert "189 rows in 189 groups" in head(app)
        await app.pilot.press("t")
        assert names(app)[0] == "recurrent product"


async def test_a_small_share_is_not_cut(built: Recorded) -> None:
    del built
    async with alone(LayersTab(), WIDE) as app:
        column = titles(app).index("share")
        shares = [str(table(app).get_row_at(row)[column]) for row in range(table(app).row_count)]
        assert "0.0067 %" in shares
        assert max(map(len, shares)) <= table(app).ordered_columns[column].width


@pytest.fixture
def folded(built: Recorded) -> None:
    """Let four rows of the data set be a time step."""
    del built
    metrics = {"rows_per_step": 4, "time_steps": 7, "steps_per_inference": 7, "inferences_per_sequence": 1}
    amend(Path("build/keyword/unrolled"), metrics=metrics)


async def test_a_step_of_several_rows_says_so(folded: None) -> None:
    del folded
    async with alone(LayersTab(), WIDE) as app:
        assert "by role  " in head(app)
        await app.pilot.press("t")
        assert "by time step of 4 rows  " in head(app)


async def test_keys_and_clicks_on_the_head_sort(built: Recorded) -> None:
    del built
    async with alone(LayersTab(), WIDE) as app:
        await app.pilot.press("t")
        assert "order execution" in head(app)
        await app.pilot.press("o", "o")
        assert "order name" in head(app)
        steps = [name for name in names(app) if name.startswith("step")]
        assert steps[:3] == ["step 1", "step 2", "step 3"], "numbers go by their size"
        await app.pilot.press("o", "o", "o", "o")
        assert "order execution" in head(app)
        for title, order in (("share", "cycles"), ("operators", "operators"), ("bound by", "bound by")):
            column = titles(app).index(title)
            widths = [each.get_render_width(table(app)) for each in table(app).ordered_columns]
            await app.pilot.click(LayerTable, offset=(sum(widths[:column]) + 2, 0))
            await until(app.pilot, lambda order=order: f"order {order}" in head(app))  # type: ignore[misc]
        await app.pilot.click(LayerTable, offset=(2, 0))
        await until(app.pilot, lambda: "order name" in head(app))


async def test_the_filter_looks_at_all_words_of_an_operator(built: Recorded) -> None:
    del built
    found = {"step 3": 6, "flash": 57, "SOFTMAX": 20, "CPU": 0, "[x]": 0}
    async with alone(LayersTab(), WIDE) as app:
        for wanted, rows in found.items():
            app.tab.filter(wanted)
            await until(app.pilot, lambda rows=rows: f"{rows} rows in" in head(app))  # type: ignore[misc]
            assert repr(wanted) in head(app)
        await app.pilot.press("j", "t", "o", "G")
        assert table(app).has_focus
        app.tab.filter("")
        await until(app.pilot, lambda: "189 rows in" in head(app))


async def test_what_stays_on_the_cpu_is_found_and_marked(built: Recorded) -> None:
    del built
    layers = json.loads((HOME / "layers.json").read_text(encoding="utf-8"))
    layers["layers"][0] |= {"target": "CPU", "name": "net/[odd]/exp"}
    writable(HOME / "layers.json").write_text(json.dumps(layers), encoding="utf-8")
    async with alone(LayersTab(), (200, 40)) as app:
        await app.pilot.press("t", "t", "t")
        app.tab.filter("cpu")
        await until(app.pilot, lambda: "with" in head(app))
        assert names(app) == ["net/[odd]/exp  1 on the CPU"]


async def test_the_cursor_stays_on_its_operators(built: Recorded) -> None:
    del built
    async with alone(LayersTab(), WIDE) as app:
        await app.pilot.press("j", "j")
        name = names(app)[2]
        await app.pilot.press("o")
        await until(app.pilot, lambda: "order name" in head(app))
        assert names(app)[table(app).cursor_row] == name
        app.tab.filter(name)
        await until(app.pilot, lambda: "with" in head(app))
        assert names(app)[table(app).cursor_row] == name
        app.tab.filter("")
        await until(app.pilot, lambda: "with" not in head(app))
        assert names(app)[table(app).cursor_row] == name


async def test_columns_go_when_there_is_no_room(built: Recorded) -> None:
    del built
    everything = ["role", "cycles", "share", "", "bound by", "operators", "MACs"]
    async with alone(LayersTab(), (124, 40)) as app:
        assert titles(app) == everything
        for width in (63, 45, 30, 20):
            await app.resize(width, 30)
            await until(app.pilot, lambda: table(app).virtual_size.width <= table(app).size.width or width == 20)  # noqa: B023
            assert titles(app) == everything[: len(titles(app))]
        await until(app.pilot, lambda: titles(app) == ["role", "cycles"])


async def test_another_target_is_drawn_when_it_is_selected(recorded: Recorded) -> None:
    recorded.write()
    append(SECOND)
    recorded.build()
    recorded.write("empty")
    async with alone(LayersTab(), WIDE) as app:
        app.select("vela:keyword:u85-256")
        await until(app.pilot, lambda: "vela:keyword:u85-256" in head(app))
        app.select("network:keyword")
        await until(app.pilot, lambda: "vela:keyword:u55-128" in head(app))
        app.select(None, "empty")
        await until(app.pilot, lambda: head(app).startswith("no result yet: never built"))
        assert table(app).row_count == 0


@pytest.mark.parametrize("damage", ['{"layers": [3]}', '{"layers": []}'])
async def test_damaged_layers_are_said_and_no_key_fails(built: Recorded, damage: str) -> None:
    del built
    writable(HOME / "layers.json").write_text(damage, encoding="utf-8")
    async with alone(LayersTab(), WIDE) as app:
        assert "layers.json" in head(app) or "0 rows in 0 groups" in head(app)
        await app.pilot.press("t", "o", "j", "G", "enter", "c")
        assert app.is_running
