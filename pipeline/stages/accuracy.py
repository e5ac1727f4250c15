"""The accuracy stage: what quantizing did to the model, over the whole test set."""

import msgspec

from pipeline.metrics import Metric
from pipeline.stage import Found, Stage, Work
from pipeline.tasks.classification import CLASSIFICATION as TASK
from pipeline.tasks.task import scored
from pipeline.text.quantities import COUNT, SHARE


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """It reads nothing of the experiment but what others made of it."""


def make(work: Work[Config]) -> Found:
    """Run the float and the quantized deployment graph on every test sample; see ``scoring``."""
    from pipeline.scoring import forms

    return forms.score(work)


METRICS = (
    *(scored(form, TASK, "measured") for form in ("float", "quantized", "micro")),
    Metric(name="test_samples", title="test samples", quantity=COUNT, basis="measured", detail=True),
    *TASK.changes,
    Metric(
        name="micro_identical",
        title="samples that TFLite Micro gives the same bytes for",
        quantity=COUNT,
        basis="measured",
        detail=True,
    ),
    Metric(
        name="inputs_beyond_range",
        title="inputs beyond the range",
        quantity=SHARE,
        basis="measured",
        detail=True,
    ),
)

STAGE = Stage(
    name="accuracy",
    summary="accuracy over the whole test set: float, quantized, and with TensorFlow Lite Micro",
    config=Config,
    make=make,
    metrics=METRICS,
    needs=("dataset", "unrolled", "quantized"),
    tools=("ai-edge-litert", "tflite-micro", "numpy"),
)
