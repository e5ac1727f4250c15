"""Roles and steps of operators, read off the names that Vela reports for our own graph and for the guide's."""

from collections import Counter

import pytest

from pipeline.npu.roles import Role, roles

GRU = """
network_1/gru_1/gru_cell_1/MatMul;network_1/gru_1/gru_cell_1/BiasAdd | FullyConnected | input product
network_1/gru_1/gru_cell_1/Sigmoid_1 | Add | gates (sigmoid)
network_1/gru_1/gru_cell_1/Sigmoid_1 | Sigmoid | gates (sigmoid)
network_1/gru_1/gru_cell_1/mul | Mul | state update
network_1/gru_1/gru_cell_1/Tanh | Add | tanh
network_1/gru_1/gru_cell_1/Tanh | Tanh | tanh
network_1/gru_1/gru_cell_1/sub | Sub | state update
network_1/gru_1/gru_cell_3/MatMul_1;network_1/gru_1/gru_cell_3/add | FullyConnected | recurrent product
network_1/gru_1/gru_cell_3/MatMul;network_1/gru_1/gru_cell_3/BiasAdd | FullyConnected | input product
network_1/gru_1/gru_cell_3/Sigmoid | Add | gates (sigmoid)
network_1/gru_1/gru_cell_3/add_4 | Add | state update
"""
LSTM = """
network_1/lstm_1/lstm_cell_1/Tanh | FullyConnected | input product
network_1/lstm_1/lstm_cell_1/Tanh | Tanh | tanh
network_1/lstm_1/lstm_cell_1/Sigmoid_2 | FullyConnected | input product
network_1/lstm_1/lstm_cell_1/Sigmoid_2 | Sigmoid | gates (sigmoid)
network_1/lstm_1/lstm_cell_1/mul_1 | Mul | state update
network_1/lstm_1/lstm_cell_3/MatMul_6 | FullyConnected | recurrent product
network_1/lstm_1/lstm_cell_3/MatMul_2;network_1/lstm_1/lstm_cell_3/add_2 | FullyConnected | input product
network_1/lstm_1/lstm_cell_3/Tanh | Add | tanh
network_1/lstm_1/lstm_cell_3/MatMul_4 | FullyConnected | recurrent product
network_1/lstm_1/lstm_cell_3/MatMul;network_1/lstm_1/lstm_cell_3/add | FullyConnected | input product
network_1/lstm_1/lstm_cell_3/MatMul_7 | FullyConnected | recurrent product
network_1/lstm_1/lstm_cell_3/MatMul_3;network_1/lstm_1/lstm_cell_3/add_3 | FullyConnected | input product
network_1/lstm_1/lstm_cell_3/add_7 | Add | state update
"""
SIMPLE_RNN = """
network_1/simple_rnn_1/simple_rnn_cell_1/Tanh | FullyConnected | input product
network_1/simple_rnn_1/simple_rnn_cell_1/Tanh | Tanh | tanh
network_1/simple_rnn_1/simple_rnn_cell_3/MatMul_1 | FullyConnected | recurrent product
network_1/simple_rnn_1/simple_rnn_cell_3/MatMul;network_1/simple_rnn_1/simple_rnn_cell_3/BiasAdd | FullyConnected | \
input product
network_1/simple_rnn_1/simple_rnn_cell_3/Tanh | Add | tanh
"""
OUTPUT = """
network_1/output_1/MatMul;network_1/output_1/BiasAdd | FullyConnected | output layer
network_1/output_1/MatMul;network_1/output_1/BiasAdd_softmax_26_broadcasted | Softmax | softmax
StatefulPartitionedCall_1:0 | Softmax | softmax
"""
"""Excerpts of what Vela 5.2.0 writes of the three cells: name, operator, and the role we give it."""


def _rows(text: str) -> tuple[list[dict[str, str]], list[str]]:
    words = [line.split(" | ") for line in text.strip().splitlines()]
    return [{"name": name, "operator": operator} for name, operator, _ in words], [role for *_, role in words]


@pytest.mark.parametrize("cell", [GRU, LSTM, SIMPLE_RNN], ids=["gru", "lstm", "simple_rnn"])
def test_every_operator_of_a_cell_has_its_role(cell: str) -> None:
    rows, expected = _rows(cell + OUTPUT.lstrip())
    assert [role.name for role in roles(rows)] == expected


@pytest.mark.parametrize("cell", [GRU, LSTM, SIMPLE_RNN], ids=["gru", "lstm", "simple_rnn"])
def test_steps_are_counted_from_one_and_what_follows_the_cells_has_none(cell: str) -> None:
    rows, _ = _rows(cell + OUTPUT.lstrip())
    steps = [1 if "_cell_1/" in row["name"] else 2 if "_cell_3/" in row["name"] else None for row in rows]
    assert [role.step for role in roles(rows)] == steps


def test_steps_follow_the_numbers_of_the_cells_not_the_order_of_execution() -> None:
    rows = [{"name": f"gru_cell_{number}/mul", "operator": "Mul"} for number in (11, 9, 101, 2)]
    assert [role.step for role in roles(rows)] == [3, 2, 4, 1]


def test_the_first_cell_may_have_no_number() -> None:
    rows = [{"name": f"net/gru/gru_cell{number}/Tanh", "operator": "Tanh"} for number in ("", "_1", "_2")]
    assert [role.step for role in roles(rows)] == [1, 2, 3]


@pytest.mark.parametrize("cell", ["gru", "simple_rnn"])
def test_a_network_of_one_step_has_no_recurrent_product(cell: str) -> None:
    name = f"net/{cell}_1/{cell}_cell_1/MatMul;net/{cell}_1/{cell}_cell_1/BiasAdd"
    assert roles([{"name": name, "operator": "FullyConnected"}]) == [Role("input product", 1)]


def test_a_network_of_one_step_of_an_lstm_has_no_recurrent_product() -> None:
    rows, _ = _rows("\n".join(line for line in LSTM.splitlines() if "_cell_1/" in line))
    assert Counter(role.name for role in roles(rows))["recurrent product"] == 0


def test_without_any_cell_operators_go_by_their_own_names() -> None:
    rows = [
        {"name": "net/dense/MatMul", "operator": "FullyConnected"},
        {"name": "net/sin", "operator": "Sin"},
        {"name": "", "operator": "Conv2D"},
        {"name": "my_gru_cells/MatMul", "operator": "Mul"},
    ]
    assert roles(rows) == [Role(name, None) for name in ("dense layer", "sin", "conv2d", "mul")]


def test_an_operator_of_a_cell_that_is_none_of_the_usual_goes_by_its_own_name() -> None:
    assert roles([{"name": "gru_cell_1/Relu", "operator": "Relu"}]) == [Role("relu", 1)]


def test_no_operators_have_no_roles() -> None:
    assert roles([]) == []


TIED = """
gru_1/input_product | FullyConnected | input product | None
gru_1/gates_1 | Sigmoid | gates | 1
gru_1/recurrent_product_2 | FullyConnected | recurrent product | 2
gru_1/gate_sum_2 | Add | gate sum | 2
gru_1/gates_2 | Sigmoid | gates | 2
gru_1/reset_product_2 | Mul | reset product | 2
gru_1/candidate_2 | Tanh | candidate | 2
gru_1/hidden_12 | Add | hidden | 12
dense_1/product | FullyConnected | product | None
logits | FullyConnected | output layer | None
logits_softmax_26_broadcasted | Sub | sub | None
one_const/SHL | SHL | shl | None
output | Softmax | softmax | None
"""
"""What Vela 5.2.0 writes of our own graph: name, operator, and the role and step we give it."""


def test_names_of_our_own_graph_say_role_and_step() -> None:
    lines = [line.split(" | ") for line in TIED.strip().splitlines()]

    found = roles({"name": name, "operator": operator} for name, operator, *_ in lines)

    assert [(role.name, str(role.step)) for role in found] == [(role, step) for *_, role, step in lines]


def test_with_one_layer_it_does_not_though_velas_own_names_have_numbers_too() -> None:
    rows = [{"name": "gru_1/gates_2", "operator": "Add"}, {"name": "logits_softmax_26", "operator": "Softmax"}]

    assert roles(rows) == [Role("gates", 2), Role("softmax", None)]


def test_with_several_layers_a_role_says_which_layer_it_is_of() -> None:
    rows = [
        {"name": "lstm_1/input_product", "operator": "FullyConnected"},
        {"name": "lstm_1/cell_3", "operator": "Add"},
        {"name": "lstm_2/cell_3", "operator": "Add"},
        {"name": "logits", "operator": "FullyConnected"},
    ]

    assert roles(rows) == [
        Role("lstm_1 input product", None),
        Role("lstm_1 cell", 3),
        Role("lstm_2 cell", 3),
        Role("output layer", None),
    ]


def test_steps_of_keras_stacked_layers_are_counted_for_each_layer() -> None:
    rows = [
        {"name": f"network_1/gru_{layer}/gru_cell_{number}/mul", "operator": "Mul"}
        for layer, number in ((1, 1), (1, 4), (1, 9), (2, 2), (2, 5))
    ]

    assert [role.step for role in roles(rows)] == [1, 2, 3, 1, 2]


def test_a_name_that_only_looks_like_ours_has_no_step() -> None:
    rows = [{"name": "StatefulPartitionedCall_1:0", "operator": "Softmax"}, {"name": "gru_1/a/b_2", "operator": "Mul"}]

    assert roles(rows) == [Role("softmax", None), Role("mul", None)]
