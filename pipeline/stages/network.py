"""The network, as trained and as Arm's guide deploys it; and its weights as a file."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from pipeline.errors import UnrollError

ARCHITECTURE = "network.json"
WEIGHTS = "model.weights.h5"

CELLS = {"gru": keras.layers.GRU, "lstm": keras.layers.LSTM, "simple_rnn": keras.layers.SimpleRNN}
STATES = {"gru": ("hidden",), "lstm": ("hidden", "cell"), "simple_rnn": ("hidden",)}
"""What each cell carries from step to step, in Keras' order."""


class WeightsError(UnrollError):
    """Weights that don't fit the network."""


def build(model: Mapping[str, Any], time_steps: int, features: int, classes: int) -> keras.Model:
    """Build input (time steps, features) -> recurrent layers -> dense layers -> softmax over the classes.

    The layers are called ``gru_1``, ``gru_2``, ..., ``dense_1``, ..., ``output``.
    """
    return _network(model, keras.Input((time_steps, features), name="input"), classes)


def deployed(
    model: Mapping[str, Any], time_steps: int, features: int, classes: int, *, state: bool = False
) -> keras.Model:
    """Build the network as Arm's guide deploys it.

    It has batch size 1 and every time step written out, since neither the converter nor the NPU can take a loop.
    With ``state``, the state before the first step is an input and that after the last one an output, both named
    ``gru_1_hidden``, ``lstm_1_cell``, ..., (1, units); the class probabilities are then the output ``output``.
    """
    return _network(
        model, keras.Input((time_steps, features), batch_size=1, name="input"), classes, unroll=True, state=state
    )


def _network(
    model: Mapping[str, Any], x: Any, classes: int, *, unroll: bool = False, state: bool = False
) -> keras.Model:
    cell = model["cell"]
    inputs: dict[str, Any] = {"input": x}
    outputs: dict[str, Any] = {}
    choices = {"reset_after": model["reset_after"]} if cell == "gru" else {}
    for number in range(1, model["layers"] + 1):
        name = f"{cell}_{number}"
        layer = CELLS[cell](
            model["units"],
            unroll=unroll,
            return_sequences=number < model["layers"],
            return_state=state,
            name=name,
            **choices,
        )
        if state:
            names = [f"{name}_{role}" for role in STATES[cell]]
            carried = [keras.Input((model["units"],), batch_size=1, name=of_state) for of_state in names]
            x, *after = layer(x, initial_state=carried)
            inputs |= zip(names, carried, strict=True)
            outputs |= zip(names, after, strict=True)
        else:
            x = layer(x)
    for number, width in enumerate(model["dense"], 1):
        x = keras.layers.Dense(width, activation="relu", name=f"dense_{number}")(x)
    x = keras.layers.Dense(classes, activation="softmax", name="output")(x)
    ends = (inputs, {"output": x, **outputs}) if state else (inputs["input"], x)
    network = keras.Model(*ends, name="network")
    return _without_unused_gate(network)


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


@contextmanager
def converter(network: keras.Model) -> Iterator[tf.lite.TFLiteConverter]:
    """Give TFLiteConverter a network; one with state goes by way of a SavedModel, since it takes no named inputs."""
    if len(network.inputs) == 1:
        yield tf.lite.TFLiteConverter.from_keras_model(network)
        return
    with tempfile.TemporaryDirectory() as folder:
        network.export(folder, verbose=False)
        yield tf.lite.TFLiteConverter.from_saved_model(folder)


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
