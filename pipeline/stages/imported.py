"""The quantized stage of a model that was made elsewhere: the user's file, after a look at what is inside."""

from pathlib import Path

import msgspec

from pipeline.frontends.section import ImportedModel
from pipeline.metrics import SCORES, Metric, nulls
from pipeline.stage import Found, Stage, Work
from pipeline.text.quantities import COUNT, SIZE

WHY_NO_ACCURACY = "the model was made elsewhere, so there is no test set"


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What it reads of the experiment."""

    model: ImportedModel


def make(work: Work[Config]) -> Found:
    """Take the file as it is, if Vela can make something of it.

    Raises:
        ImportedError: it can't be read, is truncated or something else, was compiled already, holds no operator, is
            not quantized, or has a scale of 0, infinity or NaN.

    """
    from pipeline.frontends import tflite

    metrics, warnings = tflite.take(Path(work.config.model.tflite), work.into)
    scores = [f"{SCORES}.{form}" for form in ("float", "quantized")]
    return Found(
        metrics={**metrics, **nulls(scores)},
        unavailable=dict.fromkeys(scores, WHY_NO_ACCURACY),
        basis={"model_bytes": "measured"},
        warnings=warnings,
    )


METRICS = (
    Metric(name="model_bytes", title="quantized model", quantity=SIZE, basis="measured", detail=True),
    Metric(name="subgraphs", title="subgraphs", quantity=COUNT, basis="measured", detail=True),
    Metric(name="operators", title="operators", quantity=COUNT, basis="measured", detail=True),
    Metric(name="tensors", title="tensors", quantity=COUNT, basis="measured", detail=True),
)

STAGE = Stage(
    name="quantized",
    summary="take a model that was made elsewhere, after a look at what is inside",
    config=Config,
    make=make,
    metrics=METRICS,
    tools=("ai-edge-litert", "flatbuffers"),
)
