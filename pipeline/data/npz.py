"""The user's own data: one ``.npz`` file with x_train, y_train, x_test and y_test."""

import zipfile
from pathlib import Path

import numpy as np

from pipeline.data.arrays import DataError, DataSet, checked


def read(path: Path) -> DataSet:
    """Read and check a file.

    Raises:
        DataError: it is missing, no ``.npz``, holds Python objects, or fails a check.

    """
    try:
        with np.load(path, allow_pickle=False) as file:
            if not isinstance(file, np.lib.npyio.NpzFile):
                message = f"{path} is a single array; save four with numpy.savez(path, x_train=..., y_train=..., ...)"
                raise DataError(message)
            return checked({name: file[name] for name in file.files}, str(path))
    except FileNotFoundError:
        message = f"{path} does not exist; dataset.path is taken from the project's root"
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        message = f"{path} can't be read as .npz ({error}); write it with numpy.savez, without Python objects"
    raise DataError(message)
