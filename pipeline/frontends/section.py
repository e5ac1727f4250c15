"""``[model]``: a table for each thing that a network may come from."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from pipeline.section import Section


class Model(Section, frozen=True):
    """Recurrent layers, dense layers, and a softmax over the classes of the data set."""

    cell: Annotated[Literal["gru", "lstm", "simple_rnn"], Meta(description="the recurrent cell")]
    units: Annotated[int, Meta(ge=1, le=4096, description="width of the hidden state")]
    layers: Annotated[int, Meta(ge=1, le=8, description="recurrent layers, one upon the other")] = 1
    dense: Annotated[
        list[Annotated[int, Meta(ge=1, le=4096)]],
        Meta(max_length=8, description="widths of the dense layers (ReLU) between the last one and the softmax"),
    ] = msgspec.field(default_factory=list)
    activation: Annotated[
        Literal["tanh"], Meta(description="of candidate and state: Keras' default, which the NPU computes by a table")
    ] = "tanh"
    recurrent_activation: Annotated[
        Literal["sigmoid"], Meta(description="of the gates: Keras' default, which the NPU computes by a table")
    ] = "sigmoid"
    reset_after: Annotated[
        bool, Meta(description="`gru`: the reset gate multiplies the recurrent product (Keras' default), not the state")
    ] = True
    rows_per_step: Annotated[
        int,
        Meta(
            ge=1,
            description="rows of the data set that make one time step: 4 fold 28 x 28 to 7 x 112; must divide the rows",
        ),
    ] = 1
    LATER: ClassVar[Mapping[str, Any]] = {"rows_per_step": 1}

    def problem(self) -> str | None:
        """Refuse a reset gate's option where there is no reset gate."""
        if self.cell != "gru" and not self.reset_after:
            return "model.reset_after = false: only a gru has a reset gate; remove the key"
        return None


class ImportedModel(Section, frozen=True):
    """In place of all that, a quantized model that was made elsewhere; what it costs is computed, and verified."""

    tflite: Annotated[str, Meta(min_length=1, description="the file, as a converter wrote it and not yet compiled")]
    PATHS: ClassVar[frozenset[str]] = frozenset({"tflite"})

    def own_files(self) -> Mapping[str, str]:
        """Return the file, whatever it is called."""
        return {"model.tflite": "tflite"}
