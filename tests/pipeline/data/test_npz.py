"""One's own data as a file, and what is said of files that are none."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.data import npz
from pipeline.data.arrays import DataError
from pipeline.tasks.classification import CLASSIFICATION


def good() -> dict[str, Any]:
    random = np.random.default_rng(0)
    return {
        "x_train": random.random((60, 2, 3)),
        "y_train": np.arange(60) % 3,
        "x_test": random.random((40, 2, 3)),
        "y_test": np.arange(40) % 3,
    }


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        npz.read(path, CLASSIFICATION)
    said = str(caught.value)
    assert len(said.splitlines()) == 1, said
    assert said.startswith(str(path))
    return said.removeprefix(str(path))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_good_file_is_read(tmp_path: Path, save: Any) -> None:
    path = tmp_path / "meine Daten ü.npz"
    save(path, **good())

    data = npz.read(path, CLASSIFICATION)

    np.testing.assert_array_equal(data.x_train, good()["x_train"].astype(np.float32))
    assert data.y_test.tolist() == good()["y_test"].tolist()


def test_other_arrays_in_the_file_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, **good(), names=np.array(["a", "b", "c"]))

    assert npz.read(path, CLASSIFICATION).classes == 3


def test_a_missing_file_says_where_paths_begin(tmp_path: Path) -> None:
    assert refusal(tmp_path / "mine.npz") == " does not exist; dataset.path is taken from the project's root"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert "can't be read as .npz" in refusal(tmp_path)


def test_a_single_array_is_answered_with_how_to_save_four(tmp_path: Path) -> None:
    np.save(tmp_path / "mine.npy", np.zeros(3))

    assert refusal(tmp_path / "mine.npy").startswith(" is a single array; save four with numpy.savez(path, x_train=")


def test_python_objects_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, **{**good(), "x_train": np.array([{"a": 1}, None], dtype=object)})

    said = refusal(path)

    assert said == (
        ": x_train holds Python objects, not numbers (lists of different lengths become such): bring all samples to one"
        " shape, then save it again"
    )


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"9c58" * 16 + b"\nsize 113472\n"
OTHERS = {
    LFS: "is a Git LFS pointer of 113,472 bytes: git lfs pull gets the file itself",
    b"": "is no .npz but an empty file; dataset.path is a file of four arrays: numpy.savez(path, x_train=",
    b"x_train,y_train\n0.5,1\n": "is no .npz but a table as text, with commas (CSV); dataset.path is a file of four",
    b"\x89HDF\r\n\x1a\n\0\0": "is no .npz but an HDF5 file (Keras' .h5 is one); dataset.path is a file of four arrays",
    b"\x80\x05\x95\x0e": "is no .npz but a Python pickle, which may run any code when it is loaded; dataset.path is",
    b"\x01\x02\xff\xfe": "is no .npz; dataset.path is a file of four arrays: numpy.savez(path, x_train=",
    b"PK\x03\x04": "can't be read as .npz (File is not a zip file); write it again with numpy.savez",
    b"\x93NUMPY": "is a single array; save four with numpy.savez(path, x_train=",
}


@pytest.mark.parametrize(("content", "says"), OTHERS.items())
def test_what_is_no_npz_is_called_what_it_is(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "mine.npz"
    path.write_bytes(content)

    said = refusal(path)

    assert said.startswith(f" {says}")
    assert "allow_pickle" not in said


def test_other_members_under_the_names_of_arrays_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, **{name: array for name, array in good().items() if name != "x_train"})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x_train", "0.1, 0.2")

    assert refusal(path) == ": x_train is no array; write it with numpy.savez"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(tmp_path: Path, share: float) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, **good())
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])

    assert refusal(path).startswith(" can't be read as .npz (")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_damaged_file_is_refused_wherever_the_damage_is(tmp_path: Path, save: Any) -> None:
    path = tmp_path / "mine.npz"
    save(path, **good())
    content = path.read_bytes()

    for where in range(300, 900, 60):  # in the numbers of x_train
        path.write_bytes(content[:where] + b"\xff\xff\xff\xff" + content[where + 4 :])
        assert refusal(path).startswith(" can't be read as .npz (")


def test_what_is_wrong_with_an_array_is_said_with_the_files_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, **{**good(), "y_train": np.full(60, -1)})

    assert refusal(path) == (
        ": y_train holds the label -1; number them from 0: classes = numpy.unique(y_train), then"
        " numpy.searchsorted(classes, y_train), y_test likewise"
    )
