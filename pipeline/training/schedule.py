"""What every training has: a schedule of the learning rate, and progress as it is shown."""

from collections.abc import Mapping
from typing import Any

import keras

from pipeline.stage import Work
from pipeline.training.section import Training

STEPS_PER_EXECUTION = 8
"""Training steps between two returns from TensorFlow to Python, each of which costs a fraction of a step."""


def learning_rate(training: Training, total_steps: int) -> float | keras.optimizers.schedules.CosineDecay:
    """Return a constant rate, or linear warm-up to the peak and cosine decay to 0 over all steps."""
    peak = training.learning_rate
    if training.schedule == "constant":
        return float(peak)
    warmup_steps = int(total_steps * training.warmup)
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup_steps else peak,
        warmup_target=peak if warmup_steps else None,
        warmup_steps=warmup_steps,
        decay_steps=total_steps - warmup_steps,
    )


class Progress(keras.callbacks.Callback):  # type: ignore[misc] # Keras has no types
    """Reports training by step, with loss and accuracy as Keras averages them over what it calls an epoch."""

    def __init__(self, work: Work[Any], epochs: int, steps_per_epoch: int) -> None:
        """Report to ``work`` how many of these steps are done."""
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
        self.say(self._epoch * self._steps_per_epoch + step, logs or {})

    def say(self, done: int, logs: Mapping[str, float], **facts: str) -> None:
        """Report that so many steps are done."""
        epoch, step = divmod(done - 1, self._steps_per_epoch)
        self._work.progress(
            done,
            self._epochs * self._steps_per_epoch,
            epoch=f"{epoch + 1}/{self._epochs}",
            step=f"{step + 1}/{self._steps_per_epoch}",
            **facts,
            **{name: float(value) for name, value in logs.items()},
        )
