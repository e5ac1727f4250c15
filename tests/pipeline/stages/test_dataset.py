"""The dataset stage: what was asked for, a stand-in that says so, or an error that says what to do."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.data import arrays, mirrors
from pipeline.data.arrays import DataError
from pipeline.data.mnist_files import DOWNLOADS, FILES
from pipeline.stage import Found, Work
from tests.pipeline.making import make_stage

Make = Callable[..., tuple[Path, Found]]


@pytest.fixture
def make(work: Callable[..., Work[Any]], monkeypatch: pytest.MonkeyPatch) -> Make:
    """Make a data set with no mirror in reach; return the stage's folder and what it found."""
    monkeypatch.setattr(mirrors, "MIRRORS", ())
    monkeypatch.delenv("UNROLL_DATA", raising=False)

    def run(name: str, into: str = "into", **wanted: Any) -> tuple[Path, Found]:
        job = work({"dataset": {"name": name, **wanted}}, into=into)
        return job.into, make_stage("dataset", job)

    return run


def refusal(make: Make, name: str, **wanted: Any) -> str:
    with pytest.raises(DataError) as caught:
        make(name, **wanted)
    said = str(caught.value)
    assert len(said.splitlines()) == 1, said
    return said


@pytest.fixture
def own_file(tmp_path: Path) -> str:
    """Write a user's data: 30 training and 12 test samples, 5 steps of 4 features, 3 classes."""
    random = np.random.default_rng(0)
    np.savez(
        tmp_path / "mine.npz",
        x_train=random.random((30, 5, 4)),
        y_train=np.arange(30) % 3,
        x_test=random.random((12, 5, 4)),
        y_test=np.arange(12) % 3,
    )
    return "mine.npz"


def test_ones_own_data_is_taken_as_it_is(make: Make, own_file: str) -> None:
    folder, found = make("npz", path=own_file)

    assert found.metrics == {
        "dataset": "npz",
        "train_samples": 30,
        "test_samples": 12,
        "time_steps": 5,
        "features": 4,
        "classes": 3,
    }
    assert found.stand_in is None
    assert [path.name for path in folder.iterdir()] == [arrays.FILE]
    data = arrays.load(folder)
    assert (data.x_train.dtype.name, data.x_train.shape, data.y_test.dtype.name) == ("float32", (30, 5, 4), "int64")


def test_only_as_many_samples_are_kept_as_were_asked_for(make: Make, own_file: str) -> None:
    folder, found = make("npz", path=own_file, train_samples=7, test_samples=5)

    assert (found.metrics["train_samples"], found.metrics["test_samples"]) == (7, 5)
    kept = arrays.load(folder)
    assert sorted(np.bincount(kept.y_train)) == [2, 2, 3]
    assert sorted(np.bincount(kept.y_test)) == [1, 2, 2]


@pytest.mark.parametrize("name", ["npz", "digits"])
def test_few_samples_of_a_sorted_set_have_every_class_and_come_from_all_over_it(
    make: Make, tmp_path: Path, name: str
) -> None:
    labels = np.repeat(np.arange(3), 10)
    x = (np.arange(30.0) / 30).repeat(2).reshape(30, 2, 1)
    np.savez(tmp_path / "sorted.npz", x_train=x, y_train=labels, x_test=x, y_test=labels)

    own = {"path": "sorted.npz"} if name == "npz" else {}
    folder, found = make(name, **own, train_samples=12, test_samples=12)

    kept = arrays.load(folder)
    assert (len(kept.y_train), len(kept.y_test)) == (12, 12)
    assert len(np.unique(kept.y_train)) == len(np.unique(kept.y_test)) == found.metrics["classes"]
    assert found.warnings == []
    if name == "npz":
        assert np.diff(kept.x_train[:, 0, 0]).max() < 6 / 30


def test_fewer_test_samples_than_classes_leave_some_untested_which_is_said(make: Make, own_file: str) -> None:
    _, found = make("npz", path=own_file, test_samples=2)

    (warning,) = found.warnings
    assert warning == (
        "no test sample is of class 2 (1 of 3 classes), so nothing is known of how often that is found: test every"
        " class, or raise dataset.test_samples"
    )


def test_fewer_training_samples_than_classes_are_an_error(make: Make, own_file: str) -> None:
    assert refusal(make, "npz", path=own_file, train_samples=2).startswith(
        "the data set, of which dataset.train_samples = 2 were kept: y_test has the label 2, which y_train never has"
    )


def test_classes_that_no_kept_sample_has_are_named(make: Make, own_file: str) -> None:
    _, found = make("npz", path=own_file, train_samples=2, test_samples=2)

    (warning,) = found.warnings
    assert warning == (
        "the 2 training samples that were kept have none of class 2 (1 of 3 classes): raise dataset.train_samples"
    )


def test_what_may_not_be_meant_is_a_warning(make: Make, tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(2_048, 640, (30, 5, 4))
    labels = np.arange(30) % 3 + 1
    np.savez(tmp_path / "raw.npz", x_train=x, y_train=labels, x_test=x, y_test=labels)

    _, found = make("npz", path="raw.npz")

    of_labels, of_features = found.warnings
    assert of_labels.endswith("subtract 1 from y_train and y_test")
    assert of_features.startswith("x_train is not scaled (mean 2,0")
    assert found.metrics["classes"] == 4


def test_the_same_data_gives_the_same_bytes(make: Make, own_file: str) -> None:
    (first, _), (second, _) = make("npz", "first", path=own_file), make("npz", "second", path=own_file)

    assert (first / arrays.FILE).read_bytes() == (second / arrays.FILE).read_bytes()


def test_a_missing_file_of_ones_own_is_an_error(make: Make) -> None:
    assert refusal(make, "npz", path="nothing.npz").startswith("nothing.npz does not exist; dataset.path is taken from")


def test_the_digits_need_neither_files_nor_a_network(make: Make) -> None:
    folder, found = make("digits", train_samples=1_500, test_samples=20)

    assert found.metrics == {
        "dataset": "digits",
        "train_samples": 1_500,
        "test_samples": 20,
        "time_steps": 28,
        "features": 28,
        "classes": 10,
    }
    assert found.stand_in is None
    assert arrays.load(folder).x_test.shape == (20, 28, 28)


def test_a_stand_in_for_mnist_says_that_it_is_one(make: Make) -> None:
    _, found = make("mnist", stand_in="digits", train_samples=100)

    assert found.stand_in == "digits"
    assert found.metrics["dataset"] == "digits"
    assert (found.metrics["train_samples"], found.metrics["time_steps"]) == (100, 28)


def test_the_stand_in_is_the_digits_themselves(make: Make) -> None:
    (digits, _), (stand_in, _) = (
        make("digits", "digits", train_samples=100),
        make("mnist", "stand-in", stand_in="digits", train_samples=100),
    )

    assert (digits / arrays.FILE).read_bytes() == (stand_in / arrays.FILE).read_bytes()


def test_without_a_stand_in_the_error_names_the_places_the_mirrors_and_what_to_do(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNROLL_DATA", "/nowhere")

    said = refusal(make, "mnist")

    assert said.startswith(f"MNIST can't be had. Looked in: /nowhere/mnist, {DOWNLOADS}. Mirrors: no mirror answered")
    for remedy in ("dataset.path", "UNROLL_DATA", 'stand_in = "digits"'):
        assert remedy in said


@pytest.mark.parametrize("stand_in", [None, "digits"])
def test_a_damaged_file_is_an_error_and_not_hidden_by_a_stand_in(
    make: Make, tmp_path: Path, stand_in: str | None
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in FILES:
        (folder / f"{name}.gz").write_bytes(gzip.compress(b"tampered"))

    said = refusal(make, "mnist", path="mine", stand_in=stand_in)

    assert said.startswith("mine/train-images-idx3-ubyte.gz is not MNIST's train-images-idx3-ubyte but a text file:")


def test_a_named_folder_without_mnist_is_not_hidden_by_a_stand_in(make: Make) -> None:
    assert refusal(make, "mnist", path="empty", stand_in="digits").startswith("dataset.path = 'empty' lacks ")
