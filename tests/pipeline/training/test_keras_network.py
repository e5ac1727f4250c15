"""A network as Keras has it computes the same, trained or unrolled, and gets back the weights that Keras trained."""

from functools import cache
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest

from pipeline.frontends import built
from pipeline.frontends.section import Model
from pipeline.network.graph import Network
from pipeline.training import keras_network
from pipeline.training.keras_network import KerasDifferenceError
from tests.pipeline import networks
from tests.pipeline.networks import CELLS

Array = npt.NDArray[np.float32]
STATES = {"gru": ("hidden",), "lstm": ("hidden", "cell"), "simple_rnn": ("hidden",)}


def described(cell: str, **chosen: Any) -> Network:
    """Return a network that is not trained yet."""
    return built.build(Model(**{"cell": cell, "units": 4, **chosen}), 8, 6, 3)


def recurrent(model: keras.Model) -> list[keras.layers.Layer]:
    return [layer for layer in model.layers if hasattr(layer, "unroll")]


@pytest.fixture(scope="module")
def samples() -> Array:
    return np.random.default_rng(0).random((5, 8, 6), dtype=np.float32)


@pytest.mark.parametrize(("cell", "gates", "biases"), [("gru", 3, 2), ("lstm", 4, 1), ("simple_rnn", 1, 1)])
def test_a_model_has_the_networks_layers_and_as_many_weights(cell: str, gates: int, biases: int) -> None:
    model = keras_network.build(described(cell, units=5))

    assert model.count_params() == gates * 5 * (6 + 5 + biases) + 5 * 3 + 3
    assert [layer.name for layer in model.layers] == ["input", f"{cell}_1", "logits_1", "output"]


@pytest.mark.parametrize("cell", CELLS)
def test_layers_are_stacked_and_numbered(cell: str) -> None:
    model = keras_network.build(described(cell, layers=3, dense=[7, 5]))

    assert [layer.return_sequences for layer in recurrent(model)] == [True, True, False]
    widths = {f"{cell}_1": 4, f"{cell}_2": 4, f"{cell}_3": 4, "dense_1": 7, "dense_2": 5, "logits_1": 3}
    assert {name: model.get_layer(name).units for name in widths} == widths
    assert model.get_layer("relu_1").activation is keras.activations.relu


@cache
def drawn(seed: int) -> tuple[Network, int]:
    """Return a random network with random weights, and its number of features."""
    random = np.random.default_rng(seed)
    cell = CELLS[seed % 3]
    features = int(random.integers(1, 12))
    network = networks.Network(
        cell,
        seed,
        features=features,
        units=int(random.integers(1, 41)),
        layers=int(random.integers(1, 4)),
        dense=[int(width) for width in random.integers(1, 20, random.integers(0, 3))],
        reset_after=cell != "gru" or bool(random.integers(0, 2)),
        rows_per_step=int(random.choice([1, 1, 2, 4])),
    )
    return network.network, features


@pytest.mark.parametrize("seed", range(12))
def test_a_random_network_computes_what_its_keras_model_computes_and_comes_back_unchanged(seed: int) -> None:
    network, features = drawn(seed)
    x = np.random.default_rng(seed).normal(0.3, 0.7, (5, 8, features)).astype(np.float32)
    model = keras_network.build(network)

    keras_network.set_weights(model, network)

    expected = np.asarray(model(x))
    computed = network.run({"input": x.astype(np.float64)})["output"]
    np.testing.assert_allclose(computed, expected, atol=1e-5 * np.abs(expected).max())
    again = keras_network.with_weights(network, model)
    for layer, other in zip(network.layers, again.layers, strict=True):
        for field, value in vars(layer).items():
            np.testing.assert_array_equal(value, getattr(other, field))


@pytest.mark.parametrize("cell", CELLS)
def test_the_unrolled_form_takes_one_sample_and_computes_the_same(cell: str, samples: Array) -> None:
    network = networks.Network(cell, layers=2).network

    model = keras_network.unrolled(network, 8, state=False)

    assert model.input_shape == (1, 8, 6)
    assert model.output_shape == (1, 3)
    assert [layer.unroll for layer in recurrent(model)] == [True, True]
    one_by_one = np.concatenate([np.asarray(model(samples[index : index + 1])) for index in range(len(samples))])
    np.testing.assert_allclose(one_by_one, network.run({"input": samples})["output"], atol=1e-5)


@pytest.mark.parametrize(("cell", "roles"), STATES.items())
def test_with_state_a_sequence_in_two_pieces_is_the_sequence(cell: str, roles: tuple[str, ...], samples: Array) -> None:
    network = networks.Network(cell, layers=2).network

    half = keras_network.unrolled(network, 4, state=True)

    names = [f"{cell}_{number}_{role}" for number in (1, 2) for role in roles]
    shapes = dict.fromkeys(names, (1, 4))
    assert {into.name: into.shape for into in half.inputs} == {"input": (1, 4, 6), **shapes}
    assert {name: out.shape for name, out in half.output.items()} == {"output": (1, 3), **shapes}
    states = {name: np.zeros((1, 4), np.float32) for name in names}
    for piece in (samples[:1, :4], samples[:1, 4:]):
        out = half({"input": piece, **states})
        states = {name: np.asarray(out[name]) for name in names}
    np.testing.assert_allclose(np.asarray(out["output"]), network.run({"input": samples[:1]})["output"], atol=1e-5)


def test_a_network_that_is_not_its_models_is_refused(samples: Array) -> None:
    network = networks.made("gru").network
    model = keras_network.build(network)
    keras_network.set_weights(model, network)

    keras_network.prove(network, model, samples)
    other = networks.Network("gru", seed=5).network
    with pytest.raises(KerasDifferenceError, match=r"^the network differs from what Keras trained by 0\.\d+ of the"):
        keras_network.prove(other, model, samples)


def test_a_model_whose_outputs_are_no_numbers_is_refused(samples: Array) -> None:
    network = networks.made("gru").network
    model = keras_network.build(network)
    model.set_weights([np.full_like(array, np.nan) for array in model.get_weights()])

    with pytest.raises(KerasDifferenceError, match="differs from what Keras trained by nan"):
        keras_network.prove(network, model, samples)
