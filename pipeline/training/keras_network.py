"""A network as a Keras model, to be trained or to be unrolled as Arm's guide does, and its weights taken back."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from pipeline.errors import UnrollError
from pipeline.network.graph import Network
from pipeline.network.layer import Layer


def build(network: Network) -> keras.Model:
    """Build a Keras model, with weights that Keras draws.

    Its layers have the names of the network's; they are made in the network's order, since that is the order in which
    Keras draws initial weights.
    """
    values: dict[str, Any] = {
        value.name: keras.Input((value.steps, *value.shape), name=value.name) for value in network.inputs
    }
    for layer in network.layers:
        values[layer.output] = _layer(layer)(*(values[name] for name in layer.inputs))
    inputs = [values[value.name] for value in network.inputs]
    outputs = [values[name] for name in network.outputs]
    return keras.Model(_only(inputs), _only(outputs), name="network")


def unrolled(network: Network, steps: int, *, state: bool) -> keras.Model:
    """Build a Keras model as Arm's guide deploys it, with the network's weights.

    It has batch size 1 and every time step written out, since neither the converter nor the NPU can take a loop.

    Args:
        network: whose layers are built.
        steps: time steps of its inputs in one inference.
        state: take the state before the first step as inputs and return that after the last one, under one name
            (``gru_1_hidden``), (1, units).

    """
    ports = list(network.states()) if state else []
    inputs = {value.name: keras.Input((steps, *value.shape), batch_size=1, name=value.name) for value in network.inputs}
    values: dict[str, Any] = dict(inputs)
    outputs: dict[str, Any] = {}
    for layer in network.layers:
        names = [port.name for port in ports if port.layer == layer.name]
        read = [values[name] for name in layer.inputs]
        if names:
            shapes = [port.shape for port in ports if port.layer == layer.name]
            given = [keras.Input(shape, batch_size=1, name=name) for name, shape in zip(names, shapes, strict=True)]
            built = _layer(layer, unroll=True, return_state=True)
            values[layer.output], *after = built(*read, initial_state=given)
            inputs |= zip(names, given, strict=True)
            outputs |= zip(names, after, strict=True)
        else:
            values[layer.output] = _layer(layer, unroll=True)(*read)
    heads = {name: values[name] for name in network.outputs}
    ends = (inputs, {**heads, **outputs}) if state else (_only(list(inputs.values())), _only(list(heads.values())))
    model = keras.Model(*ends, name="network")
    set_weights(model, network)
    return _without_unused_gate(model)


def with_weights(network: Network, model: keras.Model) -> Network:
    """Return a network with the weights of its Keras model."""
    return network.with_layers(
        {layer.name: layer.with_keras_arrays(model.get_layer(layer.name).get_weights()) for layer in network.layers}
    )


def set_weights(model: keras.Model, network: Network) -> None:
    """Give a Keras model the weights of its network."""
    for layer in network.layers:
        model.get_layer(layer.name).set_weights(list(layer.keras().arrays))


PROOF_SAMPLES = 100
TOLERANCE = 1e-4


class KerasDifferenceError(UnrollError):
    """A network that does not compute what its Keras model does."""


def prove(network: Network, model: keras.Model, x: npt.NDArray[np.float32]) -> None:
    """Compare a network with its Keras model on the first samples of x, (samples, steps, features).

    Raises:
        KerasDifferenceError: an output differs by more than 1e-4 of the largest.

    """
    samples = x[:PROOF_SAMPLES]
    expected = np.asarray(model(samples, training=False))
    (computed,) = (network.run({network.inputs[0].name: samples.astype(np.float64)})[name] for name in network.outputs)
    difference = float(np.abs(computed - expected).max() / np.abs(expected).max())
    if not difference <= TOLERANCE:
        message = (
            f"the network differs from what Keras trained by {difference:.3g} of the largest output (allowed:"
            f" {TOLERANCE:g}) on {len(samples)} test samples; this is a defect, please report it"
        )
        raise KerasDifferenceError(message)


def _layer(layer: Layer, **more: object) -> Any:
    """Return a layer as Keras has it; ``more`` is for the recurrent ones."""
    told = layer.keras()
    recurrent = more if layer.STATE else {}
    return getattr(keras.layers, told.class_name).from_config({**told.config, **recurrent})


def _only(ends: list[Any]) -> Any:
    return ends[0] if len(ends) == 1 else ends


def _without_unused_gate(model: keras.Model) -> keras.Model:
    """Let an unrolled LSTM compute its gates one by one instead of splitting one product.

    The forget gate of the first step multiplies a cell state of 0, so its part of the split is
    never used, and TFLiteConverter then leaves the split in float32 in a third of all runs.
    """
    for layer in model.layers:
        if isinstance(layer, keras.layers.LSTM) and layer.unroll:
            layer.cell.implementation = 1
    return model


@contextmanager
def converter(model: keras.Model) -> Iterator[tf.lite.TFLiteConverter]:
    """Give TFLiteConverter a model; one with state goes by way of a SavedModel, since it takes no named inputs."""
    if len(model.inputs) == 1:
        yield tf.lite.TFLiteConverter.from_keras_model(model)
        return
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, verbose=False)
        yield tf.lite.TFLiteConverter.from_saved_model(folder)
