"""The digits that stand in for MNIST: its shapes, always the same, and nothing tested that was trained on."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.datasets import load_digits

from pipeline.data import digits
from pipeline.data.arrays import DataSet
from pipeline.stage import Work

pytestmark = pytest.mark.smoke

ORIGINALS = 1_437
"""Training images that are digits as they are; the others are turned and shifted."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    folder = tmp_path_factory.mktemp("digits")
    return digits.make(Work(config={}, inputs={}, into=folder, report=lambda **_: None), 3_000)


def as_bytes(images: npt.NDArray[np.float32]) -> list[bytes]:
    return [image.tobytes() for image in images]


def test_shapes_and_types_are_mnists(data: DataSet) -> None:
    assert (data.x_train.shape, data.x_train.dtype.name) == ((3_000, 28, 28), "float32")
    assert (data.y_train.shape, data.y_train.dtype.name) == ((3_000,), "int64")
    assert (data.x_test.shape, data.x_test.dtype.name) == ((360, 28, 28), "float32")
    assert (data.y_test.shape, data.y_test.dtype.name) == ((360,), "int64")


def test_as_many_training_images_are_made_as_mnist_has_unless_fewer_are_wanted() -> None:
    assert digits.TRAIN_IMAGES == 60_000


def test_pixels_go_from_0_to_1(data: DataSet) -> None:
    for images in (data.x_train, data.x_test):
        assert images.min() == 0.0
        assert images.max() == 1.0


def test_all_ten_classes_are_trained_and_tested(data: DataSet) -> None:
    assert data.classes == 10
    assert set(data.y_train.tolist()) == set(data.y_test.tolist()) == set(range(10))


def test_digits_stand_in_the_centre(data: DataSet) -> None:
    margin = np.ones((28, 28), bool)
    margin[4:24, 4:24] = False

    assert (data.x_test[:, margin] == 0).all()
    assert (data.x_test[:, ~margin] > 0).any(axis=0).mean() > 0.9


def test_no_test_digit_is_among_the_training_images(data: DataSet) -> None:
    assert not set(as_bytes(data.x_test)) & set(as_bytes(data.x_train))


def test_each_of_scikit_learns_digits_is_used_once_in_one_part_only(data: DataSet) -> None:
    bunch: Any = load_digits()

    used = as_bytes(data.x_train[:ORIGINALS]) + as_bytes(data.x_test)

    assert len(set(used)) == len(used) == len(bunch.images) == 1_797
    labels = np.concatenate([data.y_train[:ORIGINALS], data.y_test])
    assert np.bincount(labels).tolist() == np.bincount(bunch.target).tolist()


def test_a_changed_image_keeps_the_label_of_its_digit(data: DataSet) -> None:
    assert (data.y_train[ORIGINALS : 2 * ORIGINALS] == data.y_train[:ORIGINALS]).all()


def test_a_changed_image_differs_from_its_digit_but_not_much(data: DataSet) -> None:
    original, changed = (data.x_train[first : first + ORIGINALS].reshape(ORIGINALS, -1) for first in (0, ORIGINALS))

    ink = changed.sum(axis=1) / original.sum(axis=1)

    assert (original != changed).any(axis=1).all()
    assert 0.7 < ink.min() < ink.max() < 1.5


def test_images_are_different_from_each_other(data: DataSet) -> None:
    assert len(set(as_bytes(data.x_train))) == len(data.x_train)


def test_the_same_images_are_made_each_time(work: Work[Any], data: DataSet) -> None:
    again = digits.make(work, 3_000)

    for name, array in vars(data).items():
        np.testing.assert_array_equal(vars(again)[name], array, strict=True)


@pytest.mark.parametrize("count", [1, 10, ORIGINALS, 2_000])
def test_fewer_images_are_the_first_of_more(work: Work[Any], data: DataSet, count: int) -> None:
    fewer = digits.make(work, count)

    np.testing.assert_array_equal(fewer.x_train, data.x_train[:count], strict=True)
    np.testing.assert_array_equal(fewer.y_train, data.y_train[:count], strict=True)
    np.testing.assert_array_equal(fewer.x_test, data.x_test, strict=True)


def test_the_making_is_reported_to_its_end(work: Work[Any], reports: list[dict[str, Any]]) -> None:
    digits.make(work, 2_000)

    assert reports[-1] == {"done": 2_000, "total": 2_000, "what": "making digits"}
