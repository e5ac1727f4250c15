"""Warnings of data that can be trained on, but may not give what was meant; each says what to do."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.data.arrays import DataSet, Features, Labels, missing, named

RENUMBER = (
    "number them from 0: classes = numpy.unique(y_train), then numpy.searchsorted(classes, y_train), y_test likewise"
)
"""What makes class numbers of any labels."""
LARGE = 4.0
"""Root mean square of most features. A GRU that found 99 % at 0.7 found 78 % at 2.8, 55 % at 5, 30 % at 11."""
LARGE_ALONE = 50.0
"""The same of one feature among small ones: less harmful, if it tells of the class (94 % at 71)."""
OFFSET = 5.0
"""Mean by standard deviation of most features. The same GRU found 93 % at 4, 34 % at 14."""
SMALL = 0.2
"""Root mean square of a whole time step. At 0.17 it found 77 %, at 0.017 a third."""
LOST_STEPS = 2.0
"""Span of a feature in 255ths of what all of them span: int8 tells three of its values apart at most."""
SHIFTED = 2.0
"""Standard deviations by which most features of the test set may lie beside those of the training set."""
STRETCHED = 4.0
"""Times that most of them may vary more, or less."""
FEW_VALUES = 0.01
"""Share of a feature's values that may be others than in training without a word."""
ALIKE = 2.0
"""How many times the features may differ in scale to be scaled by one pair of numbers."""
INT8_STEPS = 255
ROWS = 1 << 16
"""Rows that are measured together: a few megabytes."""

PerFeature = npt.NDArray[np.float64]
"""One number for each feature."""


def of_labels(data: DataSet) -> Iterator[str]:
    """Warn of classes without a sample, and of classes that are never tested."""
    labels = np.unique(data.y_train)
    absent = missing(labels, among=np.arange(data.classes))
    if absent:
        smallest = int(labels[0])
        from_one = absent == list(range(smallest))
        remedy = f"subtract {smallest} from y_train and y_test" if from_one else RENUMBER
        yield (
            f"{len(absent)} of {data.classes} classes {'has' if len(absent) == 1 else 'have'} no sample"
            f" ({named(absent)}), but a place in the softmax: {remedy}"
        )
    untested = missing(data.y_test, among=data.y_train)
    if untested:
        yield (
            f"no test sample is of class {named(untested)} ({len(untested)} of {len(labels)} classes), so nothing is"
            " known of how often that is found: test every class, or raise dataset.test_samples"
        )


def of_classes_left_out(data: DataSet, labels: Labels) -> Iterator[str]:
    """Warn of classes of a whole training set, with these labels, of which no sample was kept."""
    left_out = missing(data.y_train, among=labels)
    if left_out:
        yield (
            f"the {len(data.y_train):,} training samples that were kept have none of class {named(left_out)}"
            f" ({len(left_out)} of {len(np.unique(labels))} classes): raise dataset.train_samples"
        )


class Scale(NamedTuple):
    """How large the numbers of a data set's part are."""

    low: PerFeature
    high: PerFeature
    mean: PerFeature
    std: PerFeature

    @property
    def rms(self) -> PerFeature:
        """Return the root mean square."""
        return np.hypot(self.mean, self.std)

    def typical(self) -> str:
        """Say where most features lie."""
        mean, std = np.median(self.mean), np.median(self.std)
        return (
            f"mean {_shown(mean)}, standard deviation {_shown(std)}, {_shown(self.low.min())} to"
            f" {_shown(self.high.max())}"
        )


def measured(x: Features) -> Scale:
    """Measure every feature of (samples, time steps, features)."""
    rows = x.reshape(-1, x.shape[2])
    about = rows[0].astype(np.float64)  # squares of what lies far from 0 would lose their digits
    sums = squares = np.zeros(len(about))
    for first in range(0, len(rows), ROWS):
        part = rows[first : first + ROWS] - about
        sums = sums + part.sum(axis=0)
        squares = squares + (part**2).sum(axis=0)
    mean = sums / len(rows)
    return Scale(
        low=rows.min(axis=0).astype(np.float64),
        high=rows.max(axis=0).astype(np.float64),
        mean=about + mean,
        std=np.sqrt(np.maximum(squares / len(rows) - mean**2, 0)),
    )


def _shown(number: float) -> str:
    """Show four digits of a number, and no exponent where it is of a usual size."""
    return f"{float(f'{number:.4g}'):,.10g}"


def of_features(data: DataSet) -> Iterator[str]:
    """Warn of features that nobody scaled, that int8 loses, that are never trained, and of a test set unlike them."""
    train, test = measured(data.x_train), measured(data.x_test)
    used = train.rms > 0
    if not used.any():
        yield "x_train is 0 everywhere, so there is nothing to learn from: check how it was made"
        return
    harm = _harm(Scale(*(numbers[used] for numbers in train)))
    lost = _lost(train)
    if harm:
        yield f"x_train is not scaled ({harm}): {_remedy(train)}"
    elif lost.any():
        widest = int((train.high - train.low).argmax())
        yield (
            f"{lost.sum()} of {len(lost)} features ({named(np.flatnonzero(lost).tolist())}, counted from 0) vary so"
            f" little beside feature {widest} ({_shown(train.low[widest])} to {_shown(train.high[widest])}) that int8,"
            f" with one scale for the whole input, loses them: {_remedy(train, together=False)}"
        )
    yield from _untrained(data, train)
    yield from _test_set_otherwise(train, test)


def _lost(scale: Scale) -> npt.NDArray[np.bool_]:
    """Return which features int8 hardly tells from a constant, where it is half of them: a picture has blank edges."""
    step = (max(scale.high.max(), 0) - min(scale.low.min(), 0)) / INT8_STEPS
    varying = scale.std > 0
    lost = varying & (scale.high - scale.low < LOST_STEPS * step)
    return np.asarray(lost & (2 * lost.sum() >= varying.sum()))


def _harm(scale: Scale) -> str | None:
    """Say what keeps a network from learning, if anything: most features far from [-1, 1], or one very far."""
    varying = scale.std > 0
    if np.median(scale.rms) > LARGE:
        return f"{scale.typical()}, far beyond [-1, 1]: gates saturate, and little is learned"
    if varying.any() and np.median(np.abs(scale.mean[varying]) / scale.std[varying]) > OFFSET:
        return f"{scale.typical()}: what varies is small beside its mean, and little is learned"
    if np.sqrt((scale.rms**2).sum()) < SMALL:
        return f"{scale.typical()}, close to 0: it learns slowly"
    if scale.rms.max() > LARGE_ALONE:
        return f"a feature has a root mean square of {_shown(scale.rms.max())}, the others less: gates saturate"
    return None


def _remedy(scale: Scale, *, together: bool = True) -> str:
    """Say how to scale, in numbers: all features ``together``, if they are alike."""
    varying = scale.std > 0
    if not varying.any():
        return "check how it was made, for no feature varies"
    mean, std, high = scale.mean[varying], scale.std[varying], scale.high[varying]
    if together and scale.low.min() == 0 and high.max() < ALIKE * np.median(high):
        return f"divide x_train and x_test by {_shown(high.max())}"
    alike = std.max() < ALIKE * std.min() and (np.abs(mean - np.median(mean)) < np.median(std)).all()
    if together and alike:
        return f"subtract {_shown(np.median(mean))} from x_train and x_test, then divide by {_shown(np.median(std))}"
    first = int(scale.rms.argmax())
    of_first = f"feature {first}: subtract {_shown(scale.mean[first])}, divide by {_shown(scale.std[first] or 1)}"
    return (
        "subtract x_train.mean((0, 1)) from x_train and x_test, then divide by x_train.std((0, 1)), or by 1 where that"
        f" is 0 ({of_first})"
    )


def _untrained(data: DataSet, train: Scale) -> Iterator[str]:
    """Warn of features that are always the same in training, and not so in the test set."""
    constant = train.low == train.high
    if constant.any():
        others = (data.x_test != train.low.astype(np.float32)).mean(axis=(0, 1))
        untrained = np.flatnonzero(constant & (others > FEW_VALUES)).tolist()
        if untrained:
            yield (
                f"feature {named(untrained)} (counted from 0) never varies in x_train, and does in x_test: what the"
                " network makes of it was never trained; check how x_train was made"
            )


def _test_set_otherwise(train: Scale, test: Scale) -> Iterator[str]:
    """Warn of a test set that is not scaled as the training set is."""
    varying = train.std > 0
    if not varying.any():
        return
    shift = np.median(np.abs(test.mean - train.mean)[varying] / train.std[varying])
    stretch = np.median(test.std[varying] / train.std[varying])
    if shift > SHIFTED or not 1 / STRETCHED <= stretch <= STRETCHED:
        yield (
            f"x_test is not scaled as x_train is ({test.typical()}; x_train: {train.typical()}): subtract and divide by"
            " the same numbers, those of x_train"
        )
