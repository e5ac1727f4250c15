"""A data set in memory and as a file, and what is said of arrays that can't be one."""

import hashlib
import shutil
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.data import arrays
from pipeline.data.arrays import DataError, DataSet

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
        arrays.checked(found, "mine.npz")
    said = str(caught.value)
    assert len(said.splitlines()) == 1, said
    assert said.startswith("mine.npz: ")
    return said.removeprefix("mine.npz: ")


def test_good_arrays_become_float32_and_int64() -> None:
    data = arrays.checked(good(), "mine.npz")

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

    assert arrays.checked(found, "mine.npz").x_train.shape == (6, 2, 3)


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
    "one-hot": (np.eye(6, dtype=np.int64), "has shape (6, 6); it must be (6,), one class number per sample of x"),
    "in a column": ([[0], [1], [2], [0], [1], [2]], "has shape (6, 1); it must be (6,)"),
    "fractions": ([0.0, 1.0, 2.0, 0.0, 1.0, 2.0], "is float64; save whole class numbers counted from 0"),
    "text": (list("abcabc"), "is <U1; save whole class numbers counted from 0 (not one-hot, not text)"),
    "true and false": ([True, False, True, False, True, False], "is bool; save whole class numbers"),
    "below 0": ([-1, 0, 1, -1, 0, 1], "holds the label -1; count classes from 0"),
    "far from 0": (
        [7001, 7002, 7003, 7001, 7002, 7003],
        "holds the label 7003 but only 3 classes; count classes from 0",
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


def test_what_was_saved_is_what_is_loaded(tmp_path: Path) -> None:
    data = arrays.checked(good(), "mine.npz")
    data.save(tmp_path)

    loaded = arrays.load(tmp_path)

    for name, array in vars(data).items():
        np.testing.assert_array_equal(vars(loaded)[name], array, strict=True)


@pytest.mark.parametrize("part", ["train", "test"])
def test_a_part_is_loaded_alone(tmp_path: Path, part: str) -> None:
    data = arrays.checked(good(), "mine.npz")
    data.save(tmp_path)

    x, y = arrays.load_part(tmp_path, part)

    np.testing.assert_array_equal(x, vars(data)[f"x_{part}"], strict=True)
    np.testing.assert_array_equal(y, vars(data)[f"y_{part}"], strict=True)


def test_the_same_arrays_give_the_same_bytes_on_another_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = arrays.checked(good(), "mine.npz")
    data.save(tmp_path)
    shutil.move(tmp_path / arrays.FILE, tmp_path / "before")
    tomorrow = time.time() + 86_400
    monkeypatch.setattr(time, "time", lambda: tomorrow)

    data.save(tmp_path)

    assert (tmp_path / arrays.FILE).read_bytes() == (tmp_path / "before").read_bytes()
    with zipfile.ZipFile(tmp_path / arrays.FILE) as file:
        assert {entry.date_time[0] for entry in file.infolist()} == {1980}


def test_only_the_first_samples_can_be_kept() -> None:
    data = arrays.checked(good(), "mine.npz").first(4, 1)

    assert (len(data.x_train), len(data.y_train), len(data.x_test), len(data.y_test)) == (4, 4, 1, 1)
    assert data.y_train.tolist() == [0, 1, 2, 0]


@pytest.mark.parametrize(("train", "test"), [(None, None), (1000, 1000)])
def test_all_samples_are_kept_when_there_are_no_more(train: int | None, test: int | None) -> None:
    data = arrays.checked(good(), "mine.npz").first(train, test)

    assert (len(data.x_train), len(data.x_test)) == (6, 4)


def test_the_number_of_classes_counts_those_that_only_one_part_has() -> None:
    x = np.zeros((2, 1, 1), np.float32)

    data = DataSet(x_train=x, y_train=np.array([0, 1]), x_test=x, y_test=np.array([4, 0]))

    assert data.classes == 5


def test_the_same_arrays_give_the_same_bytes_under_every_python(tmp_path: Path) -> None:
    """Also inside the image, whose Python is 3.11.2: zipfile's headers changed with 3.11.4."""
    two: Arrays = {"a": np.arange(6, dtype=np.int64).reshape(2, 3), "b": np.zeros(4, np.float32)}
    arrays.save(tmp_path / "two.npz", two)
    digest = hashlib.sha256((tmp_path / "two.npz").read_bytes()).hexdigest()
    assert digest == "709d75e133f5daa524a5ce741535b47f52aacd86c5badca4fe3264e9033cc3f6"
    with np.load(tmp_path / "two.npz") as read:
        assert {name: read[name].tolist() for name in read} == {"a": [[0, 1, 2], [3, 4, 5]], "b": [0, 0, 0, 0]}


def test_rows_are_folded_one_after_the_other_without_a_copy() -> None:
    x = np.arange(2 * 6 * 2, dtype=np.float32).reshape(2, 6, 2)

    folded = arrays.folded(x, 6)

    assert folded.shape == (2, 2, 6)
    assert folded[1, 0].tolist() == [*x[1, 0], *x[1, 1], *x[1, 2]]
    assert np.shares_memory(folded, x)
    np.testing.assert_array_equal(arrays.folded(folded, 6), folded)
    np.testing.assert_array_equal(arrays.folded(x, 2), x)
