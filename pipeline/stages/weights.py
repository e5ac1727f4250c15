"""The weights stage: train with Keras; ``model.weights.h5`` and ``network.json``."""

import math

import keras
import tensorflow as tf

from pipeline import steps
from pipeline.data import arrays
from pipeline.errors import UnrollError
from pipeline.stages import network
from pipeline.stages.contract import Found, Work
from pipeline.stages.training import STEPS_PER_EXECUTION, Progress, learning_rate


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
    data = _folded(arrays.load(work.inputs["dataset"]), work.config["model"].get("rows_per_step", 1))
    samples, time_steps, features = data.x_train.shape
    model, trained = (network.build(work.config["model"], time_steps, features, data.classes) for _ in range(2))
    steps_per_epoch = math.ceil(samples / training["batch_size"])
    model.compile(
        optimizer=keras.optimizers.Adam(
            learning_rate(training, steps_per_epoch * training["epochs"]), clipnorm=training["clip_norm"] or None
        ),
        loss="sparse_categorical_crossentropy",
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
    trained.set_weights(model.get_weights())  # a compiled model would save Adam's moments, too
    network.save(trained, work.into)
    return Found(
        metrics={
            "parameters": int(trained.count_params()),
            "training_loss": loss,
            "training_accuracy": float(history["accuracy"][-1]),
            "weights_bytes": (work.into / network.WEIGHTS).stat().st_size,
        },
        basis={"training_loss": "measured", "training_accuracy": "measured", "weights_bytes": "measured"},
    )


def _folded(data: arrays.DataSet, rows_per_step: int) -> arrays.DataSet:
    _, rows, features = data.x_train.shape
    steps.parts("model.rows_per_step", rows_per_step, rows, "rows of the data set")
    return data.folded(rows_per_step * features)
