"""What arrays of the user's must be to become a data set; the sentence says which is not, how, and what to do."""

from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.data.arrays import DataError, DataSet, missing, named


def checked(arrays: dict[str, npt.NDArray[Any]], source: str) -> DataSet:
    """Check arrays of the user's and bring them to the dtypes of a data set.

    Raises:
        DataError: wrong names, shapes, dtypes, values or labels; the sentence says which.

    """
    absent = [name for name in ("x_train", "y_train", "x_test", "y_test") if name not in arrays]
    if absent:
        there = ", ".join(arrays) or "no arrays"
        message = f"{source}: {absent[0]} is missing (it holds {there}); save x_train, y_train, x_test, y_test"
        raise DataError(message)
    for part in ("train", "test"):
        _check_features(arrays[f"x_{part}"], f"{source}: x_{part}")
        _check_labels(arrays[f"y_{part}"], len(arrays[f"x_{part}"]), f"{source}: y_{part}")
    _check_largest(arrays["y_train"], f"{source}: y_train")
    if arrays["x_train"].shape[1:] != arrays["x_test"].shape[1:]:
        message = (
            f"{source}: x_train has samples of shape {arrays['x_train'].shape[1:]} and x_test of"
            f" {arrays['x_test'].shape[1:]}; both must be (time steps, features) of the same size"
        )
        raise DataError(message)
    data = DataSet(
        x_train=arrays["x_train"].astype(np.float32),
        y_train=arrays["y_train"].astype(np.int64),
        x_test=arrays["x_test"].astype(np.float32),
        y_test=arrays["y_test"].astype(np.int64),
    )
    check_classes(data, source)
    return data


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


_AXES = 3
"""Samples, time steps, features."""


def _check_features(x: npt.NDArray[Any], what: str) -> None:
    if not isinstance(x, np.ndarray | np.generic):
        message = f"{what} is no array; write it with numpy.savez"
    elif x.ndim != _AXES or 0 in x.shape:
        message = f"{what} has shape {x.shape}; it must be (samples, time steps, features), none of them 0"
    elif x.dtype.kind != "f":
        message = f"{what} is {x.dtype}; save floating-point numbers, scaled to about [0, 1] or [-1, 1]"
    elif not _fits_float32(x).all():
        where = tuple(int(index) for index in np.argwhere(~_fits_float32(x))[0])
        message = f"{what} holds {x[where]} at {where}; remove or replace NaN and infinity, and what float32 can't hold"
    else:
        return
    raise DataError(message)


def _fits_float32(x: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    fits: npt.NDArray[np.bool_] = np.abs(x) <= np.finfo(np.float32).max  # false for NaN, too
    return fits


RENUMBER = (
    "number them from 0: classes = numpy.unique(y_train), then numpy.searchsorted(classes, y_train), y_test likewise"
)
"""What makes class numbers of any labels."""


def _check_labels(y: npt.NDArray[Any], samples: int, what: str) -> None:
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
