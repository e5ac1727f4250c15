"""Where a data set may already be on this machine. Light: the graph asks this, too."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline import folders

MNIST_FILES: Mapping[str, str] = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""The four IDX files and the sha256 of their uncompressed content."""

DOWNLOADS = folders.DOWNLOADS / "mnist"
"""Where files from a mirror are kept."""


def mnist_places(config: Mapping[str, Any], root: Path = Path()) -> list[Path]:
    """Return the folders that may hold MNIST, in the order in which they are asked; ``root`` is the project's."""
    data = os.environ.get("UNROLL_DATA")
    named = config["dataset"]["path"]
    return [root / place for place in (named, data and Path(data, "mnist"), DOWNLOADS) if place]


def mnist_file(folder: Path, name: str) -> Path | None:
    """Return one of the four files in a folder, gzipped or not."""
    return next((path for path in (folder / f"{name}.gz", folder / name) if path.is_file()), None)


def mnist_folder(config: Mapping[str, Any], root: Path = Path()) -> Path | None:
    """Return the first folder that holds all four files of MNIST, if MNIST is asked for; ``root`` is the project's."""
    if config["dataset"]["name"] != "mnist":
        return None
    return next(
        (folder for folder in mnist_places(config, root) if all(mnist_file(folder, name) for name in MNIST_FILES)), None
    )


def own_files(config: Mapping[str, Any]) -> dict[str, Path]:
    """Return the user's own files that a job reads, under the names by which they are told: content alone matters."""
    return {name: Path(_value(config, keys)) for name, keys in _own_keys(config).items()}


def with_files(config: Mapping[str, Any], files: Mapping[str, Path]) -> dict[str, Any]:
    """Name other files in place of the user's own, by what ``own_files`` calls them."""
    changed = dict(config)
    for name, path in files.items():
        match _own_keys(config)[name]:
            case (section, key):
                changed[section] = {**config[section], key: path.as_posix()}
            case (key,):
                changed[key] = path.as_posix()
    return changed


def _own_keys(config: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return what each of the user's own files is called -> section and key, or key, that names it."""
    if "tflite" in config.get("model", {}):
        return {"model.tflite": ("model", "tflite")}
    if config.get("config"):
        return {Path(config["config"]).name: ("config",)}
    dataset = config.get("dataset")
    if dataset and dataset["name"] == "npz":
        return {Path(dataset["path"]).name: ("dataset", "path")}
    return {}


def _value(config: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    value: Any = config
    for key in keys:
        value = value[key]
    return str(value)


MISSING = "missing"
"""What stands in place of the digest of a file that can't be read."""

_PATHS = {"dataset": "path", "model": "tflite"}
"""Section -> its key that says where something is found."""


def without_paths(config: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out where data is found: only its content matters, and paths differ in a container."""
    return {
        name: {key: value for key, value in part.items() if key != _PATHS.get(name)} if name in _PATHS else part
        for name, part in config.items()
        if name != "config"
    }
