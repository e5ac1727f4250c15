"""A data set in memory and as a file, and samples that stand for all of it."""

import hashlib
import shutil
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pipeline import array_file
from pipeline.data import arrays, checks
from pipeline.data.arrays import DataSet
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


def test_what_was_saved_is_what_is_loaded(tmp_path: Path) -> None:
    data = checks.checked(good(), "mine.npz", CLASSIFICATION)
    data.save(tmp_path)

    loaded = arrays.load(tmp_path)

    for name, array in vars(data).items():
        np.testing.assert_array_equal(vars(loaded)[name], array, strict=True)


@pytest.mark.parametrize("part", ["train", "test"])
def test_a_part_is_loaded_alone(tmp_path: Path, part: str) -> None:
    data = checks.checked(good(), "mine.npz", CLASSIFICATION)
    data.save(tmp_path)

    x, y = arrays.load_part(tmp_path, part)

    np.testing.assert_array_equal(x, vars(data)[f"x_{part}"], strict=True)
    np.testing.assert_array_equal(y, vars(data)[f"y_{part}"], strict=True)


def test_the_same_arrays_give_the_same_bytes_on_another_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = checks.checked(good(), "mine.npz", CLASSIFICATION)
    data.save(tmp_path)
    shutil.move(tmp_path / arrays.FILE, tmp_path / "before")
    tomorrow = time.time() + 86_400
    monkeypatch.setattr(time, "time", lambda: tomorrow)

    data.save(tmp_path)

    assert (tmp_path / arrays.FILE).read_bytes() == (tmp_path / "before").read_bytes()
    with zipfile.ZipFile(tmp_path / arrays.FILE) as file:
        assert {entry.date_time[0] for entry in file.infolist()} == {1980}


def test_fewer_samples_can_be_kept_each_with_its_label() -> None:
    all_of_them = checks.checked(good(), "mine.npz", CLASSIFICATION)
    data = all_of_them.kept(4, 1)

    assert (len(data.x_train), len(data.y_train), len(data.x_test), len(data.y_test)) == (4, 4, 1, 1)
    kept = [int(np.flatnonzero((all_of_them.x_train == x).all(axis=(1, 2)))[0]) for x in data.x_train]
    assert kept == sorted(kept)
    assert data.y_train.tolist() == all_of_them.y_train[kept].tolist()
    assert set(data.y_train) == {0, 1, 2}


@pytest.mark.parametrize(("train", "test"), [(None, None), (1000, 1000)])
def test_all_samples_are_kept_when_there_are_no_more(train: int | None, test: int | None) -> None:
    data = checks.checked(good(), "mine.npz", CLASSIFICATION).kept(train, test)

    assert (len(data.x_train), len(data.x_test)) == (6, 4)


def test_the_number_of_classes_counts_those_that_only_one_part_has() -> None:
    x = np.zeros((2, 1, 1), np.float32)

    data = DataSet(x_train=x, y_train=np.array([0, 1]), x_test=x, y_test=np.array([4, 0]))

    assert data.classes == 5


def test_the_same_arrays_give_the_same_bytes_under_every_python(tmp_path: Path) -> None:
    """Also inside the image, whose Python is 3.11.2: zipfile's headers changed with 3.11.4."""
    two: Arrays = {"a": np.arange(6, dtype=np.int64).reshape(2, 3), "b": np.zeros(4, np.float32)}
    array_file.save(tmp_path / "two.npz", two)
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


SORTED = np.repeat(np.arange(4), 200)
INTERLEAVED = np.tile(np.arange(4), 200)
SHUFFLED = np.random.default_rng(1).permutation(SORTED)
RARE = np.array([0] * 795 + [1, 1, 2, 2, 3])
ORDERS = pytest.mark.parametrize(
    "labels", [SORTED, INTERLEAVED, SHUFFLED, RARE], ids=["sorted", "interleaved", "shuffled", "rare classes"]
)


@ORDERS
@pytest.mark.parametrize("count", [4, 5, 8, 100, 200, 300, 799])
def test_spread_samples_are_so_many_different_ones_of_every_class_in_order(
    labels: npt.NDArray[np.int64], count: int
) -> None:
    chosen = arrays.spread(labels, count)

    assert len(np.unique(chosen)) == len(chosen) == count
    assert (np.diff(chosen) > 0).all()
    assert set(labels[chosen]) == {0, 1, 2, 3}


@pytest.mark.parametrize("labels", [SORTED, INTERLEAVED, SHUFFLED], ids=["sorted", "interleaved", "shuffled"])
@pytest.mark.parametrize("count", [8, 100, 200, 300])
def test_each_class_has_its_share_from_all_over_the_set(labels: npt.NDArray[np.int64], count: int) -> None:
    chosen = arrays.spread(labels, count)

    assert np.bincount(labels[chosen]).tolist() == [count // 4] * 4
    for label in range(4):
        places = np.flatnonzero(labels == label)
        within = np.searchsorted(places, chosen[labels[chosen] == label])
        assert np.diff(within, prepend=0, append=200).max() <= 2 * 200 * 4 / count


def test_a_period_of_the_set_does_not_show_in_what_is_chosen() -> None:
    """Every fourth sample is a louder one: a stride of four would show all of them, or none."""
    labels, louder = np.zeros(1_200, np.int64), np.arange(1_200) % 4 == 0

    assert 0.15 < louder[arrays.spread(labels, 300)].mean() < 0.35


def test_the_same_samples_are_chosen_everywhere_and_every_time() -> None:
    assert arrays.spread(SORTED, 8).tolist() == arrays.spread(SORTED.copy(), 8).tolist()
    assert arrays.spread(SORTED, 8).tolist() == [2, 190, 271, 367, 497, 567, 695, 741]


@pytest.mark.parametrize("count", [None, 800, 10_000])
def test_all_samples_stand_for_themselves(count: int | None) -> None:
    assert arrays.spread(SORTED, count).tolist() == list(range(800))


def test_fewer_samples_than_classes_are_of_the_largest_ones() -> None:
    assert set(RARE[arrays.spread(RARE, 3)]) == {0, 1, 2}
    assert set(RARE[arrays.spread(RARE, 1)]) == {0}


def test_missing_classes_are_named_a_few_and_the_rest_counted() -> None:
    absent = arrays.missing(np.array([2, 2, 9]), among=np.arange(10))

    assert absent == [0, 1, 3, 4, 5, 6, 7, 8]
    assert arrays.named(absent) == "0, 1, 3, 4, 5 and 3 more"
    assert arrays.named([7]) == "7"
