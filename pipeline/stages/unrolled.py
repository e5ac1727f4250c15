"""The unrolled stage: the deployment graph, and proof that it computes what was trained."""

import os
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from pipeline.data import arrays
from pipeline.errors import UnrollError
from pipeline.stages import inference, network
from pipeline.stages.contract import Found, Work

MODEL = "unrolled.tflite"
PROOF_SAMPLES = 100
TOLERANCE = 1e-4


class DifferenceError(UnrollError):
    """A deployment graph that does not compute what was trained."""


def make(work: Work) -> Found:
    """Rebuild the network with batch size 1 and ``unroll=True``, and convert it without quantizing.

    The float file is what the int8 model is measured against.

    Raises:
        DifferenceError: an output differs from the trained network's by more than 1e-4.

    """
    data = arrays.load(work.inputs["dataset"])
    _, time_steps, features = data.x_train.shape
    trained = network.load(work.inputs["weights"])
    unrolled = network.build(work.config["model"], time_steps, features, data.classes, deployed=True)
    network.load_weights(unrolled, work.inputs["weights"])
    network.save(unrolled, work.into)
    model = work.into / MODEL
    model.write_bytes(tf.lite.TFLiteConverter.from_keras_model(unrolled).convert())
    difference = largest_difference(trained, model, data.x_test[:PROOF_SAMPLES])
    if not difference <= TOLERANCE:
        message = (
            f"the deployment graph differs from the trained network by {difference:.3g} (allowed: {TOLERANCE:g})"
            f" on the first {PROOF_SAMPLES} test samples; this is a defect of the graph: please report it"
        )
        raise DifferenceError(message)
    return Found(
        metrics={
            "max_difference": difference,
            "compared_samples": min(PROOF_SAMPLES, len(data.x_test)),
            "model_bytes": os.path.getsize(model),
        },
        basis={"max_difference": "measured", "model_bytes": "measured"},
    )


def largest_difference(trained: keras.Model, model: Path, x: arrays.Features) -> float:
    """Return the largest absolute difference between two models' class probabilities."""
    expected = np.asarray(trained(x, training=False))
    return float(np.abs(inference.outputs(model, x, inference.BUILTIN) - expected).max())
