"""MNIST from this machine: trusted by its content, whatever it is wrapped in, and refused when it is not MNIST."""

import gzip
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.data import mirrors, mnist
from pipeline.data.arrays import DataError
from pipeline.data.mirrors import OfflineError
from pipeline.data.mnist_files import DOWNLOADS, FILES
from pipeline.data.sources.mnist import Mnist
from pipeline.stage import Work

FIRST = "train-images-idx3-ubyte"


def source(path: Path | str | None = None) -> Mnist:
    return Mnist(path=None if path is None else str(path))


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirrors, "MIRRORS", ())


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    """Return a folder with four files that have the names of MNIST's and not their content."""
    folder = tmp_path / "fake"
    folder.mkdir()
    for name in FILES:
        (folder / f"{name}.gz").write_bytes(gzip.compress(b"\x00\x00\x08\x03" + bytes(1000)))
    return folder


def refusal(work: Work[Any], folder: Path | str | None = None) -> str:
    with pytest.raises(DataError) as caught:
        mnist.read(source(folder).folder(), source(folder).path, work)
    said = str(caught.value)
    assert len(said.splitlines()) == 1, said
    return said


def test_files_of_another_content_are_not_mnist(work: Work[Any], fake: Path) -> None:
    assert refusal(work, fake) == (
        f"{fake / FIRST}.gz is not MNIST's {FIRST}: its content has another sha256; remove it and run doit again"
    )


def test_a_pointer_in_place_of_a_file_says_what_gets_it(work: Work[Any], fake: Path) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 9912422\n"
    (fake / f"{FIRST}.gz").write_bytes(pointer)

    assert refusal(work, fake) == (
        f"{fake / FIRST}.gz is a Git LFS pointer of 9,912,422 bytes: git lfs pull gets the file itself"
    )


def test_a_truncated_file_is_called_so(work: Work[Any], fake: Path) -> None:
    path = fake / f"{FIRST}.gz"
    path.write_bytes(path.read_bytes()[:-12])

    assert refusal(work, fake).startswith(f"{path} is truncated or damaged (")


@pytest.mark.parametrize("where", [2, 12, -6, -2], ids=["method", "content", "checksum", "length"])
def test_a_damaged_file_is_called_so(work: Work[Any], fake: Path, where: int) -> None:
    path = fake / f"{FIRST}.gz"
    content = bytearray(path.read_bytes())
    content[where] ^= 0xFF
    path.write_bytes(content)

    said = refusal(work, fake)

    assert said.startswith(f"{path} is truncated or damaged (")
    assert said.endswith("; remove it and run doit again")


@pytest.mark.parametrize("content", [b"", b"<html>Please log in</html>", b"PK\x03\x04", b"\x1f"])
def test_a_file_that_is_not_compressed_must_have_the_content_itself(
    work: Work[Any], fake: Path, content: bytes
) -> None:
    (fake / f"{FIRST}.gz").write_bytes(content)

    assert "its content has another sha256" in refusal(work, fake)


def test_the_one_bad_file_of_four_is_named(work: Work[Any], fake: Path) -> None:
    shutil.move(fake / f"{FIRST}.gz", fake / FIRST)

    assert refusal(work, fake).startswith(f"{fake / FIRST} is not MNIST's {FIRST}:")


def test_a_named_folder_that_lacks_files_lists_them(work: Work[Any], fake: Path) -> None:
    (fake / "t10k-images-idx3-ubyte.gz").unlink()
    (fake / "t10k-labels-idx1-ubyte.gz").unlink()

    assert refusal(work, fake) == (
        f"dataset.path = '{fake}' lacks t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte (.gz or not);"
        " remove the key to download MNIST"
    )


def test_a_named_folder_that_does_not_exist_is_not_replaced_by_another_silently(
    work: Work[Any], fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fake.parent / "data").mkdir()
    shutil.move(fake, fake.parent / "data" / "mnist")
    monkeypatch.setenv("UNROLL_DATA", str(fake.parent / "data"))

    assert refusal(work, "nowhere").startswith("dataset.path = 'nowhere' lacks train-images-idx3-ubyte, ")


def test_a_damaged_download_is_not_replaced_silently(work: Work[Any], fake: Path) -> None:
    DOWNLOADS.parent.mkdir(parents=True)
    shutil.move(fake, DOWNLOADS)

    assert refusal(work).startswith(f"{DOWNLOADS / FIRST}.gz is not MNIST's")


def test_without_files_and_mirrors_there_is_no_mnist(work: Work[Any]) -> None:
    with pytest.raises(OfflineError, match="no mirror answered"):
        mnist.read(source().folder(), source().path, work)


def test_an_incomplete_unroll_data_is_passed_over(work: Work[Any], fake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLL_DATA", str(fake))  # the files are not in its folder mnist

    with pytest.raises(OfflineError):
        mnist.read(source().folder(), source().path, work)


@pytest.fixture
def real(real_mnist: Path, tmp_path: Path) -> Path:
    """Return a folder of the test's own with links to the real files."""
    folder = tmp_path / "real"
    folder.mkdir()
    for name in FILES:
        (folder / f"{name}.gz").symlink_to(real_mnist / f"{name}.gz")
    return folder


def test_the_real_files_are_read_and_normalized_however_they_are_compressed(work: Work[Any], real: Path) -> None:
    data = mnist.read(source(real).folder(), source(real).path, work)

    assert (data.x_train.shape, data.x_train.dtype.name) == ((60_000, 28, 28), "float32")
    assert (data.x_test.shape, data.x_test.dtype.name) == ((10_000, 28, 28), "float32")
    assert (data.x_train.min(), data.x_train.max()) == (0.0, 1.0)
    assert (data.x_train[:100] * 255 == (data.x_train[:100] * 255).round()).all()
    assert data.y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert np.bincount(data.y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_uncompressed_files_and_gzips_of_several_members_are_accepted(work: Work[Any], real: Path) -> None:
    for name in FILES:
        path = real / f"{name}.gz"
        content = gzip.decompress(path.read_bytes())
        path.unlink()
        if "t10k" in name:
            halves = content[: len(content) // 2], content[len(content) // 2 :]
            path.write_bytes(b"".join(gzip.compress(half, compresslevel=0) for half in halves))
        else:
            (real / name).write_bytes(content)

    assert mnist.read(source(real).folder(), source(real).path, work).classes == 10


def test_real_files_are_found_by_unroll_data(work: Work[Any], real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real.rename(real.parent / "mnist")
    monkeypatch.setenv("UNROLL_DATA", str(real.parent))

    assert len(mnist.read(source().folder(), source().path, work).y_train) == 60_000


def test_a_real_file_with_one_changed_pixel_is_refused(work: Work[Any], real: Path) -> None:
    path = real / "t10k-images-idx3-ubyte.gz"
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[5000] ^= 1
    path.unlink()
    path.write_bytes(gzip.compress(content, compresslevel=1))

    assert refusal(work, real).startswith(f"{path} is not MNIST's t10k-images-idx3-ubyte: its content has another")


def test_labels_in_place_of_images_are_refused(work: Work[Any], real: Path) -> None:
    (real / f"{FIRST}.gz").unlink()
    shutil.copy(real / "train-labels-idx1-ubyte.gz", real / f"{FIRST}.gz")

    assert refusal(work, real).startswith(f"{real / FIRST}.gz is not MNIST's {FIRST}:")
