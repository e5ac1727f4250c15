"""What quantizing did to the model: classes, confusion, and the result before."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.engine.results.record import Record
from pipeline.engine.results.store import Store
from pipeline.metrics import SCORES
from pipeline.tasks.classification import BY_CLASS, CONFUSION
from pipeline.views import accuracies
from pipeline.views.accuracies import FLOAT, QUANTIZED
from tui.data.artefacts import read_json


def by_class(record: Record) -> dict[str, list[float | None]]:
    """Return the share of each class that was recognised (recall), by the name of the form: float, and quantized."""
    scores = record.metrics.get(SCORES) or {}
    return {
        accuracies.name_of(form, record.metrics): list(scores[form][BY_CLASS])
        for form in (FLOAT, QUANTIZED)
        if scores.get(form) and BY_CLASS in scores[form]
    }


Confusion = Sequence[Sequence[int]]
"""Counts of samples by label (row) and prediction (column)."""


def read_confusions(folder: Path) -> dict[str, Confusion]:
    """Read the confusion matrix of each rung.

    Raises:
        UnreadableError: the file is missing or damaged.

    """
    confusions: dict[str, Confusion] = read_json(folder / CONFUSION, dict[str, list[list[int]]])
    return confusions


def mistaken_most(confusion: Confusion, most: int) -> list[tuple[int, int, int]]:
    """Return (label, prediction, samples) of the commonest mistakes, the commonest first."""
    mistakes = [
        (label, predicted, samples)
        for label, row in enumerate(confusion)
        for predicted, samples in enumerate(row)
        if label != predicted and samples
    ]
    return sorted(mistakes, key=lambda mistake: -mistake[2])[:most]


def previous(store: Store, current: Record) -> Record | None:
    """Return the accuracy of the build before, of the same experiment, if the store still has it."""
    earlier = [record for record in store.records() if _is_before(record, current)]
    return max(earlier, key=lambda record: record.finished, default=None)


def _is_before(record: Record, current: Record) -> bool:
    same = record.stage == current.stage and record.experiment == current.experiment and record.target == current.target
    return same and record.key != current.key and record.finished < current.finished
