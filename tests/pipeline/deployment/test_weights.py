"""Keras' weights, sorted: every number arrives at its gate, and nothing is changed that was given."""

import numpy as np
import pytest

from pipeline.deployment import weights
from tests.pipeline.deployment.networks import CELLS, CLASSES, FEATURES, Network

GATES = {"gru": 3, "lstm": 4, "simple_rnn": 1}


@pytest.mark.parametrize("cell", CELLS)
def test_layers_are_named_and_shaped_as_the_graph_wants_them(cell: str) -> None:
    found = Network(cell, layers=2, units=5, dense=[7, 2]).weights

    columns = GATES[cell] * 5
    assert [layer.name for layer in found.recurrent] == [f"{cell}_1", f"{cell}_2"]
    assert [layer.kernel.shape for layer in found.recurrent] == [(FEATURES, columns), (5, columns)]
    for layer in found.recurrent:
        assert (layer.cell, layer.units) == (cell, 5)
        assert layer.recurrent.shape == (5, columns)
        assert layer.input_bias.shape == (columns,)
        assert layer.kernel.dtype == np.float32
    assert [(dense.name, dense.kernel.shape) for dense in found.dense] == [("dense_1", (5, 7)), ("dense_2", (7, 2))]
    assert found.output.name == "logits_1"
    assert found.output.kernel.shape == (2, CLASSES)


def test_an_lstms_gates_stand_as_forget_input_output_cell() -> None:
    columns = np.repeat(np.array(["input", "forget", "cell", "output"]), 2)
    number = {name: float(index) for index, name in enumerate(["input", "forget", "cell", "output"])}
    row = np.array([[number[name] for name in columns]], np.float32)
    arrays = {"lstm_1": [row, np.repeat(row, 2, axis=0), row[0]], "output": [np.zeros((2, 3)), np.zeros(3)]}

    (layer,) = weights.of_keras(arrays, {"cell": "lstm", "layers": 1, "dense": []}).recurrent

    expected = [number[name] for name in ("forget", "input", "output", "cell") for _ in range(2)]
    assert layer.kernel[0].tolist() == layer.recurrent[1].tolist() == layer.input_bias.tolist() == expected
    assert layer.recurrent_bias is None


def test_of_a_grus_recurrent_bias_only_what_the_reset_gate_multiplies_stays_with_it() -> None:
    network = Network("gru")
    (layer,) = network.weights.recurrent
    of_input, of_state = network.keras.get_layer("gru_1").get_weights()[2]

    assert layer.recurrent_bias is not None
    np.testing.assert_allclose(layer.input_bias[:8], of_input[:8] + of_state[:8], rtol=1e-6)
    np.testing.assert_array_equal(layer.input_bias[8:], of_input[8:])
    np.testing.assert_array_equal(layer.recurrent_bias, [*[0] * 8, *of_state[8:]])


def test_a_gru_that_resets_before_its_product_has_one_bias() -> None:
    network = Network("gru", reset_after=False)
    (layer,) = network.weights.recurrent

    assert layer.recurrent_bias is None
    np.testing.assert_array_equal(layer.input_bias, network.keras.get_layer("gru_1").get_weights()[2])


@pytest.mark.parametrize("cell", CELLS)
def test_what_was_given_is_not_changed(cell: str) -> None:
    network = Network(cell)
    arrays = {layer.name: layer.get_weights() for layer in network.keras.layers}
    before = {name: [array.copy() for array in given] for name, given in arrays.items()}

    weights.of_keras(arrays, network.model)

    for name, given in arrays.items():
        for old, new in zip(before[name], given, strict=True):
            np.testing.assert_array_equal(old, new)
