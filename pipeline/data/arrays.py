"""A data set in memory and as ``dataset.npz``, and which of its samples stand for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline import array_file
from pipeline.errors import UnrollError

FILE = "dataset.npz"
SEED = 20_261_128
"""Of the samples that stand for all: the same ones everywhere and every time."""
MOST_NAMED = 5
"""Classes that a sentence names before it counts the rest."""
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

    def kept(self, train: int | None, test: int | None) -> "DataSet":
        """Keep only so many samples of each part, spread over it; all of them where there is no number."""
        of_train, of_test = spread(self.y_train, train), spread(self.y_test, test)
        return DataSet(
            x_train=self.x_train[of_train],
            y_train=self.y_train[of_train],
            x_test=self.x_test[of_test],
            y_test=self.y_test[of_test],
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
        array_file.save(folder / FILE, vars(self))


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


def spread(labels: Labels, count: int | None) -> npt.NDArray[np.int64]:
    """Choose so many samples that stand for a whole set, however it is sorted.

    Each class has its share of them, and one at least where there are as many as classes (else the largest classes
    have one each). Within a class they come from all over the set: one at random of each of so many equal parts, so
    that neither an order nor a period of the set shows in them.

    Args:
        labels: (samples,), the class of each.
        count: how many; all of them if None, or if there are no more.

    Returns:
        Their numbers, in ascending order: the same ones for the same labels.

    """
    if count is None or count >= len(labels):
        return np.arange(len(labels))
    by_class = np.argsort(labels, kind="stable")
    _, starts, sizes = np.unique(labels[by_class], return_index=True, return_counts=True)
    random = np.random.default_rng(SEED)
    chosen = [
        by_class[start + _one_of_each_part(size, share, random)]
        for start, size, share in zip(starts, sizes, _shares(sizes, count), strict=True)
    ]
    return np.sort(np.concatenate(chosen))


def _shares(sizes: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """Divide a number among classes by their sizes (Sainte-Lague's method), each before any has a second one."""
    classes = np.repeat(np.arange(len(sizes)), sizes)
    places = np.concatenate([np.arange(size) for size in sizes])
    order = np.lexsort((classes, -sizes[classes] / (2 * places + 1), places > 0))
    return np.bincount(classes[order[:count]], minlength=len(sizes))


def _one_of_each_part(size: int, parts: int, random: np.random.Generator) -> npt.NDArray[np.int64]:
    """Divide 0 to size - 1 into equal parts, and take one number of each."""
    edges = np.arange(parts + 1) * size // max(parts, 1)
    return random.integers(edges[:-1], edges[1:])


def missing(chosen: Labels, among: Labels) -> list[int]:
    """Return the classes of some labels that others have none of."""
    return [int(label) for label in np.setdiff1d(among, chosen)]


def named(classes: Sequence[int]) -> str:
    """Name the first of some classes, and count the rest: ``1, 3, 4, 5, 6 and 30 more``."""
    rest = f" and {len(classes) - MOST_NAMED:,} more" if len(classes) > MOST_NAMED else ""
    return ", ".join(str(label) for label in classes[:MOST_NAMED]) + rest
