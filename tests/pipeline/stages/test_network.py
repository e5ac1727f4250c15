"""The network as trained and as deployed, and its weights as a file."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from pipeline.stages import network
from pipeline.stages.network import WeightsError

CELLS = ("gru", "lstm", "simple_rnn")


def build(cell: str, units: int = 4, *, deployed: bool = False) -> keras.Model:
    return network.build({"cell": cell, "units": units}, 8, 6, 3, deployed=deployed)


@pytest.fixture(scope="module")
def samples() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(0).random((5, 8, 6), dtype=np.float32)


@pytest.mark.parametrize(("cell", "gates", "biases"), [("gru", 3, 2), ("lstm", 4, 1), ("simple_rnn", 1, 1)])
def test_a_network_is_one_recurrent_layer_and_a_dense_one(cell: str, gates: int, biases: int) -> None:
    built = build(cell, units=5)

    recurrent = gates * 5 * (6 + 5 + biases)
    assert built.count_params() == recurrent + 5 * 3 + 3
    assert [layer.name for layer in built.layers] == [cell, "output"]


@pytest.mark.parametrize("cell", CELLS)
def test_the_trained_form_takes_any_number_of_samples_and_gives_probabilities(
    cell: str, samples: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
) -> None:
    out = np.asarray(build(cell)(samples))

    assert out.shape == (5, 3)
    np.testing.assert_allclose(out.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_the_deployed_form_takes_one_sample_and_is_unrolled(cell: str) -> None:
    deployed = build(cell, deployed=True)

    assert deployed.input_shape == (1, 8, 6)
    assert deployed.output_shape == (1, 3)
    assert deployed.layers[0].unroll
    assert not build(cell).layers[0].unroll


@pytest.mark.parametrize("cell", CELLS)
def test_the_deployed_form_computes_the_same_with_the_same_weights(
    cell: str, tmp_path: Path, samples: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
) -> None:
    trained, deployed = build(cell), build(cell, deployed=True)
    network.save(trained, tmp_path)

    network.load_weights(deployed, tmp_path)

    one_by_one = np.concatenate([np.asarray(deployed(samples[index : index + 1])) for index in range(len(samples))])
    np.testing.assert_allclose(one_by_one, np.asarray(trained(samples)), atol=1e-6)


@pytest.mark.parametrize("deployed", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_what_was_saved_is_what_is_loaded(cell: str, deployed: bool, tmp_path: Path) -> None:  # noqa: FBT001
    saved = build(cell, deployed=deployed)
    network.save(saved, tmp_path)

    loaded = network.load(tmp_path)

    assert loaded.input_shape == saved.input_shape
    assert loaded.layers[0].unroll == deployed
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

    assert json.loads(text)["class_name"] == "Sequential"
    assert str(tmp_path) not in text


@pytest.mark.parametrize(
    "other", [("gru", 5), ("lstm", 4), ("simple_rnn", 4)], ids=["other units", "lstm", "simple_rnn"]
)
def test_weights_of_another_network_are_refused_by_the_name_of_their_file(
    other: tuple[str, int], tmp_path: Path
) -> None:
    network.save(build("gru"), tmp_path)

    with pytest.raises(WeightsError) as caught:
        network.load_weights(build(*other), tmp_path)

    said = str(caught.value)
    assert said.startswith(f"{tmp_path / network.WEIGHTS} does not fit the network: ")
    assert len(said.splitlines()) == 1
