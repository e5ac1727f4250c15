"""Where data is looked for on this machine, and in which order."""

from pathlib import Path

import pytest

from pipeline.data.mnist_files import DOWNLOADS, FILES, file
from pipeline.data.sources.mnist import Mnist


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UNROLL_DATA", raising=False)


def fill(folder: Path, suffix: str = ".gz") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (folder / f"{name}{suffix}").touch()
    return folder


def test_without_anything_said_only_earlier_downloads_are_looked_at() -> None:
    assert Mnist().places() == [DOWNLOADS]


def test_the_experiments_path_comes_first_then_unroll_data_then_downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLL_DATA", "/data")

    assert Mnist(path="here").places() == [Path("here"), Path("/data/mnist"), DOWNLOADS]


def test_an_empty_unroll_data_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLL_DATA", "")

    assert Mnist().places() == [DOWNLOADS]


@pytest.mark.parametrize("suffix", [".gz", ""])
def test_a_folder_that_holds_all_four_files_is_found(tmp_path: Path, suffix: str) -> None:
    folder = fill(tmp_path / "mine", suffix)

    assert Mnist(path="mine").folder() == Path("mine")
    assert file(folder, "t10k-labels-idx1-ubyte") == folder / f"t10k-labels-idx1-ubyte{suffix}"


def test_the_first_folder_that_holds_all_four_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLL_DATA", str(tmp_path / "data"))
    fill(DOWNLOADS)
    assert Mnist().folder() == DOWNLOADS

    fill(tmp_path / "data" / "mnist")
    assert Mnist().folder() == tmp_path / "data" / "mnist"

    fill(tmp_path / "named")
    assert Mnist(path="named").folder() == Path("named")


@pytest.mark.parametrize("lost", FILES)
def test_a_folder_that_lacks_one_file_is_passed_over(tmp_path: Path, lost: str) -> None:
    folder = fill(tmp_path / "mine")
    (folder / f"{lost}.gz").unlink()

    assert Mnist(path="mine").folder() is None


def test_a_folder_with_the_name_of_a_file_does_not_count(tmp_path: Path) -> None:
    folder = fill(tmp_path / "mine")
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    (folder / "t10k-labels-idx1-ubyte").mkdir()

    assert Mnist(path="mine").folder() is None


def test_a_compressed_file_is_preferred(tmp_path: Path) -> None:
    fill(tmp_path)
    fill(tmp_path, "")

    found = file(tmp_path, "train-images-idx3-ubyte")

    assert found == tmp_path / "train-images-idx3-ubyte.gz"


def test_mnist_is_at_hand_where_all_four_files_are(tmp_path: Path) -> None:
    assert Mnist().at_hand(Path()) is None
    fill(tmp_path / "mine")
    assert Mnist(path="mine").at_hand(Path()) == "mnist"
