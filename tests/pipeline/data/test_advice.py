"""What is said of data that can be trained on, but may not give what was meant, and of what nothing is said."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.data import advice
from pipeline.data.arrays import DataSet

Array = npt.NDArray[Any]


def noise(features: int = 3, samples: int = 60, seed: int = 0) -> Array:
    """Return (samples, 5, features) of mean 0 and standard deviation 1, exactly."""
    x = np.random.default_rng(seed).normal(size=(samples, 5, features))
    return np.asarray((x - x.mean((0, 1))) / x.std((0, 1)))


def edge() -> Array:
    """Return a picture whose last column is blank but for one sample."""
    x = np.abs(noise()) / 4
    x[:, :, 2] = 0
    x[7, :, 2] = 1e-3
    return x


def data(x_train: Array, x_test: Array | None = None, y_train: Array | None = None, y_test: Array | None = None) -> Any:
    """Return a data set of three classes, but for what is given."""
    x_test = x_train if x_test is None else x_test
    y_train = np.arange(len(x_train)) % 3 if y_train is None else y_train
    y_test = np.arange(len(x_test)) % 3 if y_test is None else y_test
    return DataSet(x_train=x_train.astype(np.float32), y_train=y_train, x_test=x_test.astype(np.float32), y_test=y_test)


def of_labels(y_train: Array, y_test: Array | None = None) -> list[str]:
    """Return what is said of labels."""
    y_test = y_train if y_test is None else y_test
    return list(advice.of_labels(data(noise(samples=len(y_train)), noise(samples=len(y_test)), y_train, y_test)))


def of_features(x_train: Array, x_test: Array | None = None) -> list[str]:
    """Return what is said of features."""
    return list(advice.of_features(data(x_train, x_test)))


def test_nothing_is_said_of_classes_from_0_that_are_all_tested() -> None:
    assert of_labels(np.arange(30) % 3) == []


def test_labels_from_1_are_told_to_subtract_1() -> None:
    assert of_labels(np.arange(30) % 6 + 1) == [
        "1 of 7 classes has no sample (0), but a place in the softmax: subtract 1 from y_train and y_test"
    ]


def test_gaps_are_named_a_few_of_them_and_numbering_is_the_remedy() -> None:
    (said,) = of_labels(np.repeat([0, 2, 7, 20, 31, 40], 5))

    assert said.startswith(
        "35 of 41 classes have no sample (1, 3, 4, 5, 6 and 30 more), but a place in the softmax: number them from 0:"
        " classes = numpy.unique(y_train), then numpy.searchsorted("
    )


def test_classes_that_are_never_tested_are_named() -> None:
    (said,) = of_labels(np.arange(30) % 5, np.array([0, 2, 3, 0]))

    assert said.startswith("no test sample is of class 1, 4 (2 of 5 classes), so nothing is known of how often that is")


GOOD = {
    "mean 0, standard deviation 1": noise(),
    "0 to 1": np.abs(noise()) / 4,
    "twice as large": 2 * noise(),
    "one that tells more": noise() * [1, 1, 30],
    "off by a little": noise() + 2,
    "one-hot among a hundred": np.eye(100)[np.random.default_rng(0).integers(0, 100, (60, 5))],
    "a constant among others": noise() * [1, 1, 0] + [0, 0, 1],
    "a picture with an edge": np.abs(noise()) / 4 * [1, 1, 0],
    "an edge that is seldom touched": edge(),
}


@pytest.mark.parametrize("x", GOOD.values(), ids=GOOD)
def test_nothing_is_said_of_features_that_do_no_harm(x: Array) -> None:
    assert of_features(x) == []


HARMFUL = {
    "counts of 12 bits": (
        2_048 + 640 * noise(6),
        "mean 2,048, standard deviation 640, ",
        "far beyond [-1, 1]: gates saturate, and little is learned): subtract 2,048 from x_train and x_test, then div",
    ),
    "pixels": (
        np.random.default_rng(0).integers(0, 256, (60, 5, 3)),
        "mean 1",
        "0 to 255, far beyond [-1, 1]: gates saturate, and little is learned): divide x_train and x_test by 255",
    ),
    "small changes of a large number": (
        3 + 0.1 * noise(),
        "mean 3, standard deviation 0.1, ",
        "what varies is small beside its mean, and little is learned): subtract 3 from x_train and x_test, then div",
    ),
    "millionths": (1e-6 * noise(), "mean ", "close to 0: it learns slowly): subtract "),
    "one raw among scaled ones": (
        noise() * [1, 1, 300] + [0, 0, 500],
        "a feature has a root mean square of 583.1, ",
        "divide by x_train.std((0, 1)), or by 1 where that is 0 (feature 2: subtract 500, divide by 300)",
    ),
}


@pytest.mark.parametrize(("x", "begins", "says"), HARMFUL.values(), ids=HARMFUL)
def test_features_that_nobody_scaled_are_a_warning_with_the_remedy_in_numbers(x: Array, begins: str, says: str) -> None:
    (said,) = of_features(x)

    assert said.startswith(f"x_train is not scaled ({begins}")
    assert says in said


def test_what_is_advised_is_what_nothing_is_said_of() -> None:
    for x, _, _ in HARMFUL.values():
        std = x.std((0, 1))

        assert of_features((x - x.mean((0, 1))) / std) == []


def test_features_that_int8_can_not_tell_from_a_constant_are_named() -> None:
    (said,) = of_features(noise(4) * [1, 1e-3, 20, 2e-3])

    assert said.startswith("2 of 4 features (1, 3, counted from 0) vary so little beside feature 2 (-")
    assert "that int8, with one scale for the whole input, loses them: subtract x_train.mean((0, 1)) from" in said


def test_a_feature_that_is_constant_in_training_alone_was_never_trained() -> None:
    (said,) = of_features(noise() * [1, 0, 1], noise())

    assert said.startswith("feature 1 (counted from 0) never varies in x_train, and does in x_test: what the network")


def test_nothing_but_zeros_is_nothing_to_learn_from() -> None:
    assert of_features(np.zeros((60, 5, 3))) == [
        "x_train is 0 everywhere, so there is nothing to learn from: check how it was made"
    ]


@pytest.mark.parametrize("x_test", [noise() * 10, noise() / 10, noise() + 5], ids=["larger", "smaller", "beside"])
def test_a_test_set_that_is_scaled_otherwise_is_a_warning(x_test: Array) -> None:
    (said,) = of_features(noise(), x_test)

    assert said.startswith("x_test is not scaled as x_train is (mean ")
    assert said.endswith("subtract and divide by the same numbers, those of x_train")


def test_numbers_far_from_0_are_measured_to_the_last_digit() -> None:
    x = (1_000_000 + noise(2, 60)).astype(np.float32)

    scale = advice.measured(x)

    np.testing.assert_allclose(scale.mean, x.mean((0, 1), dtype=np.float64), rtol=1e-12)
    np.testing.assert_allclose(scale.std, x.std((0, 1), dtype=np.float64), rtol=1e-6)
    assert (scale.low.max(), scale.high.min()) == (x.min((0, 1)).max(), x.max((0, 1)).min())
