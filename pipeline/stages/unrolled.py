"""The unrolled stage: the deployment graph in float32, and proof that it computes what was trained."""

import os
from pathlib import Path

import numpy as np

from pipeline.contract import Found, Work
from pipeline.data import arrays
from pipeline.data.steps import parts
from pipeline.errors import UnrollError
from pipeline.lowering import way
from pipeline.network import files
from pipeline.network.graph import Network
from pipeline.runtime import litert
from pipeline.runtime.litert import SINGLE, WHOLE
from pipeline.tflite import roles

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
    network = files.load(_weights(work))
    deployment, rows = work.config["deployment"], x_test.shape[1]
    time_steps = _time_steps(network)
    steps = int(deployment["steps_per_inference"] or time_steps)
    inferences = parts("deployment.steps_per_inference", steps, time_steps, "time steps of a sequence")
    chosen = way.way(deployment["graph"])
    others = {WHOLE: time_steps, SINGLE: 1} if deployment["state"] and chosen.SAME_BYTES_HOWEVER_CUT else {}
    steps_of = {MODEL: steps} | {name: number for name, number in others.items() if number != steps}
    rows_of = {name: number * rows // time_steps for name, number in steps_of.items()}
    roles.save(chosen.write(network, rows_of, work.into, state=deployment["state"]), work.into)
    model = work.into / MODEL
    difference = largest_difference(network, model, shown)
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
            "rows_per_step": rows // time_steps,
        },
        basis={"max_difference": "measured", "model_bytes": "measured"},
    )


def _weights(work: Work) -> Path:
    """Return the folder of the weights to deploy: compressed ones, if the experiment has them."""
    return work.inputs.get("compressed") or work.inputs["weights"]


def _time_steps(network: Network) -> int:
    """Return the time steps that the recurrent layers go along: the fewest of any layer."""
    return min(value.steps for value in network.values().values() if value.steps is not None)


def largest_difference(network: Network, model: Path, x: arrays.Features) -> float:
    """Return the largest difference between two models' class probabilities, as a share of the largest of them."""
    expected = network.run({litert.INPUT: x.astype(np.float64)})[litert.OUTPUT]
    computed = litert.outputs(model, x, litert.BUILTIN)[litert.OUTPUT]
    return float(np.abs(computed - expected).max() / expected.max())
