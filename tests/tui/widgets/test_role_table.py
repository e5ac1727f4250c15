"""The table of roles: the weakest first, and as much of it as has room."""

import json
from pathlib import Path

import pytest

from pipeline.quantization.role_loss import RoleLoss
from tests.tui.alone import alone
from tests.tui.recorded import Recorded
from tui.tabs.accuracy import AccuracyTab
from tui.widgets.role_table import role_lines

ROLE = RoleLoss(
    tie="gru_1/gate_sum",
    scale=0.04346,
    zero_point=-3,
    seen_low=-8.3,
    seen_high=14.15,
    low=-5.54,
    high=5.54,
    basis="mse",
    rounding_error=0.2894,
    saturated=0.0213,
    noise=0.0184,
)
QUANTIZED = Path("build/keyword/quantized")


def test_every_number_is_shown_where_there_is_room() -> None:
    text = "\n".join(line.plain for line in role_lines([ROLE], 120))

    for shown in ("gru_1/gate_sum", "1.84 %", "2.13 %", "0.29", "0.0435", "-3", "-5.54 to 5.54", "-8.3 to 14.2"):
        assert shown in text
    assert "0.29 is rounding alone" in text


@pytest.mark.parametrize("columns", [30, 46, 60, 80, 120])
def test_no_line_is_wider_than_there_is_room_and_the_verdict_stays(columns: int) -> None:
    lines = role_lines([ROLE], columns)

    table = [line for line in lines if "gru_1" in line.plain or "noise " in line.plain]
    assert table
    if columns >= 46:
        assert all(line.cell_length <= columns for line in table)
    assert "1.84 %" in "\n".join(line.plain for line in lines)


def test_a_graph_without_roles_has_no_table() -> None:
    assert role_lines([], 80) == []


@pytest.fixture
def accuracy_tab(recorded: Recorded) -> Recorded:
    recorded.write()
    recorded.build()
    return recorded


def _publish(content: str) -> None:
    (QUANTIZED / "roles.json").write_text(content, encoding="utf-8")


async def test_the_accuracy_tab_shows_the_roles_the_weakest_first(accuracy_tab: Recorded) -> None:
    del accuracy_tab
    strong = {name: getattr(ROLE, name) for name in ROLE.__struct_fields__} | {"tie": "gru_1/hidden", "noise": 0.001}
    weak = {name: getattr(ROLE, name) for name in ROLE.__struct_fields__}
    _publish(json.dumps([strong, weak]))
    async with alone(AccuracyTab(), (84, 60)) as app:
        text = app.text("#ladder")
        assert "what quantizing costs each role" in text
        assert text.index("gru_1/gate_sum") < text.index("gru_1/hidden")


@pytest.mark.parametrize("damage", ["{", "[{}]", '[{"tie": 3}]'])
async def test_damaged_roles_are_said_and_the_rest_is_shown(accuracy_tab: Recorded, damage: str) -> None:
    del accuracy_tab
    _publish(damage)
    async with alone(AccuracyTab(), (84, 60)) as app:
        text = app.text("#ladder")
        assert "roles.json is truncated or not ours" in text
        assert "recall by class" in text
