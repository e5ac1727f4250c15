"""What class labels of the user's must be; the sentence says which are not, how, and what to do."""

from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.data.advice import RENUMBER
from pipeline.data.arrays import DataError, DataSet, missing, named


def check(y: npt.NDArray[Any], samples: int, what: str, *, learned: bool) -> None:
    """Refuse labels that are no class numbers, one for each sample.

    Raises:
        DataError: says what is wrong, and what makes class numbers of it.

    """
    if not isinstance(y, np.ndarray | np.generic):
        message = f"{what} is no array; write it with numpy.savez"
    elif y.shape != (samples,):
        message = f"{what} has shape {y.shape}; it must be ({samples},), one class number per sample of x"
        message += _flattened(y, samples)
    elif y.dtype.kind in "US":
        message = f"{what} is text ({y.dtype}); {RENUMBER}"
    elif y.dtype.kind not in "iu":
        message = f"{what} is {y.dtype}; save whole class numbers counted from 0{_as_numbers(y)}"
    elif y.min() < 0:
        message = f"{what} holds the label {y.min()}; {RENUMBER}"
    else:
        if learned:
            _check_largest(y, what)
        return
    raise DataError(message)


def _check_largest(y: npt.NDArray[Any], what: str) -> None:
    """Refuse labels of the training set that are no class numbers, or would make a huge softmax."""
    if y.max() >= max(1000, 10 * len(np.unique(y))):
        message = f"{what} holds the label {y.max()} but only {len(np.unique(y))} classes; {RENUMBER}"
        raise DataError(message)


def _flattened(y: npt.NDArray[Any], samples: int) -> str:
    """Say how to make one class number a sample of what looks like a table of them."""
    if y.shape == (samples, 1):
        return ": y.ravel()"
    one_hot = y.ndim == _ROWS_AND_COLUMNS and y.dtype.kind in "biuf" and len(y) == samples
    if one_hot and ((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all():
        return ". It is one-hot: y.argmax(axis=1)"
    return ""


_ROWS_AND_COLUMNS = 2


def _as_numbers(y: npt.NDArray[Any]) -> str:
    """Say how to make whole numbers of labels of another dtype."""
    if y.dtype.kind == "b" or (y.dtype.kind == "f" and (y == np.round(y)).all()):
        return ": y.astype(numpy.int64)"
    if y.dtype.kind == "f":
        return f". It holds {y[y != np.round(y)][0]}, which is no class"
    return ""


def check_classes(data: DataSet, source: str) -> None:
    """Refuse what can't be learned: a class that is only tested, or a single one.

    Raises:
        DataError: names the classes.

    """
    unseen = missing(data.y_train, among=data.y_test)
    if unseen:
        labels = "label" if len(unseen) == 1 else "labels"
        message = f"{source}: y_test has the {labels} {named(unseen)}, which y_train never has; train on every class"
        raise DataError(message)
    if len(np.unique(data.y_train)) == 1:
        message = (
            f"{source}: y_train has the label {data.y_train[0]} alone, so there is nothing to tell apart;"
            " save samples of two classes at least"
        )
        raise DataError(message)
