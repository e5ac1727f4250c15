"""``[training]``."""

from typing import Annotated, Literal

from msgspec import Meta

from pipeline.section import Section


class Training(Section, frozen=True):
    """How the weights are trained: Adam on the sparse categorical cross-entropy."""

    epochs: Annotated[int, Meta(ge=1, description="passes over the training samples")] = 1
    batch_size: Annotated[int, Meta(ge=1, description="samples per training step")] = 64
    learning_rate: Annotated[float, Meta(gt=0, le=10, description="Adam's learning rate at its peak")] = 3e-3
    schedule: Annotated[
        Literal["warmup_cosine", "constant"],
        Meta(description="linear warm-up then cosine decay to 0, or the same rate throughout"),
    ] = "warmup_cosine"
    warmup: Annotated[float, Meta(ge=0, lt=1, description="share of all training steps spent warming up")] = 0.1
    clip_norm: Annotated[float, Meta(ge=0, le=1e6, description="clip each gradient to this norm; 0 does not")] = 1.0
    seed: Annotated[int, Meta(ge=0, lt=2**32, description="seeds initial weights and the shuffling")] = 0
