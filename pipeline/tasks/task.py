"""The seam between what a network learns and everything else: a task knows its loss, its data, its scores and words."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec

from pipeline.metrics import SCORES, Basis, Metric

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from pipeline.data.arrays import DataSet
    from pipeline.tflite.quantization import Quantization

    Outputs = npt.NDArray[Any]
    """(samples, width), or (samples, time steps, width): what a model returned, as it stores it."""
    Answers = npt.NDArray[Any]
    """(samples, ...): what a user reads in that, such as a class number."""
    Marked = npt.NDArray[np.bool_]
    """(samples,): which are meant."""

TITLES: Mapping[str, str] = {
    "float": "float",
    "quantized": "quantized",
    "micro": "TFLite Micro",
    "compiled": "compiled",
}
"""The forms of a model that are scored, from the trained network to what runs on the NPU, and what they are called."""


class Judged(NamedTuple):
    """What two forms of a model made of the test set; the arrays have one entry for each sample."""

    targets: "Answers"
    in_float: "Answers"
    quantized: "Answers"


class Task(Protocol):
    """What is learned, and how well."""

    name: str
    loss: str
    """What Keras calls the loss; it takes targets as the data set holds them."""
    distilled_loss: str
    """Of targets that are mixed with a teacher's outputs."""
    headline: Metric
    """The score by which models are compared and budgets are kept, as one form of a model has it."""
    changes: tuple[Metric, ...]
    """What quantizing changed in the answers."""

    def check_targets(self, targets: "npt.NDArray[Any]", samples: int, what: str, *, learned: bool) -> None:
        """Refuse targets of a user's that can't be learned, or only scored; raises a DataError that says what to do."""

    def check(self, data: "DataSet", source: str) -> None:
        """Refuse a data set from which nothing can be learned; raises a DataError that says why."""

    def answers(self, outputs: "Outputs", quantization: "Quantization | None" = None) -> "Answers":
        """Return what a user reads in outputs; ``quantization`` is that of integers, None for real numbers."""

    def distilled(self, targets: "Answers", teacher: "Outputs", share: float) -> "Outputs":
        """Return targets of which a share is what a trained network says; ``teacher`` is its float32 outputs."""

    def scores(self, targets: "Answers", answers: "Mapping[str, Answers]") -> dict[str, dict[str, Any]]:
        """Return the scores of some forms of a model by form, of JSON types; the headline is among them by its name."""

    def differ(self, answers: "Answers", other: "Answers") -> "Marked":
        """Tell of which samples two forms give answers that a user would call different."""

    def changed(self, judged: Judged) -> dict[str, Any]:
        """Return the metrics of ``changes``."""

    def degraded(self, judged: Judged) -> tuple[float, str] | None:
        """Return what quantizing cost beyond chance, as a share, and what suffers most; None where it did not."""

    def save(self, judged: Judged, folder: Path) -> None:
        """Write what a user may want to look at beside the numbers."""


def scored(form: str, task: Task, basis: Basis) -> Metric:
    """Return the metric that holds the headline of one form of a model; budgets are those of the quantized one."""
    headline = task.headline
    return msgspec.structs.replace(
        headline,
        name=f"{SCORES}.{form}.{headline.name}",
        basis=basis,
        budget=headline.budget if form == "quantized" else None,
    )
