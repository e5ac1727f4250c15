"""The user's own data: one ``.npz`` file with x_train, y_train, x_test and y_test."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from pipeline.data.arrays import DataError, DataSet, checked


def read(path: Path) -> DataSet:
    """Read and check a file.

    Raises:
        DataError: it is missing, no ``.npz``, holds Python objects, or fails a check.

    """
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                message = f"{path} is a single array; save four with numpy.savez(path, x_train=..., y_train=..., ...)"
                raise DataError(message)
            with loaded:
                arrays = {name: loaded[name] for name in loaded.files}
        return checked(arrays, str(path))
    except FileNotFoundError:
        message = f"{path} does not exist; dataset.path is taken from the project's root"
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
        message = f"{path} can't be read as .npz ({error}); write it with numpy.savez, without Python objects"
    raise DataError(message)
