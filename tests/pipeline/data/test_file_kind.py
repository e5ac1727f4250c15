"""What a file is, told by its first bytes: real ones where we can write them."""

import gzip
import io
import json
import pickle
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from pipeline.data import file_kind
from pipeline.data.file_kind import mistaken, recognised
from tests.models import chain, packed

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"9c58" * 16 + b"\nsize 113472\n"
ANNEX = b"/annex/objects/SHA256E-s113472--9c582545b7c13af44616c44b654f4fe7.npz\n"


def _npz() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, x_train=np.zeros(3))
    return stream.getvalue()


def _npy() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.zeros(3))
    return stream.getvalue()


def _zip(first: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(first, "content")
    return stream.getvalue()


def _tar() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("name"), None)
    return stream.getvalue()


WRITTEN: dict[str, Callable[[], bytes]] = {
    "a file of NumPy arrays (.npz)": _npz,
    "a single NumPy array (.npy)": _npy,
    "a TensorFlow Lite model": lambda: packed(chain()),
    "a Python pickle, which may run any code when it is loaded": lambda: pickle.dumps({"x": 1}),
    "a gzip archive": lambda: gzip.compress(b"x"),
    "a tar archive": _tar,
    "a zip archive": lambda: _zip("notes.txt"),
    "a PyTorch file": lambda: _zip("model/data.pkl"),
    "a document of Microsoft Office": lambda: _zip("[Content_Types].xml"),
    "an ONNX model": lambda: b"\x08\x08\x12\x07pytorch",
    "a JSON file": lambda: json.dumps({"a": [1, 2]}).encode(),
    "a table as text, with commas (CSV)": "größe,klasse\n0.5,1\n".encode,
    "a table as text, with semicolons (CSV)": lambda: b"\xef\xbb\xbfa;b\n0,5;1\n",
    "a text file": lambda: b"nothing in columns",
    "a web page (HTML), such as a server sends in place of a file that it refuses": lambda: b"\n<!DOCTYPE html><html>",
    "an empty file": lambda: b"",
}


@pytest.mark.parametrize(("name", "write"), WRITTEN.items(), ids=WRITTEN)
def test_a_file_is_known_by_its_first_bytes(name: str, write: Callable[[], bytes]) -> None:
    kind = recognised(write())

    assert kind is not None
    assert (kind.name, kind.remedy) == (name, None)


@pytest.mark.parametrize(("suffix", "name"), [("keras", "a Keras model (.keras)"), ("weights.h5", "an HDF5 file")])
def test_what_keras_saves_is_known(tmp_path: Path, suffix: str, name: str) -> None:
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    path = tmp_path / f"mine.{suffix}"
    network.save(path) if suffix == "keras" else network.save_weights(path)

    kind = recognised(path.read_bytes())

    assert kind is not None
    assert kind.name.startswith(name)


def test_a_database_is_known(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "mine.db") as database:
        database.execute("create table samples (x real)")
    database.close()

    kind = recognised((tmp_path / "mine.db").read_bytes())

    assert kind is not None
    assert kind.name == "a SQLite database"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (LFS, "mine.npz is a Git LFS pointer of 113,472 bytes: git lfs pull gets the file itself"),
        (LFS[:60], "mine.npz is a Git LFS pointer: git lfs pull gets the file itself"),
        (LFS.replace(b"113472", b"9" * 40), "mine.npz is a Git LFS pointer: git lfs pull gets the file itself"),
        (ANNEX, "mine.npz is a git-annex pointer: git annex get gets the file itself"),
        (b"../.git/annex/objects/x", "mine.npz is a git-annex pointer: git annex get gets the file itself"),
    ],
)
def test_a_pointer_says_what_gets_the_file(content: bytes, says: str) -> None:
    assert mistaken(Path("mine.npz"), content, ".npz", "save one") == says


def test_another_kind_is_told_what_to_do_instead() -> None:
    assert mistaken(Path("mine.npz"), b"a,b\n", ".npz", "save one") == (
        "mine.npz is no .npz but a table as text, with commas (CSV); save one"
    )


@pytest.mark.parametrize("content", [b"\x01\x02\x03", b"\xff" * 600, b"\0" * 600, b"abc\0def"])
def test_what_is_not_known_is_not_guessed(content: bytes) -> None:
    assert recognised(content) is None
    assert mistaken(Path("mine.npz"), content, ".npz", "save one") == "mine.npz is no .npz; save one"


@pytest.mark.parametrize("cut", range(6))
def test_text_may_be_cut_within_a_character(cut: int) -> None:
    text = ("ü€😀" * 100).encode()

    kind = recognised(text[: file_kind.HEAD_BYTES - cut])

    assert kind is not None
    assert kind.name == "a text file"


def test_random_bytes_never_fail() -> None:
    random = np.random.default_rng(0)
    for length in (1, 2, 3, 27, 30, 31, 600):
        for start in (b"", b"PK\x03\x04", b"version https://git-lfs", b"\x08\x08\x12"):
            recognised(start + random.bytes(length))
