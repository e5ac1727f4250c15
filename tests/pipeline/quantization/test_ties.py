"""What shares a scale: a role at every step, and the views of it; who makes and reads it is computed, not named."""

from dataclasses import replace

import pytest
from ai_edge_litert import schema_py_generated as schema

from pipeline.lowering.lower import lower
from pipeline.network.layers.activation import Activation
from pipeline.quantization.ties import ties
from tests.pipeline.networks import CELLS, Network, made


@pytest.mark.parametrize("state", [False, True], ids=["stateless", "with state"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_every_activation_has_a_tie_that_does_not_depend_on_the_step(cell: str, layers: int, state: bool) -> None:  # noqa: FBT001
    model, graph = made(cell, layers).lower(4, state=state)

    tensors = schema.ModelT.InitFromPackedBuf(model, 0).subgraphs[0].tensors
    activations = {
        tensor.name.decode() for tensor in tensors if not tensor.buffer and tensor.type == schema.TensorType.FLOAT32
    }
    assert set(graph.ties) == activations
    assert not any(character.isdigit() for tie in graph.ties.values() for character in tie.rpartition("/")[2])
    assert set(ties(graph)) == set(graph.ties.values())


def test_a_view_belongs_to_what_it_shows() -> None:
    tie_of = made("gru", 2).graph(4).ties

    assert tie_of["input_rows"] == "input"
    assert tie_of["gru_1/input_gates_2"] == tie_of["gru_1/input_candidate_3"] == "gru_1/input_product"
    assert tie_of["gru_1/recurrent_gates_2"] == tie_of["gru_1/recurrent_candidate_4"] == "gru_1/recurrent_product"
    assert tie_of["gru_1/update_gate_2"] == tie_of["gru_1/reset_gate_3"] == "gru_1/gates"
    assert tie_of["gru_1/hidden_rows"] == tie_of["gru_1/hidden_4"] == "gru_1/hidden"
    assert tie_of["gru_2/hidden_4"] == "gru_2/hidden"


def test_who_makes_and_reads_a_tie_is_seen_through_its_views() -> None:
    known = ties(made("gru").graph(4, state=True))

    assert known["input"].given
    assert known["input"].makers == frozenset()
    assert known["input"].readers == {"FULLY_CONNECTED"}
    assert known["gru_1/gate_sum"].makers == {"ADD"}
    assert known["gru_1/gate_sum"].readers == {"LOGISTIC"}
    assert known["gru_1/gates"].makers == {"LOGISTIC"}
    assert known["gru_1/gates"].readers == {"MUL"}
    assert known["gru_1/candidate_sum"].readers == {"TANH"}
    assert known["gru_1/hidden"].put_out
    assert known["gru_1/hidden"].within == 1.0
    assert known["output"].put_out
    assert known["output"].makers == {"SOFTMAX"}


def test_a_bound_is_of_the_tie_that_its_layer_declares_it_for() -> None:
    known = ties(made("lstm").graph(4, state=True))

    assert {name for name, tie in known.items() if tie.within is not None} == {"lstm_1/hidden"}


def test_layers_may_have_any_name() -> None:
    network = made("gru").network
    (cell, *rest) = network.layers
    renamed = replace(network, layers=(replace(cell, name="Bidirectional_1/forward_gru_2"), *rest))

    known = ties(lower(renamed, 3, state=True)[1])

    assert known["Bidirectional_1/forward_gru_2/hidden"].within == 1.0
    assert known["Bidirectional_1/forward_gru_2/gate_sum"].readers == {"LOGISTIC"}


def test_a_relu_has_no_bound_of_its_own() -> None:
    known = ties(Network("gru", dense=[5]).graph(3))

    assert known["dense_1/relu"].makers == {"RELU"}
    assert known["dense_1/relu"].within is None


def test_a_role_of_two_functions_has_both_makers() -> None:
    network = made("gru").network
    (cell, dense, _) = network.layers
    head = Activation(name="output", inputs=("logits",), output="output", function="sigmoid")

    known = ties(lower(replace(network, layers=(cell, dense, head)), 3, state=False)[1])

    assert known["output"].makers == {"LOGISTIC"}
    assert known["logits"].readers == {"LOGISTIC"}
