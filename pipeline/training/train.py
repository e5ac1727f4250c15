"""Train a network with Keras."""

import math
from typing import Any

import keras
import tensorflow as tf

from pipeline.data.arrays import DataSet
from pipeline.errors import UnrollError
from pipeline.network.graph import Network
from pipeline.stage import Work
from pipeline.tasks.classification import CLASSIFICATION as TASK
from pipeline.training import keras_network
from pipeline.training.schedule import STEPS_PER_EXECUTION, Progress, learning_rate
from pipeline.training.section import Training


class TrainingError(UnrollError):
    """Training that came to nothing."""


def train(network: Network, data: DataSet, settings: Training, work: Work[Any]) -> tuple[Network, dict[str, Any]]:
    """Train a network; the same seed on the same machine gives the same weights.

    Args:
        network: its weights are drawn anew.
        data: what to learn.
        settings: the experiment's ``[training]``.
        work: is told how far it is.

    Returns:
        The network with its weights, and ``parameters``, ``training_loss`` and ``training_accuracy``.

    Raises:
        TrainingError: the loss became NaN or infinite.

    """
    keras.utils.set_random_seed(settings.seed)
    tf.config.experimental.enable_op_determinism()
    model = keras_network.build(network)
    steps_per_epoch = math.ceil(len(data.x_train) / settings.batch_size)
    model.compile(
        optimizer=keras.optimizers.Adam(
            learning_rate(settings, steps_per_epoch * settings.epochs), clipnorm=settings.clip_norm or None
        ),
        loss=TASK.loss,
        metrics=["accuracy"],
        steps_per_execution=STEPS_PER_EXECUTION,
    )
    history = model.fit(
        data.x_train,
        data.y_train,
        batch_size=settings.batch_size,
        epochs=settings.epochs,
        verbose=0,
        callbacks=[Progress(work, settings.epochs, steps_per_epoch), keras.callbacks.TerminateOnNaN()],
    ).history
    loss = float(history["loss"][-1])
    if not math.isfinite(loss):
        message = f"the loss became {loss} while training; lower training.learning_rate or set training.clip_norm"
        raise TrainingError(message)
    trained = keras_network.with_weights(network, model)
    keras_network.prove(trained, model, data.x_test)
    return trained, {
        "parameters": int(model.count_params()),
        "training_loss": loss,
        "training_accuracy": float(history["accuracy"][-1]),
    }
