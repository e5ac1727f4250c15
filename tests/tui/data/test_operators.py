import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.npu.vela_report import BOUNDS
from tests.pipeline.records import layers_of_keras
from tests.tui.recorded import STEPS, Recorded
from tui.data import operators
from tui.data.artefacts import UnreadableError
from tui.data.operators import Operator

VELA = Path("build/keyword/vela/u55-128")
ROW: dict[str, Any] = {
    "name": "net/gru/gru_cell_1/MatMul",
    "operator": "FullyConnected",
    "target": "NPU",
    "cycles": 100,
    "cycles_npu": 30,
    "cycles_sram": 5,
    "cycles_dram": 0,
    "cycles_on_chip_flash": 0,
    "cycles_off_chip_flash": 100,
    "macs": 64,
}


def read(folder: Path, *rows: dict[str, Any]) -> list[Operator]:
    document = {"layers": layers_of_keras(rows), "layers_unavailable": ""}
    (folder / "layers.json").write_text(json.dumps(document), encoding="utf-8")
    return operators.read_operators(folder)


@pytest.fixture
def layers(recorded: Recorded) -> list[Operator]:
    """Return the operators of a built experiment."""
    recorded.write()
    recorded.build()
    return operators.read_operators(VELA)


def test_every_operator_is_there_in_order_with_role_and_step(layers: list[Operator]) -> None:
    assert len(layers) == STEPS * 6 + 21
    first, last = layers[0], layers[-1]
    assert (first.role, first.step, first.bound_by) == ("recurrent product", 1, "off-chip flash")
    assert (last.role, last.step, last.bound_by) == ("softmax", None, "compute")


def test_what_bounds_the_cycles_adds_up_to_all_of_them(layers: list[Operator]) -> None:
    split = operators.cycles_by_bound(layers)
    assert sum(cycles for _, cycles in split) == sum(layer.cycles for layer in layers)
    assert [name for name, _ in split] == ["off-chip flash", "compute"]


def test_an_operator_is_bound_by_what_takes_the_most_of_its_cycles(tmp_path: Path) -> None:
    columns = {name: dict.fromkeys(BOUNDS, 1) | {name: 100} for name in BOUNDS}
    found = read(tmp_path, *({**ROW, **column} for column in columns.values()))
    assert [layer.bound_by for layer in found] == list(BOUNDS.values())


def test_an_operator_without_cycles_is_bound_by_nothing(tmp_path: Path) -> None:
    found = read(tmp_path, ROW, {**ROW, "operator": "Sin", "target": "CPU", "cycles": 0, "cycles_off_chip_flash": 0})
    assert found[1].bound_by == ""
    assert operators.cycles_by_bound(found) == [("off-chip flash", 100)]
    assert operators.cycles_by_bound(found[1:]) == []


@pytest.mark.parametrize("by", [None, *operators.GROUPINGS])
def test_groups_together_are_the_whole_model(layers: list[Operator], by: str | None) -> None:
    groups = operators.groups(layers, by)
    assert sum(group.operators for group in groups) == len(layers)
    assert sum(group.cycles for group in groups) == sum(layer.cycles for layer in layers)
    assert sum(group.macs for group in groups) == sum(layer.macs for layer in layers)
    assert sum(group.share for group in groups) == pytest.approx(1)


def test_groups_by_role_step_and_operator(layers: list[Operator]) -> None:
    assert [group.name for group in operators.groups(layers, "role")] == [
        "recurrent product",
        "input product",
        "gates",
        "state update",
        "tanh",
        "dense layer",
        "softmax",
    ]
    steps = operators.groups(layers, "time step")
    assert [group.name for group in steps][:STEPS] == [f"step {step}" for step in range(1, STEPS + 1)]
    assert {group.operators for group in steps[:STEPS]} == {6}
    assert {group.name for group in operators.groups(layers, "operator")} == {"FullyConnected", "Add", "Mul", "Softmax"}


def test_ungrouped_operators_keep_their_names_though_two_share_one(tmp_path: Path) -> None:
    groups = operators.groups(read(tmp_path, ROW, ROW), None)
    assert [(group.name, group.operators, group.order) for group in groups] == [
        (ROW["name"], 1, 0),
        (ROW["name"], 1, 1),
    ]


def test_a_filter_looks_at_all_words_in_any_case_and_leaves_the_shares(layers: list[Operator]) -> None:
    whole = {group.name: group.share for group in operators.groups(layers, "role")}
    (found,) = operators.groups(layers, "role", "SOFTmax")
    assert (found.name, found.operators) == ("softmax", 20)
    assert found.share == whole["softmax"], "of the whole model, not of what is filtered"
    assert [group.name for group in operators.groups(layers, "time step", "step 28")] == ["step 28"]
    assert [group.name for group in operators.groups(layers, "time step", "step 2")] == ["step 2"], (
        "which is no step 28"
    )
    assert [group.name for group in operators.groups(layers, "time step", "Cell_15/")] == ["step 8"]
    assert [group.name for group in operators.groups(layers, "time step", "5/Sigmoid")] == ["step 3"], "nor is 15 a 5"
    assert len(operators.groups(layers, None)) == len(layers)
    assert operators.groups(layers, "role", "[no such operator]") == []


def test_a_group_knows_its_operators_on_the_cpu_and_where_it_begins(tmp_path: Path) -> None:
    on_cpu = {**ROW, "name": "net/sin", "operator": "Sin", "target": "CPU", "cycles": 0, "macs": 0}
    product, sin = operators.groups(read(tmp_path, ROW, on_cpu, on_cpu), "role")
    assert (product.on_cpu, product.order) == (0, 0)
    assert (sin.name, sin.on_cpu, sin.order, sin.bound_by, sin.share) == ("sin", 2, 1, "", 0)


def test_a_model_without_any_cycles_has_no_shares(tmp_path: Path) -> None:
    (group,) = operators.groups(read(tmp_path, {**ROW, "cycles": 0}), "role")
    assert group.share == 0
    assert operators.groups(read(tmp_path), "role") == []


DAMAGED = {
    "empty": "",
    "truncated": '{"layers": [{"name": "a", "cyc',
    "a list": "[]",
    "no layers": "{}",
    "nothing for layers": '{"layers": null}',
    "text for a layer": '{"layers": ["a"]}',
    "a layer without columns": '{"layers": [{"name": "a", "operator": "Add"}]}',
    "cycles missing": json.dumps({"layers_unavailable": "", "layers": [{**ROW, "cycles": None}]}),
    "cycles in words": json.dumps({"layers_unavailable": "", "layers": [{**ROW, "cycles": "many"}]}),
    "products in words": json.dumps({"layers_unavailable": "", "layers": [{**ROW, "macs": "many"}]}),
    "a part of the cycles missing": json.dumps({"layers_unavailable": "", "layers": [{**ROW, "cycles_sram": None}]}),
    "no name": json.dumps({"layers_unavailable": "", "layers": [{**ROW, "name": None}]}),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_damaged_layers_are_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "layers.json").write_text(content, encoding="utf-8")
    with pytest.raises(UnreadableError, match=r"layers\.json is (truncated or not ours|not as this version)"):
        operators.read_operators(tmp_path)


def test_layers_that_are_not_of_the_whole_model_say_why(tmp_path: Path) -> None:
    document = {"layers": [], "layers_unavailable": "the compiled file has 2 graphs"}
    (tmp_path / "layers.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(operators.NoOperatorsError, match="the compiled file has 2 graphs"):
        operators.read_operators(tmp_path)


def test_missing_layers_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"layers\.json can't be read: No such file"):
        operators.read_operators(tmp_path)
