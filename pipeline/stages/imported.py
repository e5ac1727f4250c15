"""The quantized stage of a model that was made elsewhere: the user's file, after a look at what is inside."""

from pathlib import Path

import msgspec

from pipeline.frontends.section import ImportedModel
from pipeline.stage import Found, Stage, Work

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
    accuracies = ("float_accuracy", f"{metrics['activations']}_accuracy")
    return Found(
        metrics={**metrics, **dict.fromkeys(accuracies)},
        unavailable=dict.fromkeys(accuracies, WHY_NO_ACCURACY),
        basis={"model_bytes": "measured"},
        warnings=warnings,
    )


STAGE = Stage(
    name="quantized",
    summary="take a model that was made elsewhere, after a look at what is inside",
    config=Config,
    make=make,
    tools=("ai-edge-litert", "flatbuffers"),
)
