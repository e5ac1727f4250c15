"""MNIST from its four IDX files, trusted by the sha256 of their uncompressed content."""

import gzip
import hashlib
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.data import file_kind, mirrors
from pipeline.data.arrays import DataError, DataSet
from pipeline.data.mnist_files import DOWNLOADS, FILES, file
from pipeline.stage import Work

_IDX = b"\0\0\x08"
"""Bytes in so many dimensions, which the next byte says."""
_HEADER_BYTES = {"images": 16, "labels": 8}
"""Of the IDX format: a magic number, then one big-endian int32 per dimension."""


def read(folder: Path | None, named: str | None, work: Work[Any]) -> DataSet:
    """Read MNIST from this machine or, if it is not here, from a public mirror.

    Args:
        folder: holds all four files, if one does.
        named: the folder that the experiment names, if it names one.
        work: is told how far a download is.

    Raises:
        DataError: a file is damaged, or ``dataset.path`` was named and does not hold MNIST.
        mirrors.OfflineError: no mirror could be reached in seconds.

    """
    if named and folder != Path(named):
        missing = [name for name in FILES if not file(Path(named), name)]
        message = f"dataset.path = {named!r} lacks {', '.join(missing)} (.gz or not); remove the key to download MNIST"
        raise DataError(message)
    if folder is None:
        mirrors.download(work, check=_content)
        folder = DOWNLOADS
    arrays = {name: _array(folder, name) for name in FILES}
    return DataSet(
        x_train=_images(arrays["train-images-idx3-ubyte"]),
        y_train=arrays["train-labels-idx1-ubyte"].astype(np.int64),
        x_test=_images(arrays["t10k-images-idx3-ubyte"]),
        y_test=arrays["t10k-labels-idx1-ubyte"].astype(np.int64),
    )


def _images(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Normalize to [0, 1]: (N * 784,) uint8 to (N, 28, 28) float32."""
    return pixels.reshape(-1, 28, 28).astype(np.float32) / np.float32(255)


def _array(folder: Path, name: str) -> npt.NDArray[np.uint8]:
    path = file(folder, name)
    if path is None:
        message = f"{folder / name} vanished while it was read; run doit again"
        raise DataError(message)
    kind = "images" if "images" in name else "labels"
    return np.frombuffer(_content(path, name), np.uint8, offset=_HEADER_BYTES[kind])


def _content(path: Path, name: str) -> bytes:
    """Return the uncompressed content of a file.

    Raises:
        DataError: it is not the file that MNIST's authors published.

    """
    content = path.read_bytes()
    try:
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        message = f"{path} is truncated or damaged ({error}); remove it and run doit again"
        raise DataError(message) from None
    if hashlib.sha256(content).hexdigest() != FILES[name]:
        kind = None if content.startswith(_IDX) else file_kind.recognised(content)
        if kind and kind.remedy:
            message = f"{path} is {kind.name}: {kind.remedy}"
            raise DataError(message)
        but = f" but {kind.name}" if kind else ""
        message = f"{path} is not MNIST's {name}{but}: its content has another sha256; remove it and run doit again"
        raise DataError(message)
    return content
