"""The weights stage: train with Keras; ``model.weights.h5`` and ``network.json``."""

import math
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from pipeline import steps
from pipeline.data import arrays
from pipeline.errors import UnrollError
from pipeline.stages import network
from pipeline.stages.contract import Found, Work

STEPS_PER_EXECUTION = 8
"""Training steps between two returns from TensorFlow to Python, each of which costs a fraction of a step."""


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
            _learning_rate(training, steps_per_epoch * training["epochs"]), clipnorm=training["clip_norm"] or None
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
        callbacks=[_Progress(work, training["epochs"], steps_per_epoch), keras.callbacks.TerminateOnNaN()],
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


def _learning_rate(training: Mapping[str, Any], total_steps: int) -> float | keras.optimizers.schedules.CosineDecay:
    """Return a constant rate, or linear warm-up to the peak and cosine decay to 0 over all steps."""
    peak = training["learning_rate"]
    if training["schedule"] == "constant":
        return float(peak)
    warmup_steps = int(total_steps * training["warmup"])
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup_steps else peak,
        warmup_target=peak if warmup_steps else None,
        warmup_steps=warmup_steps,
        decay_steps=total_steps - warmup_steps,
    )


class _Progress(keras.callbacks.Callback):  # type: ignore[misc] # Keras has no types
    """Reports training by step, with loss and accuracy as Keras averages them over the epoch."""

    def __init__(self, work: Work, epochs: int, steps_per_epoch: int) -> None:
        super().__init__()
        self._work = work
        self._epochs = epochs
        self._steps_per_epoch = steps_per_epoch
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Note which epoch begins."""
        del logs
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        """Report one training step."""
        step = min(batch + 1, self._steps_per_epoch)  # Keras counts an execution that ends early as a whole one
        done = self._epoch * self._steps_per_epoch + step
        self._work.progress(
            done,
            self._epochs * self._steps_per_epoch,
            epoch=f"{self._epoch + 1}/{self._epochs}",
            step=f"{step}/{self._steps_per_epoch}",
            **{name: float(value) for name, value in (logs or {}).items()},
        )
