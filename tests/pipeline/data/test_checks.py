"""What is said of arrays that can't be a data set, and what to do about them."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.data import checks
from pipeline.data.arrays import DataError
from pipeline.tasks.classification import CLASSIFICATION

Arrays = dict[str, npt.NDArray[Any]]


def good() -> Arrays:
    """Return the arrays of a user who did everything right: 6 training and 4 test samples of 2 steps of 3 features."""
    random = np.random.default_rng(0)
    return {
        "x_train": random.random((6, 2, 3)),
        "y_train": np.array([0, 1, 2, 0, 1, 2], np.int32),
        "x_test": random.random((4, 2, 3)),
        "y_test": np.array([0, 1, 2, 0], np.uint8),
    }


def refusal(found: Arrays) -> str:
    with pytest.raises(DataError) as caught:
        checks.checked(found, "mine.npz", CLASSIFICATION)
    said = str(caught.value)
    assert len(said.splitlines()) == 1, said
    assert said.startswith("mine.npz: ")
    return said.removeprefix("mine.npz: ")


def test_good_arrays_become_float32_and_int64() -> None:
    data = checks.checked(good(), "mine.npz", CLASSIFICATION)

    assert {name: array.dtype for name, array in vars(data).items()} == {
        "x_train": np.dtype(np.float32),
        "y_train": np.dtype(np.int64),
        "x_test": np.dtype(np.float32),
        "y_test": np.dtype(np.int64),
    }
    np.testing.assert_allclose(data.x_train, good()["x_train"], rtol=1e-6)
    assert data.y_test.tolist() == [0, 1, 2, 0]
    assert data.classes == 3


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_any_floating_point_numbers_will_do(dtype: type[np.floating[Any]]) -> None:
    found = {name: array.astype(dtype) if name[0] == "x" else array for name, array in good().items()}

    assert checks.checked(found, "mine.npz", CLASSIFICATION).x_train.shape == (6, 2, 3)


@pytest.mark.parametrize("name", ["x_train", "y_train", "x_test", "y_test"])
def test_a_missing_array_is_named_with_those_there_are(name: str) -> None:
    found = good()
    del found[name]

    said = refusal(found)

    assert said.startswith(f"{name} is missing (it holds {', '.join(found)});")
    assert said.endswith("save x_train, y_train, x_test, y_test")


def test_a_file_without_arrays_says_so() -> None:
    assert refusal({}).startswith("x_train is missing (it holds no arrays);")


SHAPES = "it must be (samples, time steps, features), none of them 0"
WRONG_FEATURES = {
    "one number": (np.float32(1), f"shape (); {SHAPES}"),
    "no time steps": (np.zeros((6, 6), np.float32), f"shape (6, 6); {SHAPES}"),
    "images with channels": (np.zeros((6, 2, 3, 1), np.float32), f"shape (6, 2, 3, 1); {SHAPES}"),
    "no samples": (np.zeros((0, 2, 3), np.float32), f"shape (0, 2, 3); {SHAPES}"),
    "no features": (np.zeros((6, 2, 0), np.float32), f"shape (6, 2, 0); {SHAPES}"),
    "bytes": (np.zeros((6, 2, 3), np.uint8), "is uint8; save floating-point numbers, scaled to about [0, 1] or"),
    "whole numbers": (np.zeros((6, 2, 3), np.int64), "is int64; save floating-point numbers"),
    "complex": (np.zeros((6, 2, 3), np.complex64), "is complex64; save floating-point numbers"),
    "text": (np.full((6, 2, 3), "a"), "is <U1; save floating-point numbers"),
    "NaN": (np.full((6, 2, 3), np.nan), "holds nan at (0, 0, 0); remove or replace NaN and infinity"),
    "infinity": (np.full((6, 2, 3), -np.inf), "holds -inf at (0, 0, 0); remove or replace NaN and infinity"),
    "more than float32 holds": (np.full((6, 2, 3), 1e300), "holds 1e+300 at (0, 0, 0)"),
}


@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize(("x", "says"), WRONG_FEATURES.values(), ids=WRONG_FEATURES)
def test_features_that_cannot_be_trained_on_are_refused(part: str, x: npt.NDArray[Any], says: str) -> None:
    said = refusal({**good(), f"x_{part}": x})

    assert said.startswith(f"x_{part} ")
    assert says in said


def test_the_first_bad_number_is_found_wherever_it_is() -> None:
    found = good()
    found["x_train"][4, 1, 2] = np.nan

    assert refusal(found).startswith("x_train holds nan at (4, 1, 2);")


WRONG_LABELS = {
    "one for a sample too few": ([0, 1, 2, 0, 1], "has shape (5,); it must be (6,), one class number per sample of x"),
    "one-hot": (
        np.eye(6, dtype=np.int64),
        "has shape (6, 6); it must be (6,), one class number per sample of x. It is one-hot: y.argmax(axis=1)",
    ),
    "one-hot of floats": (np.eye(6), "has shape (6, 6); it must be (6,), one class number per sample of x. It is one-"),
    "a number for each step": (np.zeros((6, 2), np.int64), "has shape (6, 2); it must be (6,), one class number per"),
    "in a column": (
        [[0], [1], [2], [0], [1], [2]],
        "has shape (6, 1); it must be (6,), one class number per sample of x: y.ravel()",
    ),
    "fractions": (
        [0.0, 1.0, 2.0, 0.0, 1.0, 2.0],
        "is float64; save whole class numbers counted from 0: y.astype(numpy.int64)",
    ),
    "no classes": ([0.5, 1.0, 2.0, 0.0, 1.0, 2.0], "is float64; save whole class numbers counted from 0. It holds 0.5"),
    "not even numbers": (
        [np.nan] * 6,
        "is float64; save whole class numbers counted from 0. It holds nan, which is no",
    ),
    "text": (
        list("abcabc"),
        "is text (<U1); number them from 0: classes = numpy.unique(y_train), then numpy.searchsorted(",
    ),
    "true and false": (
        [True, False, True, False, True, False],
        "is bool; save whole class numbers counted from 0: y.astype(numpy.int64)",
    ),
    "below 0": ([-1, 0, 1, -1, 0, 1], "holds the label -1; number them from 0: classes = "),
    "far from 0": (
        [7001, 7002, 7003, 7001, 7002, 7003],
        "holds the label 7003 but only 3 classes; number them from 0: classes = numpy.unique(y_train)",
    ),
    "beyond int64": (np.array([0, 1, 2, 0, 1, 2**63], np.uint64), "holds the label 9223372036854775808 but only 4"),
}


@pytest.mark.parametrize(("y", "says"), WRONG_LABELS.values(), ids=WRONG_LABELS)
def test_labels_that_are_no_class_numbers_are_refused(y: Any, says: str) -> None:
    assert refusal({**good(), "y_train": np.asarray(y)}).startswith(f"y_train {says}")


def test_labels_of_the_test_part_are_checked_as_well() -> None:
    assert refusal({**good(), "y_test": np.array([0, 1, 2, -3])}).startswith("y_test holds the label -3;")


def test_samples_of_two_shapes_are_refused_with_both() -> None:
    said = refusal({**good(), "x_test": np.zeros((4, 5, 3))})

    assert said.startswith(
        "x_train has samples of shape (2, 3) and x_test of (5, 3); both must be (time steps, features)"
    )


def test_a_class_that_is_only_tested_is_refused() -> None:
    said = refusal({**good(), "y_test": np.array([0, 1, 2, 3])})

    assert said == "y_test has the label 3, which y_train never has; train on every class"


def test_all_classes_that_are_only_tested_are_named() -> None:
    said = refusal({**good(), "y_test": np.array([5, 1, 2, 3])})

    assert said == "y_test has the labels 3, 5, which y_train never has; train on every class"


def test_a_single_class_is_refused() -> None:
    said = refusal({**good(), "y_train": np.full(6, 3), "y_test": np.full(4, 3)})

    assert (
        said == "y_train has the label 3 alone, so there is nothing to tell apart; save samples of two classes at least"
    )


def test_a_small_test_set_of_many_classes_is_no_reason_to_doubt_the_labels() -> None:
    found = {**good(), "x_train": np.zeros((1_500, 2, 3)), "y_train": np.arange(1_500)}

    assert (
        checks.checked({**found, "y_test": np.array([1_499, 3, 2, 1_200])}, "mine.npz", CLASSIFICATION).classes == 1_500
    )


def test_what_is_no_array_is_refused() -> None:
    """A zip file may hold other things under these names."""
    assert refusal({**good(), "x_train": b"numbers"}) == "x_train is no array; write it with numpy.savez"  # type: ignore[dict-item]
