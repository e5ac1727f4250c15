"""Write a network as the float graph that is deployed, and compare the two."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.data.arrays import Features
from pipeline.data.steps import parts
from pipeline.errors import UnrollError
from pipeline.lowering import way
from pipeline.lowering.section import Deployment
from pipeline.network.graph import Network
from pipeline.runtime import litert
from pipeline.runtime.litert import SINGLE, WHOLE
from pipeline.tflite import roles

MODEL = "unrolled.tflite"
TOLERANCE = 1e-4


class DifferenceError(UnrollError):
    """A deployment graph that does not compute what was trained."""


def deploy(network: Network, deployment: Deployment, rows: int, into: Path) -> dict[str, Any]:
    """Write the float file that the quantized model is measured against, and what its tensors are for.

    A graph with state comes thrice: for the chosen number of time steps, for the whole sequence, where its ranges are
    seen, and for a single step.

    Args:
        network: trained.
        deployment: the experiment's ``[deployment]``.
        rows: of a sequence of the data set.
        into: an empty folder.

    Returns:
        The size of the file, and into how many inferences of how many steps a sequence is cut.

    Raises:
        StepsError: the steps of one inference don't divide the sequence.

    """
    time_steps = _time_steps(network)
    steps = deployment.steps_per_inference or time_steps
    inferences = parts("deployment.steps_per_inference", steps, time_steps, "time steps of a sequence")
    chosen = way.way(deployment.graph)
    others = {WHOLE: time_steps, SINGLE: 1} if deployment.state and chosen.SAME_BYTES_HOWEVER_CUT else {}
    steps_of = {MODEL: steps} | {name: number for name, number in others.items() if number != steps}
    rows_of = {name: number * rows // time_steps for name, number in steps_of.items()}
    roles.save(chosen.write(network, rows_of, into, state=deployment.state), into)
    return {
        "model_bytes": os.path.getsize(into / MODEL),
        "time_steps": time_steps,
        "steps_per_inference": steps,
        "inferences_per_sequence": inferences,
        "rows_per_step": rows // time_steps,
    }


def _time_steps(network: Network) -> int:
    """Return the time steps that the recurrent layers go along: the fewest of any layer."""
    return min(value.steps for value in network.values().values() if value.steps is not None)


def prove(network: Network, model: Path, x: Features) -> float:
    """Return the largest difference between a network and its graph on x, (samples, rows, features of a row).

    It is a share of the largest output.

    Raises:
        DifferenceError: it is more than 1e-4.

    """
    expected = network.run({litert.INPUT: x.astype(np.float64)})[litert.OUTPUT]
    computed = litert.outputs(model, x, litert.BUILTIN)[litert.OUTPUT]
    difference = float(np.abs(computed - expected).max() / expected.max())
    if not difference <= TOLERANCE:
        message = (
            f"the deployment graph differs from the trained network by {difference:.3g} (allowed: {TOLERANCE:g})"
            f" on {len(x)} test samples; this is a defect of the graph: please report it"
        )
        raise DifferenceError(message)
    return difference
