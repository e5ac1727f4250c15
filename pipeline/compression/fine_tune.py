"""Fewer and cheaper weights, trained on until they are as good."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import msgspec
import tensorflow as tf

from pipeline.compression import codes
from pipeline.compression.kernels import Constrained, Free, Substituted
from pipeline.compression.section import Compress
from pipeline.data import arrays
from pipeline.errors import UnrollError
from pipeline.metrics import SCORES
from pipeline.network.graph import Network
from pipeline.stage import Work
from pipeline.tasks.classification import CLASSIFICATION as TASK
from pipeline.training import keras_network
from pipeline.training.schedule import STEPS_PER_EXECUTION, Progress, learning_rate
from pipeline.training.section import Training

PRUNED_BY = 0.4
"""Share of the training by which as many weights are 0 as was asked for."""
SHARED_FROM = 0.85
"""Share of the training after which pruned matrices share values, late since it costs them little; others always do."""
TEACHER = 0.5
"""How much of the target is what the trained network says of a sample; the rest is the label."""
BATCH = 500
"""Samples at once where nothing is trained."""


class CompressError(UnrollError):
    """Weights that can't be compressed as it was asked for."""


def compress(
    network: Network, data: arrays.DataSet, settings: Compress, training: Training, work: Work[Any]
) -> tuple[Network, dict[str, codes.Codes], dict[str, Any]]:
    """Prune weights, let the rest share values, and train on; the same seed gives the same weights.

    The targets are the labels mixed with what the trained network says, after Hinton et al., "Distilling the
    knowledge in a neural network", 2015.

    Args:
        network: trained.
        data: what it learned.
        settings: the experiment's ``[compress]``.
        training: its ``[training]``, of which batch size, schedule, clipping and seed hold here, too.
        work: is told how far it is.

    Returns:
        The network with weights that int8 codes hold exactly; these codes by matrix, (rows, columns) each; the
        scores before and after, loss and accuracy of the training.

    Raises:
        CompressError: a matrix is too small for that, or the loss became NaN or infinite.

    """
    keras.utils.set_random_seed(training.seed)
    tf.config.experimental.enable_op_determinism()
    trained = keras_network.build(network)
    keras_network.set_weights(trained, network)
    chosen = dict(matrices(trained, settings.matrices))
    for name, place in chosen.items():
        _check_size(name, trained.weights[place].shape, settings)
    before = _answers(trained, data)
    history = _fine_tune(data, trained, list(chosen.values()), (settings, training), work)
    found = {name: codes.quantized(trained.weights[place].numpy()) for name, place in chosen.items()}
    for place in chosen.values():
        trained.weights[place].assign(codes.on_grid(trained.weights[place].numpy()))
    compressed = keras_network.with_weights(network, trained)
    keras_network.prove(compressed, trained, data.x_test)
    return (
        compressed,
        found,
        {
            **history,
            SCORES: TASK.scores(data.y_test, {"before": before, "float": _answers(trained, data)}),
        },
    )


def matrices(trained: keras.Model, wanted: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Return the matrices of these kinds, ``gru_1/recurrent`` and so on, each with its place among the weights."""
    place = {id(weight): number for number, weight in enumerate(trained.weights)}
    for layer in trained.layers:
        if isinstance(layer, keras.layers.RNN):
            kinds = {"input": layer.cell.kernel, "recurrent": layer.cell.recurrent_kernel}
        elif isinstance(layer, keras.layers.Dense):
            kinds = {"dense": layer.kernel}
        else:
            continue
        yield from ((f"{layer.name}/{kind}", place[id(kinds[kind])]) for kind in wanted if kind in kinds)


def _check_size(name: str, shape: tuple[int, int], compress: Compress) -> None:
    size, channels = math.prod(shape), shape[1]
    kept = size - round((compress.sparsity or 0) * size)
    if kept < channels:
        message = (
            f"compress.sparsity = {compress.sparsity} leaves {kept} weights of {name} for its {channels} output"
            f" channels, and each needs one: at most {1 - channels / size:.4g}"
        )
        raise CompressError(message)
    values = kept + (kept < size)
    if compress.clusters and values < compress.clusters:
        message = (
            f"compress.clusters = {compress.clusters}, but {name} has only {values} values that could differ:"
            " choose fewer clusters, a lower sparsity, more units, or leave it out of compress.matrices"
        )
        raise CompressError(message)


def _fine_tune(
    data: arrays.DataSet,
    trained: keras.Model,
    places: Sequence[int],
    settings: tuple[Compress, Training],
    work: Work[Any],
) -> Mapping[str, float]:
    """Train on under the constraints and leave the weights in the network; return loss and accuracy."""
    compress, training = settings
    epochs, steps_per_epoch = compress.fine_tune_epochs, math.ceil(len(data.x_train) / training.batch_size)
    constrained = {place: Constrained(trained.weights[place].numpy(), compress.clusters) for place in places}
    kernels = [constrained.get(place) or Free(each.numpy()) for place, each in enumerate(trained.weights)]
    targets = _targets(data, trained)
    at_its_own_rate = msgspec.structs.replace(training, learning_rate=compress.learning_rate)
    model = Substituted(trained, kernels)
    model.compile(
        optimizer=keras.optimizers.Adam(
            learning_rate(at_its_own_rate, epochs * steps_per_epoch),
            clipnorm=training.clip_norm or None,
        ),
        loss=TASK.distilled_loss,
        metrics=["accuracy"],
        steps_per_execution=STEPS_PER_EXECUTION,
    )
    tightening = _Tightening(list(constrained.values()), compress, epochs, steps_per_epoch)
    history = model.fit(
        data.x_train,
        targets,
        batch_size=training.batch_size,
        epochs=epochs,
        verbose=0,
        callbacks=[tightening, Progress(work, epochs, steps_per_epoch), keras.callbacks.TerminateOnNaN()],
    ).history
    loss = float(history["loss"][-1])
    if not math.isfinite(loss):
        message = f"the loss became {loss} while fine-tuning; lower compress.learning_rate or set training.clip_norm"
        raise CompressError(message)
    for weight, kernel in zip(trained.weights, kernels, strict=True):
        weight.assign(kernel.matrix())
    return {"training_loss": loss, "training_accuracy": float(history["accuracy"][-1])}


class _Tightening(keras.callbacks.Callback):  # type: ignore[misc] # Keras has no types
    """Holds ever more weights at 0 as training goes on, then lets the rest share values.

    The share of weights at 0 rises along the cubic curve of Zhu and Gupta, "To prune, or not to prune", 2017.
    """

    def __init__(self, kernels: Sequence[Constrained], compress: Compress, epochs: int, steps_per_epoch: int) -> None:
        super().__init__()
        self._kernels = kernels
        self._sparsity, self._clusters = compress.sparsity, compress.clusters
        self._epochs, self._steps_per_epoch = epochs, steps_per_epoch
        self._epoch = 0
        self._pruned, self._shared = self._sparsity is None, self._clusters is None

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Tighten; without pruning, values are shared before the first step."""
        del logs
        self._epoch = epoch
        self._tighten(epoch / self._epochs)

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        """Tighten, after every few steps."""
        del logs
        self._tighten((self._epoch + (batch + 1) / self._steps_per_epoch) / self._epochs)

    def on_train_end(self, logs: Mapping[str, float] | None = None) -> None:
        """Let all hold that was asked for, however short the training was."""
        del logs
        self._tighten(1.0)

    def _tighten(self, done: float) -> None:
        """Prune and share as it is due when this share of the training is done."""
        if not self._pruned and self._sparsity is not None:
            left = max(0.0, 1 - done / PRUNED_BY)
            for kernel in self._kernels:
                kernel.prune(self._sparsity * (1 - left**3))
            self._pruned = left == 0
        if not self._shared and self._pruned and (self._sparsity is None or done >= SHARED_FROM):
            for kernel in self._kernels:
                kernel.share()
            self._shared = True


def _targets(data: arrays.DataSet, trained: keras.Model) -> arrays.Features:
    """Return what is to be learned: targets mixed with the trained network's outputs."""
    outputs = trained.predict(data.x_train, batch_size=BATCH, verbose=0)
    targets: arrays.Features = TASK.distilled(data.y_train, outputs, TEACHER)
    return targets


def _answers(trained: keras.Model, data: arrays.DataSet) -> arrays.Labels:
    return TASK.answers(trained.predict(data.x_test, batch_size=BATCH, verbose=0))
