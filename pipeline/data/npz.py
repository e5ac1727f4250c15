"""The user's own data: one ``.npz`` file with x_train, y_train, x_test and y_test."""

import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from pipeline.data import file_kind
from pipeline.data.arrays import DataError, DataSet
from pipeline.data.checks import Learner, checked

_ZIP = b"PK\x03\x04"
_SINGLE = b"\x93NUMPY"
HOW = "dataset.path is a file of four arrays: numpy.savez(path, x_train=..., y_train=..., x_test=..., y_test=...)"


def read(path: Path, learner: Learner) -> DataSet:
    """Read and check a file.

    Raises:
        DataError: it is missing, no ``.npz``, holds Python objects, or fails a check.

    """
    try:
        with path.open("rb") as file:
            _refuse_others(file.read(file_kind.HEAD_BYTES), path)
            file.seek(0)
            arrays = _arrays(file, path)
        return checked(arrays, str(path), learner)
    except FileNotFoundError:
        message = f"{path} does not exist; dataset.path is taken from the project's root"
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
        message = f"{path} can't be read as .npz ({error}); write it again with numpy.savez"
    raise DataError(message)


def _refuse_others(head: bytes, path: Path) -> None:
    """Refuse what is no ``.npz``: numpy takes it for a pickle, and advises to load that."""
    if head.startswith(_ZIP):
        return
    if head.startswith(_SINGLE):
        message = f"{path} is a single array; save four with numpy.savez(path, x_train=..., y_train=..., ...)"
        raise DataError(message)
    raise DataError(file_kind.mistaken(path, head, ".npz", HOW))


def _arrays(file: BinaryIO, path: Path) -> dict[str, npt.NDArray[Any]]:
    with np.load(file, allow_pickle=False) as loaded:
        arrays = {}
        for name in loaded.files:
            try:
                arrays[name] = loaded[name]
            except ValueError as error:
                if "allow_pickle" not in str(error):
                    raise
                message = (
                    f"{path}: {name} holds Python objects, not numbers (lists of different lengths become such):"
                    " bring all samples to one shape, then save it again"
                )
                raise DataError(message) from None
    return arrays
