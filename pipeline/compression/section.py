"""``[compress]``."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from pipeline.section import Section


class Compress(Section, frozen=True):
    """Weights that take few bytes and, where the NPU waits for them, few cycles; without it, they stay as they are."""

    clusters: Annotated[
        Annotated[int, Meta(ge=4, le=32)] | None,
        Meta(description="at most so many values in a whole matrix, as int8 codes; 0 is one of them with `sparsity`"),
    ] = None
    sparsity: Annotated[
        Annotated[float, Meta(gt=0, lt=1)] | None,
        Meta(description="share of the weights of a matrix that are 0: those with the least magnitude"),
    ] = None
    matrices: Annotated[
        list[Literal["recurrent", "input", "dense"]],
        Meta(
            min_length=1,
            description="which: what multiplies the state (read at every step), the input, and of all dense layers",
        ),
    ] = msgspec.field(default_factory=lambda: ["recurrent"])
    fine_tune_epochs: Annotated[int, Meta(ge=1, description="passes over the training samples")] = 1
    learning_rate: Annotated[
        float, Meta(gt=0, le=10, description="Adam's at its peak; schedule, batch size and seed are of `[training]`")
    ] = 3e-3

    def problem(self) -> str | None:
        """Refuse a section that asks for nothing, or for a kind twice."""
        if self.clusters is None and self.sparsity is None:
            return (
                "[compress] asks for nothing: set compress.clusters (16 shared values), compress.sparsity (0.9 of the"
                " weights 0) or both, or remove the section"
            )
        if len(set(self.matrices)) < len(self.matrices):
            return f"compress.matrices = {self.matrices!r}: name each kind once"
        return None
