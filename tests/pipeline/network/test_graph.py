"""The grammar of a network, and its formulas."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.network.errors import NetworkError
from pipeline.network.graph import Network
from pipeline.network.layers.activation import Activation
from pipeline.network.layers.dense import Dense
from pipeline.network.layers.fold import Fold
from pipeline.network.values import Value
from tests.pipeline import networks
from tests.pipeline.networks import CELLS, made


def test_a_network_that_holds_together_has_no_faults() -> None:
    for cell in CELLS:
        networks.Network(cell, layers=3, dense=[4, 2], rows_per_step=2).network.check()


def faults(network: Network) -> tuple[str, ...]:
    with pytest.raises(NetworkError) as caught:
        network.check()
    return caught.value.faults


def test_every_fault_is_named_at_once() -> None:
    network = made("gru").network
    cell, dense, softmax = network.layers
    assert isinstance(dense, Dense)

    broken = replace(
        network,
        layers=(
            replace(cell, inputs=("audio",)),
            replace(dense, kernel=np.full((4, 3), np.nan, np.float32)),
            replace(softmax, output="logits"),
            replace(softmax, name="logits_1", inputs=("logits",), output="twice"),
        ),
        outputs=("speech",),
    )

    assert faults(broken) == (
        "layer logits_1 is there 2 times",
        "layer gru_1 reads audio, which nothing before it makes",
        "layer logits_1 reads gru_1/hidden, which nothing before it makes",
        "layer output reads logits, which nothing before it makes",
        "layer logits_1 reads logits, which nothing before it makes",
        "output speech is made by no layer",
        "value input is read by nothing",
    )


def test_weights_that_are_no_numbers_are_a_fault_of_their_layer() -> None:
    network = made("lstm").network
    cell, *rest = network.layers
    kernel = np.array(vars(cell)["kernel"])
    kernel[2, 3] = np.inf

    broken = replace(network, layers=(cell.with_arrays({"kernel": kernel}), *rest))

    assert faults(broken) == ("layer lstm_1: its kernel holds inf",)


def test_shapes_that_do_not_fit_are_named_with_layer_and_kind() -> None:
    network = replace(made("gru").network, inputs=(Value("input", (5,), 8),))

    assert faults(network) == (
        "layer gru_1 (gru): its kernel has the shape (6, 12), not (5, 12), for input (5,)",
        "layer logits_1 reads gru_1/hidden, which nothing before it makes",
        "layer output reads logits, which nothing before it makes",
        "output output is made by no layer",
    )


def test_a_recurrent_layer_wants_a_time_axis_and_a_fold_rows_that_divide() -> None:
    network = made("gru").network

    assert "layer gru_1 (gru): input has no time axis to go along" in faults(
        replace(network, inputs=(Value("input", (6,)),))
    )
    fold = Fold(name="fold_1", inputs=("input",), output="rows", rows=3, columns=18)
    message = "3 rows make a step of 18 numbers, which the 8 steps of input, 6 numbers each, are not made of"
    assert f"layer fold_1 (fold): {message}" in faults(
        replace(network, layers=(fold, replace(network.layers[0], inputs=("rows",)), *network.layers[1:]))
    )


def test_states_are_named_by_layer_and_role() -> None:
    network = networks.Network("lstm", layers=2).network

    assert [(port.name, port.shape) for port in network.states()] == [
        ("lstm_1_hidden", (4,)),
        ("lstm_1_cell", (4,)),
        ("lstm_2_hidden", (4,)),
        ("lstm_2_cell", (4,)),
    ]


@pytest.mark.parametrize("cell", CELLS)
def test_a_sequence_in_pieces_is_the_sequence(cell: str) -> None:
    network = networks.Network(cell, layers=2)
    x = network.samples(3, 6).astype(np.float64)
    whole = network.network.run({"input": x})

    states: dict[str, np.ndarray] = {}
    for piece in (x[:, :1], x[:, 1:4], x[:, 4:]):
        states = network.network.run({"input": piece}, states)

    for name, values in whole.items():
        np.testing.assert_allclose(states[name], values, rtol=1e-12)


def test_a_head_of_numbers_is_as_good_as_one_of_classes() -> None:
    """Nothing in a network says that it classifies."""
    network = made("gru").network
    cell, dense, _ = network.layers
    numbers = replace(network, layers=(cell, replace(dense, output="kelvin")), outputs=("kelvin",))

    numbers.check()

    assert numbers.run({"input": made("gru").samples(2, 8)})["kelvin"].shape == (2, 3)


def test_activations_compute_their_functions() -> None:
    x = np.array([[-2.0, 0.0, 3.0]])
    expected = {"relu": [[0, 0, 3]], "tanh": np.tanh(x), "sigmoid": 1 / (1 + np.exp(-x))}

    for function, values in expected.items():
        layer = Activation(name="a", inputs=("x",), output="y", function=function)  # type: ignore[arg-type]
        np.testing.assert_allclose(layer.compute(x), values)
