"""A data set in memory and as ``dataset.npz``, and the checks that every data set must pass."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.errors import UnrollError

FILE = "dataset.npz"
Features = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


class DataError(UnrollError):
    """Which array is wrong, how, and what to do."""


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """Sequences and their classes.

    ``x_*`` is float32 of shape (samples, time steps, features); ``y_*`` is int64 of shape
    (samples,) with classes counted from 0.
    """

    x_train: Features
    y_train: Labels
    x_test: Features
    y_test: Labels

    @property
    def classes(self) -> int:
        """Number of classes: one more than the largest label."""
        return int(max(self.y_train.max(), self.y_test.max())) + 1

    def first(self, train: int | None, test: int | None) -> "DataSet":
        """Keep only the first samples."""
        return DataSet(
            x_train=self.x_train[:train],
            y_train=self.y_train[:train],
            x_test=self.x_test[:test],
            y_test=self.y_test[:test],
        )

    def folded(self, features: int) -> "DataSet":
        """Show its sequences in time steps of so many features, see ``folded`` below."""
        return DataSet(
            x_train=folded(self.x_train, features),
            y_train=self.y_train,
            x_test=folded(self.x_test, features),
            y_test=self.y_test,
        )

    def save(self, folder: Path) -> None:
        """Write ``dataset.npz``; the same arrays give the same bytes."""
        save(folder / FILE, vars(self))


def save(file: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write an ``.npz``; the same arrays give the same bytes.

    numpy.savez asks zipfile for the 64-bit headers of archives above 2 GB always, and what zipfile
    then writes changed with Python 3.11.4: the image's Python and the host's would not agree.
    """
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.file_size = array.nbytes  # lets zipfile choose the headers
            with archive.open(entry, "w") as stream:
                np.lib.format.write_array(stream, array, allow_pickle=False)


def load(folder: Path) -> DataSet:
    """Read the result of the dataset stage."""
    with np.load(folder / FILE, allow_pickle=False) as arrays:
        return DataSet(**{name: arrays[name] for name in ("x_train", "y_train", "x_test", "y_test")})


def load_part(folder: Path, part: str) -> tuple[Features, Labels]:
    """Read only ``train`` or ``test`` of the result of the dataset stage."""
    with np.load(folder / FILE, allow_pickle=False) as arrays:
        return arrays[f"x_{part}"], arrays[f"y_{part}"]


def folded(x: Features, features: int) -> Features:
    """Show sequences as a network of that many features reads them: as many rows as it takes are one time step.

    Args:
        x: (samples, rows, features of a row), a data set's or one that is folded already.
        features: of one time step, a multiple of a row's that makes up the sequence.

    Returns:
        A view, (samples, time steps, features).

    """
    samples, rows, width = x.shape
    return x.reshape(samples, rows * width // features, features)


def checked(arrays: dict[str, npt.NDArray[Any]], source: str) -> DataSet:
    """Check arrays of the user's and bring them to the dtypes of a data set.

    Raises:
        DataError: wrong names, shapes, dtypes, values or labels; the sentence says which.

    """
    missing = [name for name in ("x_train", "y_train", "x_test", "y_test") if name not in arrays]
    if missing:
        there = ", ".join(arrays) or "no arrays"
        message = f"{source}: {missing[0]} is missing (it holds {there}); save x_train, y_train, x_test, y_test"
        raise DataError(message)
    for part in ("train", "test"):
        _check_features(arrays[f"x_{part}"], f"{source}: x_{part}")
        _check_labels(arrays[f"y_{part}"], len(arrays[f"x_{part}"]), f"{source}: y_{part}")
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
    """Refuse test samples of a class that is never trained.

    Raises:
        DataError: names the first such label.

    """
    unseen = sorted(set(data.y_test.tolist()) - set(data.y_train.tolist()))
    if unseen:
        message = f"{source}: y_test has the label {unseen[0]}, which y_train never has; train on every class"
        raise DataError(message)


_AXES = 3
"""Samples, time steps, features."""


def _check_features(x: npt.NDArray[Any], what: str) -> None:
    if x.ndim != _AXES or 0 in x.shape:
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


def _check_labels(y: npt.NDArray[Any], samples: int, what: str) -> None:
    if y.shape != (samples,):
        message = f"{what} has shape {y.shape}; it must be ({samples},), one class number per sample of x"
    elif y.dtype.kind not in "iu":
        message = f"{what} is {y.dtype}; save whole class numbers counted from 0 (not one-hot, not text)"
    elif y.min() < 0:
        message = f"{what} holds the label {y.min()}; count classes from 0"
    elif y.max() >= max(1000, 10 * len(np.unique(y))):
        message = f"{what} holds the label {y.max()} but only {len(np.unique(y))} classes; count classes from 0"
    else:
        return
    raise DataError(message)
