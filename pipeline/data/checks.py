"""What arrays of the user's must be to become a data set; the sentence says which is not, how, and what to do."""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from pipeline.data.arrays import DataError, DataSet


class Learner(Protocol):
    """What is to be learned of a data set, as far as its arrays are concerned: a task."""

    def check_targets(self, targets: npt.NDArray[Any], samples: int, what: str, *, learned: bool) -> None:
        """Refuse targets that can't be learned, or not be scored."""

    def check(self, data: DataSet, source: str) -> None:
        """Refuse a data set from which nothing can be learned."""


def checked(arrays: dict[str, npt.NDArray[Any]], source: str, learner: Learner) -> DataSet:
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
        samples, what = len(arrays[f"x_{part}"]), f"{source}: y_{part}"
        learner.check_targets(arrays[f"y_{part}"], samples, what, learned=part == "train")
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
    learner.check(data, source)
    return data


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
