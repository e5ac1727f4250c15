"""``[quantization]``."""

from typing import Annotated, Literal

from msgspec import Meta

from pipeline.section import Section


class Quantization(Section, frozen=True):
    """Full-integer post-training quantization: int8 weights, integers in and out."""

    activations: Annotated[Literal["int8", "int16"], Meta(description="what activations and states are stored in")] = (
        "int8"
    )
    representative_samples: Annotated[
        int,
        Meta(ge=1, description="training samples that show which ranges the activations have, chosen in the same way"),
    ] = 100
    ranges: Annotated[
        Literal["mse", "min_max", "percentile"],
        Meta(
            description="`tied`: the range with the least squared error, all that was seen, or the share `percentile`"
        ),
    ] = "mse"
    percentile: Annotated[
        float, Meta(gt=50, lt=100, description="of what was seen, so many percent are within the range")
    ] = 99.9
