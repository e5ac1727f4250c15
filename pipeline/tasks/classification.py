"""One of several classes for each sample: the softmax's largest output. The only file that knows of arg max."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.metrics import Metric
from pipeline.tasks.task import Judged
from pipeline.text.quantities import COUNT, SHARE

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt

    from pipeline.data.arrays import DataSet
    from pipeline.tasks.task import Answers, Marked, Outputs
    from pipeline.tflite.quantization import Quantization

    Classes = npt.NDArray[np.int64]

BY_CLASS = "accuracy_by_class"
"""The score that lists the share of each class that was recognised (recall); None for a class without samples."""
CONFUSION = "confusion.json"
"""Rows are labels, columns predictions, for float and quantized."""
PREDICTIONS = "predictions.npz"
"""``labels``, and the class that the ``float`` and the ``quantized`` model gives, each of shape (samples,)."""
MOST_DROP = 0.02
"""Accuracy that 8 bits may cost. No network of ours that was calibrated well lost half as much."""
STANDARD_ERRORS = 3.0
"""Times the standard error of the difference that it must be, too: chance alone does that once in 700 test sets."""


class Classification:
    """The task."""

    name = "classification"
    loss = "sparse_categorical_crossentropy"
    distilled_loss = "categorical_crossentropy"
    headline = Metric(
        name="accuracy",
        title="accuracy",
        quantity=SHARE,
        basis="measured",
        better="more",
        budget="accuracy_min",
    )
    changes: tuple[Metric, ...] = (
        Metric(name="changed_predictions", title="predictions changed", quantity=COUNT, basis="measured", detail=True),
        Metric(name="changed_to_wrong", title="changed to wrong", quantity=COUNT, basis="measured", detail=True),
        Metric(name="changed_to_right", title="changed to right", quantity=COUNT, basis="measured", detail=True),
        Metric(name="agreement", title="agreement", quantity=SHARE, basis="measured", detail=True),
    )

    def check_targets(self, targets: "npt.NDArray[Any]", samples: int, what: str, *, learned: bool) -> None:
        """Refuse labels that are no class numbers, one for each sample.

        Raises:
            DataError: says which array, and what makes class numbers of it.

        """
        from pipeline.tasks import labels  # noqa: PLC0415 - the declaration is light to import

        labels.check(targets, samples, what, learned=learned)

    def check(self, data: "DataSet", source: str) -> None:
        """Refuse what can't be learned: a class that is only tested, or a single one.

        Raises:
            DataError: names the classes.

        """
        from pipeline.tasks import labels  # noqa: PLC0415 - as above

        labels.check_classes(data, source)

    def answers(self, outputs: "Outputs", quantization: "Quantization | None" = None) -> "Classes":
        """Return the class with the largest output; integers have the order of what they stand for."""
        del quantization
        classes: Classes = outputs.argmax(axis=-1)
        return classes

    def distilled(self, targets: "Answers", teacher: "Outputs", share: float) -> "Outputs":
        """Return probabilities, (samples, classes): one-hot labels mixed with those of the teacher."""
        import numpy as np  # noqa: PLC0415 - as above

        labels = np.eye(teacher.shape[-1], dtype=np.float32)[targets]
        mixed: Outputs = labels + share * (teacher - labels)
        return mixed

    def scores(self, targets: "Answers", answers: "Mapping[str, Answers]") -> dict[str, dict[str, Any]]:
        """Return accuracy and recall by class; every form has as many classes, whichever it predicts."""
        classes = _classes(targets, *answers.values())
        return {
            form: {
                self.headline.name: float((predicted == targets).mean()),
                BY_CLASS: by_class(targets, predicted, classes),
            }
            for form, predicted in answers.items()
        }

    def differ(self, answers: "Answers", other: "Answers") -> "Marked":
        """Tell of which samples the classes differ."""
        differ: Marked = answers != other
        return differ

    def changed(self, judged: Judged) -> dict[str, Any]:
        """Count the predictions that quantizing changed."""
        targets, in_float, quantized = judged
        changed = self.differ(in_float, quantized)
        return {
            "changed_predictions": int(changed.sum()),
            "changed_to_wrong": int((changed & (in_float == targets)).sum()),
            "changed_to_right": int((changed & (quantized == targets)).sum()),
            "agreement": float((~changed).mean()),
        }

    def degraded(self, judged: Judged) -> tuple[float, str] | None:
        """Compare accuracies by McNemar's test of pairs; the class that suffers most is named."""
        targets, in_float, quantized = judged
        drop = float((in_float == targets).mean() - (quantized == targets).mean())
        changed = (in_float == targets) != (quantized == targets)
        standard_error = math.sqrt(changed.sum()) / len(targets)
        if not (drop > MOST_DROP and drop > STANDARD_ERRORS * standard_error):
            return None
        return drop, _worst_class(judged)

    def save(self, judged: Judged, folder: Path) -> None:
        """Write ``predictions.npz`` and ``confusion.json``."""
        from pipeline import array_file  # noqa: PLC0415 - as above

        targets, in_float, quantized = judged
        array_file.save(folder / PREDICTIONS, {"labels": targets, "float": in_float, "quantized": quantized})
        classes = _classes(*judged)
        matrices = {
            "float": confusion(targets, in_float, classes).tolist(),
            "quantized": confusion(targets, quantized, classes).tolist(),
        }
        (folder / CONFUSION).write_text(json.dumps(matrices, indent=1), encoding="utf-8")


CLASSIFICATION = Classification()


def by_class(labels: "Classes", predicted: "Classes", classes: int | None = None) -> list[float | None]:
    """Return the share of each class that was recognised (recall); None for a class without samples."""
    return [
        float((predicted[labels == label] == label).mean()) if (labels == label).any() else None
        for label in range(classes or _classes(labels, predicted))
    ]


def confusion(labels: "Classes", predicted: "Classes", classes: int | None = None) -> "npt.NDArray[np.int64]":
    """Count samples by label (row) and prediction (column)."""
    import numpy as np  # noqa: PLC0415 - as above

    classes = classes or _classes(labels, predicted)
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (labels, predicted), 1)
    return matrix


def _classes(*seen: "Classes") -> int:
    return int(max(classes.max() for classes in seen)) + 1


def _worst_class(judged: Judged) -> str:
    labels, in_float, quantized = judged
    recalls: dict[int, tuple[float, float]] = {}
    for label in sorted(set(labels.tolist())):
        of_class = labels == label
        recalls[label] = (
            float((in_float[of_class] == label).mean()),
            float((quantized[of_class] == label).mean()),
        )
    worst = max(recalls, key=lambda label: recalls[label][0] - recalls[label][1])
    before, after = recalls[worst]
    never = "" if (quantized == worst).any() else ", for it is never predicted"
    return f"class {worst} suffers most: {100 * before:.1f} % -> {100 * after:.1f} %{never}"
