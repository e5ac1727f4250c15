"""The stages there are: what each one makes, reads and runs."""

from collections.abc import Mapping

import msgspec

from pipeline.metrics import Metric
from pipeline.stages import declared_metrics


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of result. Its function is ``make`` of ``module``."""

    name: str
    summary: str
    needs: tuple[str, ...]
    """Stages whose results it reads."""
    sections: tuple[str, ...]
    """Sections of the experiment it reads; nothing else in the file can make it stale."""
    tools: tuple[str, ...]
    """Distributions whose versions matter to the result."""
    metrics: tuple[Metric, ...] = ()
    """What it finds out, in the order in which tables show it."""
    per_target: bool = False
    """Made once for each target, and not once for the experiment."""
    on_crash: str = ""
    """What the user should know when the process dies of a segmentation fault."""
    made_by: str = ""
    """Its module in ``pipeline.stages``, where that has not the stage's name."""

    @property
    def module(self) -> str:
        """Return the module of ``pipeline.stages`` that makes it."""
        return self.made_by or self.name


_KERAS = ("tensorflow", "keras", "numpy")
STAGES: Mapping[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage(
            name="dataset",
            metrics=declared_metrics.DATASET,
            summary="get the data set, check it, normalize it to [0, 1]",
            needs=(),
            sections=("dataset",),
            tools=("numpy", "scikit-learn", "scipy"),
        ),
        Stage(
            name="weights",
            metrics=declared_metrics.WEIGHTS,
            summary="train the network with Keras",
            needs=("dataset",),
            sections=("model", "training"),
            tools=_KERAS,
        ),
        Stage(
            name="compressed",
            metrics=declared_metrics.COMPRESSED,
            summary="prune the weights or let them share values, and train on: there if the experiment has [compress]",
            needs=("dataset", "weights"),
            sections=("training", "compress"),
            tools=_KERAS,
        ),
        Stage(
            name="unrolled",
            metrics=declared_metrics.UNROLLED,
            summary="write every time step out with batch size 1, and prove that it computes the same",
            needs=("dataset", "weights"),
            sections=("deployment",),
            tools=(*_KERAS, "ai-edge-litert", "flatbuffers"),
        ),
        Stage(
            name="quantized",
            metrics=declared_metrics.QUANTIZED,
            summary="full-integer post-training quantization, with one scale for each role",
            needs=("dataset", "unrolled"),
            sections=("deployment", "quantization"),
            tools=(*_KERAS, "ai-edge-litert", "flatbuffers", "litert-quantizer"),
            on_crash=(
                "TFLiteConverter is known to crash while it calibrates a recurrent layer that is not unrolled"
                " (tensorflow issue 75140): build the deployment graph with batch size 1 and unroll=True,"
                " as the unrolled stage does."
            ),
        ),
        Stage(
            name="accuracy",
            metrics=declared_metrics.ACCURACY,
            summary="accuracy over the whole test set: float, quantized, and with TensorFlow Lite Micro",
            needs=("dataset", "unrolled", "quantized"),
            sections=(),
            tools=("ai-edge-litert", "tflite-micro", "numpy"),
        ),
        Stage(
            name="vela",
            metrics=declared_metrics.VELA,
            per_target=True,
            summary="compile for an Ethos-U with Vela; cycles, memory, operator placement",
            needs=("quantized",),
            sections=("vela",),
            tools=("ethos-u-vela",),
        ),
        Stage(
            name="verify",
            metrics=declared_metrics.VERIFY,
            per_target=True,
            summary="prove by emulation that the compiled file computes what the quantized model does",
            needs=("dataset", "quantized", "accuracy", "vela"),
            sections=("vela", "verify"),
            tools=("ai-edge-litert", "ethos-u-vela", "numpy", "flatbuffers"),
        ),
    )
}
"""Every stage by name, in an order in which they can be built."""

IMPORTED: Mapping[str, Stage] = {
    "quantized": Stage(
        name="quantized",
        metrics=declared_metrics.IMPORTED,
        summary="take a model that was made elsewhere, after a look at what is inside",
        needs=(),
        sections=("model",),
        tools=("ai-edge-litert", "flatbuffers"),
        made_by="imported",
    ),
    "vela": STAGES["vela"],
    "verify": Stage(
        name="verify",
        metrics=declared_metrics.SAMPLES,
        per_target=True,
        summary="prove by emulation, on random inputs, that the compiled file computes what the model does",
        needs=("quantized", "vela"),
        sections=("vela", "verify"),
        tools=("ai-edge-litert", "ethos-u-vela", "numpy", "flatbuffers", "tflite-micro"),
        made_by="verify_imported",
    ),
}
"""The stages of a model that was made elsewhere: what reads ``quantized`` does not see the difference."""

COMPRESSED = "compressed"
"""The stage that only an experiment with ``[compress]`` has."""
