"""The weights stage: train with Keras; ``network.json`` and ``network.npz``."""

import math

import keras
import tensorflow as tf

from pipeline.contract import Found, Work
from pipeline.data import arrays
from pipeline.errors import UnrollError
from pipeline.frontends import built
from pipeline.network import files
from pipeline.tasks.classification import CLASSIFICATION as TASK
from pipeline.training import keras_network
from pipeline.training.schedule import STEPS_PER_EXECUTION, Progress, learning_rate


class TrainingError(UnrollError):
    """Training that came to nothing."""


def make(work: Work) -> Found:
    """Train the network; the same seed on the same machine gives the same weights.

    Raises:
        StepsError: ``rows_per_step`` does not divide the rows of a sequence.
        TrainingError: the loss became NaN or infinite.

    """
    training = work.config["training"]
    keras.utils.set_random_seed(training["seed"])
    tf.config.experimental.enable_op_determinism()
    data = arrays.load(work.inputs["dataset"])
    samples, rows, features = data.x_train.shape
    network = built.build(work.config["model"], rows, features, data.classes)
    network.check()
    model = keras_network.build(network)
    steps_per_epoch = math.ceil(samples / training["batch_size"])
    model.compile(
        optimizer=keras.optimizers.Adam(
            learning_rate(training, steps_per_epoch * training["epochs"]), clipnorm=training["clip_norm"] or None
        ),
        loss=TASK.loss,
        metrics=["accuracy"],
        steps_per_execution=STEPS_PER_EXECUTION,
    )
    history = model.fit(
        data.x_train,
        data.y_train,
        batch_size=training["batch_size"],
        epochs=training["epochs"],
        verbose=0,
        callbacks=[Progress(work, training["epochs"], steps_per_epoch), keras.callbacks.TerminateOnNaN()],
    ).history
    loss = float(history["loss"][-1])
    if not math.isfinite(loss):
        message = f"the loss became {loss} while training; lower training.learning_rate or set training.clip_norm"
        raise TrainingError(message)
    trained = keras_network.with_weights(network, model)
    keras_network.prove(trained, model, data.x_test)
    files.save(trained, work.into)
    return Found(
        metrics={
            "parameters": int(model.count_params()),
            "training_loss": loss,
            "training_accuracy": float(history["accuracy"][-1]),
            "weights_bytes": (work.into / files.ARRAYS).stat().st_size,
        },
        basis={"training_loss": "measured", "training_accuracy": "measured", "weights_bytes": "measured"},
    )
