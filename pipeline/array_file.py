"""Arrays as an ``.npz`` file whose bytes depend on nothing but the arrays."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


def save(file: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write an ``.npz``; the same arrays give the same bytes.

    numpy.savez asks zipfile for the 64-bit headers of archives above 2 GB always, and what zipfile
    then writes changed with Python 3.11.4: the image's Python and the host's would not agree.
    """
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.file_size = array.nbytes  # lets zipfile choose the headers
            with archive.open(entry, "w") as stream:
                np.lib.format.write_array(stream, array, allow_pickle=False)
