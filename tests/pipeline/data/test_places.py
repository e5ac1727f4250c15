"""Where data is looked for on this machine, and in which order."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.data import places
from pipeline.data.places import DOWNLOADS, MNIST_FILES


@pytest.fixture(autouse=True)
def no_unroll_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNROLL_DATA", raising=False)


def config(name: str = "mnist", path: str | None = None) -> dict[str, Any]:
    return {"dataset": {"name": name, "path": path, "stand_in": None}}


def fill(folder: Path, suffix: str = ".gz") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in MNIST_FILES:
        (folder / f"{name}{suffix}").touch()
    return folder


def test_without_anything_said_only_earlier_downloads_are_looked_at() -> None:
    assert places.mnist_places(config()) == [DOWNLOADS]


def test_the_experiments_path_comes_first_then_unroll_data_then_downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLL_DATA", "/data")

    assert places.mnist_places(config(path="here")) == [Path("here"), Path("/data/mnist"), DOWNLOADS]


def test_an_empty_unroll_data_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLL_DATA", "")

    assert places.mnist_places(config()) == [DOWNLOADS]


@pytest.mark.parametrize("suffix", [".gz", ""])
def test_a_folder_that_holds_all_four_files_is_found(tmp_path: Path, suffix: str) -> None:
    folder = fill(tmp_path / "mine", suffix)

    assert places.mnist_folder(config(path="mine"), tmp_path) == folder
    assert places.mnist_folder(config(path=str(folder))) == folder
    assert places.mnist_file(folder, "t10k-labels-idx1-ubyte") == folder / f"t10k-labels-idx1-ubyte{suffix}"


def test_the_first_folder_that_holds_all_four_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLL_DATA", str(tmp_path / "data"))
    fill(tmp_path / DOWNLOADS)
    assert places.mnist_folder(config(), tmp_path) == tmp_path / DOWNLOADS

    fill(tmp_path / "data" / "mnist")
    assert places.mnist_folder(config(), tmp_path) == tmp_path / "data" / "mnist"

    fill(tmp_path / "named")
    assert places.mnist_folder(config(path="named"), tmp_path) == tmp_path / "named"


@pytest.mark.parametrize("lost", MNIST_FILES)
def test_a_folder_that_lacks_one_file_is_passed_over(tmp_path: Path, lost: str) -> None:
    folder = fill(tmp_path / "mine")
    (folder / f"{lost}.gz").unlink()

    assert places.mnist_folder(config(path="mine"), tmp_path) is None


def test_a_folder_with_the_name_of_a_file_does_not_count(tmp_path: Path) -> None:
    folder = fill(tmp_path / "mine")
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    (folder / "t10k-labels-idx1-ubyte").mkdir()

    assert places.mnist_folder(config(path="mine"), tmp_path) is None


def test_a_compressed_file_is_preferred(tmp_path: Path) -> None:
    fill(tmp_path)
    fill(tmp_path, "")

    found = places.mnist_file(tmp_path, "train-images-idx3-ubyte")

    assert found == tmp_path / "train-images-idx3-ubyte.gz"


@pytest.mark.parametrize("name", ["digits", "npz"])
def test_other_data_sets_do_not_look_for_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("UNROLL_DATA", str(tmp_path))
    fill(tmp_path / "mnist")

    assert places.mnist_folder(config(name), tmp_path) is None


def test_ones_own_files_are_those_that_a_stage_reads_itself() -> None:
    assert places.own_files(config("npz", "data/mine.npz")) == {"mine.npz": Path("data/mine.npz")}
    assert places.own_files({"accelerator": "ethos-u55-128", "config": "my.ini"}) == {"my.ini": Path("my.ini")}
    assert places.own_files({"model": {"tflite": "a/b.tflite"}}) == {"model.tflite": Path("a/b.tflite")}
    for other in (config("mnist", "folder"), config("digits"), {"model": {"units": 8}}, {"config": None}):
        assert places.own_files(other) == {}


def test_a_path_is_left_out_of_what_counts_and_nothing_else_is() -> None:
    full = {**config("npz", "mine.npz"), "model": {"units": 8}}

    assert places.without_paths(full) == {"dataset": {"name": "npz", "stand_in": None}, "model": {"units": 8}}
    assert full["dataset"]["path"] == "mine.npz"
    assert places.without_paths({"model": {"tflite": "a/b.tflite"}}) == {"model": {}}


def test_a_config_without_a_data_set_stays_as_it_is() -> None:
    assert places.without_paths({"quantization": {"representative_samples": 5}}) == {
        "quantization": {"representative_samples": 5}
    }
