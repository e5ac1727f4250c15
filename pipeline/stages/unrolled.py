"""The unrolled stage: the deployment graph in float32, and proof that it computes what was trained."""

import os
from pathlib import Path

import keras
import numpy as np

from pipeline.data import arrays
from pipeline.deployment import graph, weights
from pipeline.errors import UnrollError
from pipeline.stages import inference, network
from pipeline.stages.contract import Found, Work
from pipeline.stages.inference import SINGLE, WHOLE
from pipeline.steps import parts

MODEL = "unrolled.tflite"
PROOF_SAMPLES = 100
TOLERANCE = 1e-4


class DifferenceError(UnrollError):
    """A deployment graph that does not compute what was trained."""


def make(work: Work) -> Found:
    """Write every time step out, with batch size 1, and convert it without quantizing.

    The float file is what the quantized model is measured against. A graph with state comes thrice: for the
    chosen number of time steps, for the whole sequence, where its ranges are seen, and for a single step.

    Raises:
        StepsError: the steps of one inference don't divide the sequence.
        DifferenceError: an output differs by more than 1e-4 of the trained network's largest.

    """
    x_test, y_test = arrays.load_part(work.inputs["dataset"], "test")
    shown = x_test[arrays.spread(y_test, PROOF_SAMPLES)]
    trained = network.load(_weights(work))
    deployment, time_steps = work.config["deployment"], int(trained.input_shape[1])
    steps = int(deployment["steps_per_inference"] or time_steps)
    inferences = parts("deployment.steps_per_inference", steps, time_steps, "time steps of a sequence")
    if deployment["graph"] == "keras":
        unrolled = network.deployed(work.config["model"], steps, *_ends(trained), state=deployment["state"])
        network.load_weights(unrolled, _weights(work))
        network.save(unrolled, work.into)
        with network.converter(unrolled) as converter:
            (work.into / MODEL).write_bytes(converter.convert())
    else:
        others = {WHOLE: time_steps, SINGLE: 1} if deployment["state"] else {}
        steps_of = {MODEL: steps} | {name: number for name, number in others.items() if number != steps}
        _tied(work, steps_of, *_ends(trained))
    model = work.into / MODEL
    difference = largest_difference(trained, model, shown)
    if not difference <= TOLERANCE:
        message = (
            f"the deployment graph differs from the trained network by {difference:.3g} (allowed: {TOLERANCE:g})"
            f" on {len(shown)} test samples; this is a defect of the graph: please report it"
        )
        raise DifferenceError(message)
    return Found(
        metrics={
            "max_difference": difference,
            "compared_samples": len(shown),
            "model_bytes": os.path.getsize(model),
            "time_steps": time_steps,
            "steps_per_inference": steps,
            "inferences_per_sequence": inferences,
            "rows_per_step": x_test.shape[1] // time_steps,
        },
        basis={"max_difference": "measured", "model_bytes": "measured"},
    )


def _weights(work: Work) -> Path:
    """Return the folder of the weights to deploy: compressed ones, if the experiment has them."""
    return work.inputs.get("compressed") or work.inputs["weights"]


def _ends(trained: keras.Model) -> tuple[int, int]:
    """Return the features of a time step, and the classes."""
    return int(trained.input_shape[-1]), int(trained.output_shape[-1])


def _tied(work: Work, steps_of: dict[str, int], features: int, classes: int) -> None:
    """Write our graph for different numbers of steps, from the weights of the network that the experiment asks for."""
    plain = network.build(work.config["model"], 1, features, classes)
    network.load_weights(plain, _weights(work))
    sorted_weights = weights.of_keras({layer.name: layer.get_weights() for layer in plain.layers}, work.config["model"])
    for name, steps in steps_of.items():
        written = graph.build(sorted_weights, steps, features, state=work.config["deployment"]["state"])
        (work.into / name).write_bytes(written)


def largest_difference(trained: keras.Model, model: Path, x: arrays.Features) -> float:
    """Return the largest difference between two models' class probabilities, as a share of the largest of them."""
    expected = np.asarray(trained(arrays.folded(x, trained.input_shape[-1]), training=False))
    found = inference.outputs(model, x, inference.BUILTIN)[inference.OUTPUT]
    return float(np.abs(found - expected).max() / expected.max())
