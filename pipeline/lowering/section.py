"""``[deployment]``."""

from typing import Annotated, Literal

from msgspec import Meta

from pipeline.section import Section


class Deployment(Section, frozen=True):
    """The graph that runs on the board."""

    graph: Annotated[
        Literal["tied", "keras"],
        Meta(description="plain operations with one scale for each role, or Keras' unrolled layer as in Arm's guide"),
    ] = "tied"
    state: Annotated[
        bool, Meta(description="take the state before the first step as an input, return it after the last one")
    ] = False
    steps_per_inference: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(
            description="with `state`: time steps, of `rows_per_step` rows each, of one inference; must divide the"
            " sequence, which is the default"
        ),
    ] = None

    def problem(self) -> str | None:
        """Refuse pieces of a sequence without a state to hand on."""
        if self.steps_per_inference is not None and not self.state:
            return (
                f"deployment.steps_per_inference = {self.steps_per_inference}: without a state, an inference takes the"
                " whole sequence; set deployment.state = true, or remove the key"
            )
        return None
