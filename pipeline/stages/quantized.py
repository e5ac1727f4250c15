"""The quantized stage: full-integer post-training quantization, and what may not be left inside."""

import msgspec

from pipeline.lowering.section import Deployment
from pipeline.metrics import Metric
from pipeline.quantization.section import Quantization
from pipeline.stage import Found, Stage, Work
from pipeline.text.quantities import COUNT, SHARE, SIZE


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What it reads of the experiment."""

    deployment: Deployment
    quantization: Quantization


def make(work: Work[Config]) -> Found:
    """Quantize the deployment graph: tied, with a scale for each role, or as Arm's guide does.

    Raises:
        QuantizationError: too few samples, a scale of 0, infinity or NaN, a float tensor left, or a compressed
            matrix that is not in the file as it was trained.
        RangeError: a tensor without a role, or a role without a range.

    """
    from pipeline.data import arrays
    from pipeline.quantization import checks, quantize, representative

    settings = work.config.quantization
    x_train, y_train = arrays.load_part(work.inputs["dataset"], "train")
    samples, warnings = representative.choose(x_train, y_train, settings.representative_samples)
    of_roles, more_warnings = quantize.quantize(
        work.inputs["unrolled"], samples, work.config.deployment.graph, settings, work
    )
    checks.check_codes(work.into / quantize.MODEL, work.inputs["network"])
    return Found(
        metrics={
            "activations": settings.activations,
            "representative_samples": len(samples),
            **quantize.described(work.into / quantize.MODEL),
            **of_roles,
        },
        basis={"model_bytes": "measured", "weakest_role_noise": "measured"},
        warnings=[*warnings, *more_warnings],
    )


METRICS = (
    Metric(name="model_bytes", title="quantized model", quantity=SIZE, basis="measured", detail=True),
    Metric(
        name="representative_samples", title="representative samples", quantity=COUNT, basis="measured", detail=True
    ),
    Metric(name="tensors", title="tensors", quantity=COUNT, basis="measured", detail=True),
    Metric(name="roles", title="roles", quantity=COUNT, basis="measured", detail=True),
    Metric(name="weakest_role_noise", title="weakest role's noise", quantity=SHARE, basis="measured", detail=True),
)

STAGE = Stage(
    name="quantized",
    summary="full-integer post-training quantization, with one scale for each role",
    config=Config,
    make=make,
    metrics=METRICS,
    needs=("dataset", "network", "unrolled"),
    tools=("tensorflow", "keras", "numpy", "ai-edge-litert", "flatbuffers", "litert-quantizer"),
    on_crash=(
        "TFLiteConverter is known to crash while it calibrates a recurrent layer that is not unrolled"
        " (tensorflow issue 75140): build the deployment graph with batch size 1 and unroll=True,"
        " as the unrolled stage does."
    ),
)
