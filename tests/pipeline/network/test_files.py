"""A network as files: what is saved is what is loaded, and what is damaged is an error in a sentence."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from pipeline.network import files
from pipeline.network.errors import NetworkError
from tests.pipeline import networks
from tests.pipeline.networks import CELLS


@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("cell", CELLS)
def test_what_was_saved_is_what_is_loaded(cell: str, reset_after: bool, tmp_path: Path) -> None:  # noqa: FBT001
    network = networks.Network(cell, layers=2, dense=[5], reset_after=reset_after, rows_per_step=2)
    files.save(network.network, tmp_path)

    loaded = files.load(tmp_path)

    assert loaded.inputs == network.network.inputs
    assert [type(layer) for layer in loaded.layers] == [type(layer) for layer in network.network.layers]
    x = network.samples(2, 8)
    np.testing.assert_array_equal(loaded.run({"input": x})["output"], network.network.run({"input": x})["output"])


def test_the_same_network_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        files.save(networks.Network("lstm").network, folder)

    for name in (files.DESCRIPTION, files.ARRAYS):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_the_description_can_be_read(tmp_path: Path) -> None:
    files.save(networks.Network("gru", units=5).network, tmp_path)

    document = json.loads((tmp_path / files.DESCRIPTION).read_text(encoding="utf-8"))

    assert document["schema"] == files.SCHEMA
    assert document["inputs"] == [{"name": "input", "shape": [6], "steps": 8}]
    gru = document["layers"][0]
    assert (gru["kind"], gru["name"], gru["inputs"], gru["output"]) == ("gru", "gru_1", ["input"], "gru_1/hidden")
    assert gru["arrays"] == ["bias", "kernel", "recurrent", "recurrent_bias"]


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


DAMAGES: Mapping[str, Callable[[Path], object]] = {
    "no description": lambda folder: (folder / files.DESCRIPTION).unlink(),
    "no arrays": lambda folder: (folder / files.ARRAYS).unlink(),
    "half a description": lambda folder: _truncated(folder / files.DESCRIPTION),
    "half of the arrays": lambda folder: _truncated(folder / files.ARRAYS),
    "not JSON": lambda folder: (folder / files.DESCRIPTION).write_bytes(b"\xff\xfe"),
    "another document": lambda folder: (folder / files.DESCRIPTION).write_text("[1]"),
    "an unknown kind": lambda folder: _changed(folder, '"gru"', '"transformer"'),
    "an unknown key": lambda folder: _changed(folder, '"return_sequences"', '"returns"'),
    "another version": lambda folder: _changed(folder, '"schema": 1', '"schema": 99'),
    "a wrong type": lambda folder: _changed(folder, '"return_sequences": false', '"return_sequences": "yes"'),
}


def _changed(folder: Path, old: str, new: str) -> None:
    path = folder / files.DESCRIPTION
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_an_error_that_names_the_file(damage: str, tmp_path: Path) -> None:
    files.save(networks.Network("gru").network, tmp_path)
    DAMAGES[damage](tmp_path)

    with pytest.raises(NetworkError) as caught:
        files.load(tmp_path)

    assert str(tmp_path / files.DESCRIPTION) in str(caught.value)
    assert "\n" not in str(caught.value)
