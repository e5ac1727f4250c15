"""What quantizing did to the model: classes, confusion, and the result before."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from pipeline import store
from pipeline.errors import UnrollError
from pipeline.record import Record

_ENDING = "_accuracy_by_class"


class UnreadableError(UnrollError):
    """An artefact that is missing or damaged; the sentence names it."""


def by_class(record: Record) -> dict[str, list[float | None]]:
    """Return the share of each class that was found (recall), for each rung."""
    return {name.removesuffix(_ENDING): list(value) for name, value in record.metrics.items() if name.endswith(_ENDING)}


Matrix = Sequence[Sequence[int]]
"""Counts of samples by label (row) and prediction (column)."""


def confusion(folder: Path) -> dict[str, Matrix]:
    """Read the confusion matrix of each rung.

    Raises:
        UnreadableError: the file is missing or damaged.

    """
    matrices: dict[str, Matrix] = read_json(folder / "confusion.json", dict[str, list[list[int]]])
    return matrices


def read_json(path: Path, kind: Any) -> Any:
    """Read an artefact that must have a certain form.

    Raises:
        UnreadableError: it is missing, truncated or of another form.

    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        message = f"{path} can't be read: {error.strerror}"
    except (msgspec.MsgspecError, UnicodeDecodeError):
        message = f"{path} is truncated or not ours"
    raise UnreadableError(message)


def mistaken_most(matrix: Matrix, most: int) -> list[tuple[int, int, int]]:
    """Return (label, prediction, samples) of the commonest mistakes, the commonest first."""
    wrong = [
        (label, predicted, samples)
        for label, row in enumerate(matrix)
        for predicted, samples in enumerate(row)
        if label != predicted and samples
    ]
    return sorted(wrong, key=lambda found: -found[2])[:most]


def previous(current: Record) -> Record | None:
    """Return the accuracy that was found before, of the same experiment, if the store still has it."""
    found = [record for record in store.records() if _is_before(record, current)]
    return max(found, key=lambda record: record.finished, default=None)


def _is_before(record: Record, current: Record) -> bool:
    same = record.stage == current.stage and record.experiment == current.experiment and record.target == current.target
    return same and record.key != current.key and record.finished < current.finished
