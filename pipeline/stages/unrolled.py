"""The unrolled stage: the deployment graph in float32, and proof that it computes what was trained."""

import msgspec

from pipeline.lowering.section import Deployment
from pipeline.metrics import Metric
from pipeline.stage import Found, Stage, Work
from pipeline.text.quantities import COUNT, NUMBER, SIZE

PROOF_SAMPLES = 100


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What it reads of the experiment."""

    deployment: Deployment


def make(work: Work[Config]) -> Found:
    """Write every time step out, with batch size 1, and convert it without quantizing.

    Raises:
        StepsError: the steps of one inference don't divide the sequence.
        DifferenceError: an output differs by more than 1e-4 of the trained network's largest.

    """
    from pipeline.data import arrays
    from pipeline.lowering import deploy
    from pipeline.network import files

    x_test, y_test = arrays.load_part(work.inputs["dataset"], "test")
    network = files.load(work.inputs["network"])
    metrics = deploy.deploy(network, work.config.deployment, x_test.shape[1], work.into)
    samples = x_test[arrays.spread(y_test, PROOF_SAMPLES)]
    difference = deploy.prove(network, work.into / deploy.MODEL, samples)
    return Found(
        metrics={"max_difference": difference, "compared_samples": len(samples), **metrics},
        basis={"max_difference": "measured", "model_bytes": "measured"},
    )


METRICS = (
    Metric(name="max_difference", title="largest difference", quantity=NUMBER, basis="measured", detail=True),
    Metric(name="compared_samples", title="compared samples", quantity=COUNT, basis="measured", detail=True),
    Metric(name="model_bytes", title="float model", quantity=SIZE, basis="measured", detail=True),
    Metric(name="time_steps", title="time steps", quantity=COUNT, basis="measured", detail=True),
    Metric(name="steps_per_inference", title="time steps an inference", quantity=COUNT, basis="measured", detail=True),
    Metric(
        name="inferences_per_sequence", title="inferences a sequence", quantity=COUNT, basis="measured", detail=True
    ),
    Metric(name="rows_per_step", title="rows a time step", quantity=COUNT, basis="measured", detail=True),
)

STAGE = Stage(
    name="unrolled",
    summary="write every time step out with batch size 1, and prove that it computes the same",
    config=Config,
    make=make,
    metrics=METRICS,
    needs=("dataset", "network"),
    tools=("tensorflow", "keras", "numpy", "ai-edge-litert", "flatbuffers"),
)
