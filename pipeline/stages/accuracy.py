"""The accuracy stage: what quantizing did to the model, over the whole test set."""

import msgspec

from pipeline.stage import Found, Stage, Work


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """It reads nothing of the experiment but what others made of it."""


def make(work: Work[Config]) -> Found:
    """Run the float and the quantized deployment graph on every test sample; see ``scoring``."""
    from pipeline.tasks import scoring

    return scoring.score(work)


STAGE = Stage(
    name="accuracy",
    summary="accuracy over the whole test set: float, quantized, and with TensorFlow Lite Micro",
    config=Config,
    make=make,
    needs=("dataset", "unrolled", "quantized"),
    tools=("ai-edge-litert", "tflite-micro", "numpy"),
)
