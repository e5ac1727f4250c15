"""The test samples whose class changed by quantizing, with what the network saw of them.

The only part of the dashboard that needs numpy, which is imported when samples are asked for.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

from pipeline.engine.project import Project
from pipeline.engine.results.record import Record
from pipeline.tasks.classification import PREDICTIONS
from pipeline.views import accuracies
from pipeline.views.accuracies import FLOAT, QUANTIZED
from tui.data.artefacts import UnreadableError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Pixels = Sequence[Sequence[float]]
"""A sample as rows of time steps, each of features, scaled to [0, 1] over the sample."""


@dataclass(frozen=True, slots=True)
class ChangedSample:
    """A test sample that the quantized model puts into another class than the float model."""

    index: int
    label: int
    in_float: int
    rung: str
    """What the quantized model stores activations in: ``int8`` or ``int16``."""
    in_integers: int
    pixels: Pixels


def read_changed_samples(
    project: Project, accuracy: Record, accuracy_folder: Path, dataset_folder: Path, most: int
) -> list[ChangedSample]:
    """Return the first samples whose class changed.

    Raises:
        UnreadableError: the predictions or the data set are missing or damaged.

    """
    predictions = accuracy_folder / PREDICTIONS
    rung = accuracies.name_of(QUANTIZED, accuracy.metrics)
    labels, in_float, in_integers = _arrays(predictions, ("labels", FLOAT, QUANTIZED))
    if labels.ndim != 1 or not labels.shape == in_float.shape == in_integers.shape:
        message = f"{predictions} does not hold one label and two classes for each sample"
        raise UnreadableError(message)
    indices = [int(index) for index in (in_float != in_integers).nonzero()[0][:most]]
    if not indices:
        return []
    (samples,) = _arrays(_dataset_file(project, accuracy, dataset_folder), ("x_test",))
    if samples.ndim != 3 or len(samples) < len(labels):  # noqa: PLR2004 - samples, time steps, features
        raise _not_its_samples(dataset_folder)
    return [
        ChangedSample(
            index, int(labels[index]), int(in_float[index]), rung, int(in_integers[index]), _scaled(samples[index])
        )
        for index in indices
    ]


def _dataset_file(project: Project, accuracy: Record, dataset_folder: Path) -> Path:
    """Return the data set that the accuracy was measured on, which may no longer be the one shown."""
    sha256 = accuracy.inputs["files"].get("dataset/dataset.npz")
    homes = [
        project.store.find(record.key)
        for record in project.store.records()
        if record.stage == "dataset"
        and "dataset.npz" in record.outputs
        and record.outputs["dataset.npz"]["sha256"] == sha256
    ]
    trouble = _not_its_samples(dataset_folder)
    for home in [*filter(None, homes), dataset_folder]:
        path = home / "dataset.npz"
        try:
            if project.hashes.sha256(path) == sha256:
                return path
        except OSError as error:
            trouble = UnreadableError(f"{path} can't be read: {error.strerror}")
    raise trouble


def _not_its_samples(dataset_folder: Path) -> UnreadableError:
    return UnreadableError(f"{dataset_folder} does not hold the samples of this result")


def _arrays(path: Path, names: Sequence[str]) -> "list[npt.NDArray[np.float32]]":
    import numpy as np  # noqa: PLC0415 - see above

    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return [archive[name] for name in names]
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile, zlib.error) as error:
        message = f"{path} can't be read: {error}"
        raise UnreadableError(message) from None


def _scaled(sample: "npt.NDArray[np.float32]") -> Pixels:
    low, high = float(sample.min()), float(sample.max())
    scaled = (sample - low) / ((high - low) or 1.0)
    return [[float(value) for value in row] for row in scaled]
