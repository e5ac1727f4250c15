"""The network, as trained and as deployed; and its weights as a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from pipeline.errors import UnrollError

ARCHITECTURE = "network.json"
WEIGHTS = "model.weights.h5"

CELLS = {"gru": keras.layers.GRU, "lstm": keras.layers.LSTM, "simple_rnn": keras.layers.SimpleRNN}


class WeightsError(UnrollError):
    """Weights that don't fit the network."""


def build(
    model: Mapping[str, Any], time_steps: int, features: int, classes: int, *, deployed: bool = False
) -> keras.Model:
    """Build input (time steps, features) -> recurrent layer -> softmax over the classes.

    The deployed form has batch size 1 and every time step written out, since neither the
    converter nor the NPU can take a loop.
    """
    layers = [
        keras.Input((time_steps, features), batch_size=1 if deployed else None, name="input"),
        CELLS[model["cell"]](model["units"], unroll=deployed, name=model["cell"]),
        keras.layers.Dense(classes, activation="softmax", name="output"),
    ]
    return _without_unused_gate(keras.Sequential(layers, name="network"))


def _without_unused_gate(network: keras.Model) -> keras.Model:
    """Let an unrolled LSTM compute its gates one by one instead of splitting one product.

    The forget gate of the first step multiplies a cell state of 0, so its part of the split is
    never used, and TFLiteConverter then leaves the split in float32 in a third of all runs.
    Keras does not keep this choice in a layer's config, hence it is made after loading, too.
    """
    for layer in network.layers:
        if isinstance(layer, keras.layers.LSTM) and layer.unroll:
            layer.cell.implementation = 1
    return network


def save(network: keras.Model, folder: Path) -> None:
    """Write ``network.json`` and ``model.weights.h5``; the same network gives the same bytes."""
    (folder / ARCHITECTURE).write_text(network.to_json(indent=1), encoding="utf-8")
    network.save_weights(folder / WEIGHTS)


def load(folder: Path) -> keras.Model:
    """Read back what ``save`` wrote."""
    network = keras.models.model_from_json((folder / ARCHITECTURE).read_text(encoding="utf-8"))
    load_weights(network, folder)
    return _without_unused_gate(network)


def load_weights(network: keras.Model, folder: Path) -> None:
    """Load ``model.weights.h5``.

    Raises:
        WeightsError: they are of another network.

    """
    try:
        network.load_weights(folder / WEIGHTS)
    except ValueError as error:
        message = f"{folder / WEIGHTS} does not fit the network: {str(error).splitlines()[0]}"
        raise WeightsError(message) from None
