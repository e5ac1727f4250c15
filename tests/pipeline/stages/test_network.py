"""The network as trained and as the guide deploys it, and its weights as a file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from pipeline.stages import network
from pipeline.stages.network import WeightsError

CELLS = ("gru", "lstm", "simple_rnn")


def model(cell: str, **chosen: Any) -> dict[str, Any]:
    """Return an experiment's ``[model]``."""
    return {"cell": cell, "units": 4, "layers": 1, "dense": [], "reset_after": True, **chosen}


def build(cell: str, **chosen: Any) -> keras.Model:
    return network.build(model(cell, **chosen), 8, 6, 3)


def deployed(cell: str, *, state: bool = False, **chosen: Any) -> keras.Model:
    return network.deployed(model(cell, **chosen), 8, 6, 3, state=state)


def recurrent(built: keras.Model) -> list[keras.layers.Layer]:
    return [layer for layer in built.layers if hasattr(layer, "unroll")]


@pytest.fixture(scope="module")
def samples() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(0).random((5, 8, 6), dtype=np.float32)


@pytest.mark.parametrize(("cell", "gates", "biases"), [("gru", 3, 2), ("lstm", 4, 1), ("simple_rnn", 1, 1)])
def test_a_network_is_one_recurrent_layer_and_a_dense_one(cell: str, gates: int, biases: int) -> None:
    built = build(cell, units=5)

    assert built.count_params() == gates * 5 * (6 + 5 + biases) + 5 * 3 + 3
    assert [layer.name for layer in built.layers] == ["input", f"{cell}_1", "output"]


@pytest.mark.parametrize("cell", CELLS)
def test_layers_are_stacked_and_numbered(cell: str) -> None:
    built = build(cell, layers=3, dense=[7, 5])

    names = [f"{cell}_1", f"{cell}_2", f"{cell}_3", "dense_1", "dense_2", "output"]
    assert [layer.name for layer in built.layers] == ["input", *names]
    assert [layer.return_sequences for layer in recurrent(built)] == [True, True, False]
    assert [built.get_layer(name).units for name in names] == [4, 4, 4, 7, 5, 3]
    assert built.get_layer("dense_1").activation is keras.activations.relu


@pytest.mark.parametrize("reset_after", [True, False])
def test_a_gru_may_reset_before_its_product(reset_after: bool) -> None:  # noqa: FBT001
    (layer,) = recurrent(build("gru", reset_after=reset_after))

    assert layer.reset_after is reset_after
    assert layer.get_weights()[2].shape == ((2, 12) if reset_after else (12,))


@pytest.mark.parametrize("cell", CELLS)
def test_the_trained_form_takes_any_number_of_samples_and_gives_probabilities(
    cell: str, samples: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
) -> None:
    out = np.asarray(build(cell)(samples))

    assert out.shape == (5, 3)
    np.testing.assert_allclose(out.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_the_deployed_form_takes_one_sample_and_is_unrolled(cell: str) -> None:
    built = deployed(cell, layers=2)

    assert built.input_shape == (1, 8, 6)
    assert built.output_shape == (1, 3)
    assert [layer.unroll for layer in recurrent(built)] == [True, True]
    assert [layer.unroll for layer in recurrent(build(cell, layers=2))] == [False, False]


@pytest.mark.parametrize(("cell", "roles"), network.STATES.items())
def test_with_state_every_layers_goes_in_and_comes_out_by_its_name(cell: str, roles: tuple[str, ...]) -> None:
    built = deployed(cell, layers=2, state=True)

    states = {f"{cell}_{number}_{role}" for number in (1, 2) for role in roles}
    assert {into.name: into.shape for into in built.inputs} == {"input": (1, 8, 6), **dict.fromkeys(states, (1, 4))}
    outputs = {name: out.shape for name, out in built.output.items()}
    assert outputs == {"output": (1, 3), **dict.fromkeys(states, (1, 4))}


@pytest.mark.parametrize(("cell", "roles"), network.STATES.items())
def test_a_sequence_in_two_pieces_with_its_state_carried_is_the_sequence(
    cell: str, roles: tuple[str, ...], samples: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
) -> None:
    whole, half = build(cell), network.deployed(model(cell), 4, 6, 3, state=True)
    half.set_weights(whole.get_weights())
    names = [f"{cell}_1_{role}" for role in roles]
    states = {name: np.zeros((1, 4), np.float32) for name in names}

    for piece in (samples[:1, :4], samples[:1, 4:]):
        out = half({"input": piece, **states})
        states = {name: np.asarray(out[name]) for name in names}

    np.testing.assert_allclose(np.asarray(out["output"]), np.asarray(whole(samples[:1])), atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_the_deployed_form_computes_the_same_with_the_same_weights(
    cell: str, tmp_path: Path, samples: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
) -> None:
    trained, unrolled = build(cell), deployed(cell)
    network.save(trained, tmp_path)

    network.load_weights(unrolled, tmp_path)

    one_by_one = np.concatenate([np.asarray(unrolled(samples[index : index + 1])) for index in range(len(samples))])
    np.testing.assert_allclose(one_by_one, np.asarray(trained(samples)), atol=1e-6)


@pytest.mark.parametrize("form", [build, deployed], ids=["trained", "deployed"])
@pytest.mark.parametrize("cell", CELLS)
def test_what_was_saved_is_what_is_loaded(cell: str, form: Callable[..., keras.Model], tmp_path: Path) -> None:
    saved = form(cell)
    network.save(saved, tmp_path)

    loaded = network.load(tmp_path)

    assert loaded.input_shape == saved.input_shape
    assert [layer.unroll for layer in recurrent(loaded)] == [form is deployed]
    for old, new in zip(saved.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_the_same_network_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        keras.utils.set_random_seed(3)
        network.save(build("gru"), folder)

    for name in (network.ARCHITECTURE, network.WEIGHTS):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_the_architecture_is_json_without_anything_of_this_machine(tmp_path: Path) -> None:
    network.save(build("gru"), tmp_path)

    text = (tmp_path / network.ARCHITECTURE).read_text(encoding="utf-8")

    assert json.loads(text)["class_name"] == "Functional"
    assert str(tmp_path) not in text


@pytest.mark.filterwarnings("ignore:Skipping nested container:UserWarning")  # Keras says the same before it refuses
@pytest.mark.parametrize(
    "other",
    [
        model("gru", units=5),
        model("gru", layers=2),
        model("gru", dense=[4]),
        model("gru", reset_after=False),
        model("lstm"),
        model("simple_rnn"),
    ],
    ids=["other units", "two layers", "a dense layer", "reset before", "lstm", "simple_rnn"],
)
def test_weights_of_another_network_are_refused_by_the_name_of_their_file(
    other: dict[str, Any], tmp_path: Path
) -> None:
    network.save(build("gru"), tmp_path)

    with pytest.raises(WeightsError) as caught:
        network.load_weights(network.build(other, 8, 6, 3), tmp_path)

    said = str(caught.value)
    assert said.startswith(f"{tmp_path / network.WEIGHTS} does not fit the network: ")
    assert len(said.splitlines()) == 1
