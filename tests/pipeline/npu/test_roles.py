"""What an operator of a compile is for comes from ``graph.json``; what that does not know goes by its own name."""

from typing import Any

from pipeline.npu.roles import Role, placed, roles
from pipeline.tflite.roles import Graph, TensorRole
from tests.pipeline.networks import made


def rows(*lines: str) -> list[dict[str, Any]]:
    """Return rows of Vela's report: ``name | operator``."""
    split = [line.split(" | ") for line in lines]
    return [{"name": name, "operator": operator, "cycles": 7} for name, operator in split]


def test_role_and_step_are_those_of_the_tensor_that_an_operator_makes() -> None:
    graph = made("gru").graph(12)

    found = placed(
        rows(
            "gru_1/input_product | FullyConnected",
            "gru_1/gates_1 | Sigmoid",
            "gru_1/recurrent_product_2 | FullyConnected",
            "gru_1/hidden_12 | Add",
            "logits | FullyConnected",
            "output | Softmax",
        ),
        graph,
    )

    assert [(row["layer"], row["role"], row["step"]) for row in found] == [
        ("gru_1", "input_product", None),
        ("gru_1", "gates", 1),
        ("gru_1", "recurrent_product", 2),
        ("gru_1", "hidden", 12),
        ("logits_1", "dense_layer", None),
        ("output", "softmax", None),
    ]
    assert [str(role.name) for role in roles(found)] == [
        "input product",
        "gates",
        "recurrent product",
        "hidden",
        "dense layer",
        "softmax",
    ]
    assert {row["cycles"] for row in found} == {7}, "the rest of a row stays"


def test_operators_of_velas_own_go_by_their_names() -> None:
    found = placed(rows("logits_softmax_26_broadcasted | Sub", "one_const/SHL | SHL"), made("gru").graph(3))

    assert roles(found) == [Role("sub", None), Role("shl", None)]


def test_a_model_without_a_graph_of_its_own_has_no_roles() -> None:
    """A name that looks like ours says nothing: only what is handed on counts."""
    found = placed(rows("gru_1/gates_2 | Sigmoid", "block_3/add_1 | Add"), None)

    assert roles(found) == [Role("sigmoid", None), Role("add", None)]


def test_with_several_recurrent_layers_a_role_says_which_layer_it_is_of() -> None:
    found = placed(
        rows("lstm_1/input_product | FullyConnected", "lstm_1/cell_3 | Add", "lstm_2/cell_3 | Add"),
        made("lstm", 2).graph(4),
    )

    assert roles(found) == [Role("lstm_1 input product", None), Role("lstm_1 cell", 3), Role("lstm_2 cell", 3)]


def test_of_two_tensors_of_one_name_the_one_of_the_operators_kind_counts() -> None:
    """TFLiteConverter calls a sum and the tanh behind it alike."""
    graph = Graph(
        steps=1,
        inputs=[],
        outputs=[],
        tensors=[
            TensorRole(tensor="x", layer="a", role="input_product", tie="x", operation="FULLY_CONNECTED", step=1),
            TensorRole(tensor="x", layer="a", role="gates", tie="x", operation="LOGISTIC", step=1),
        ],
    )

    found = placed(rows("x | Sigmoid", "x | FullyConnected", "x | Other"), graph)

    assert [row["role"] for row in found] == ["gates", "input_product", "input_product"]


def test_no_operators_have_no_roles() -> None:
    assert roles(placed([], None)) == []


def test_rows_of_an_earlier_version_have_no_roles() -> None:
    assert roles(rows("gru_1/gates_2 | Sigmoid")) == [Role("sigmoid", None)]
