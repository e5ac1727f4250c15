"""The dataset stage: what was asked for, a stand-in that says so, or an error that says what to do."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.data import arrays, mirrors
from pipeline.data.arrays import DataError
from pipeline.data.places import DOWNLOADS, MNIST_FILES
from pipeline.stages import dataset
from pipeline.stages.contract import Found, Work

Make = Callable[..., tuple[Path, Found]]


@pytest.fixture
def make(work: Callable[..., Work], monkeypatch: pytest.MonkeyPatch) -> Make:
    """Make a data set with no mirror in reach; return the stage's folder and what it found."""
    monkeypatch.setattr(mirrors, "MIRRORS", ())
    monkeypatch.delenv("UNROLL_DATA", raising=False)

    def run(name: str, into: str = "into", **wanted: Any) -> tuple[Path, Found]:
        nothing = {"path": None, "stand_in": None, "train_samples": None, "test_samples": None}
        job = work({"dataset": {"name": name, **nothing, **wanted}}, into=into)
        return job.into, dataset.make(job)

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
    assert arrays.load(folder).y_train.tolist() == [0, 1, 2, 0, 1, 2, 0]


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
    for name in MNIST_FILES:
        (folder / f"{name}.gz").write_bytes(gzip.compress(b"tampered"))

    said = refusal(make, "mnist", path="mine", stand_in=stand_in)

    assert said.startswith("mine/train-images-idx3-ubyte.gz is not MNIST's train-images-idx3-ubyte:")


def test_a_named_folder_without_mnist_is_not_hidden_by_a_stand_in(make: Make) -> None:
    assert refusal(make, "mnist", path="empty", stand_in="digits").startswith("dataset.path = 'empty' lacks ")
