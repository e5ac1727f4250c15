import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from pipeline.engine.digests.own_files import Copies

CONTENT = hashlib.sha256(b"content").hexdigest()
NPZ = {"dataset": {"name": "npz", "path": "own/data.npz", "train_samples": None}}
MODEL = {"model": {"tflite": "own/data.npz"}}
INI = {"accelerator": "ethos-u55-128", "config": "own/data.npz"}


@pytest.fixture
def own(workplace: Path) -> Path:
    path = workplace / "own" / "data.npz"
    path.parent.mkdir()
    path.write_bytes(b"content")
    return path


@pytest.mark.parametrize(
    ("config", "name"), [(NPZ, "data.npz"), (MODEL, "model.tflite"), (INI, "data.npz")], ids=["npz", "tflite", "ini"]
)
def test_the_stage_is_told_of_the_copy_and_of_nothing_else(own: Path, config: dict[str, Any], name: str) -> None:
    copies = Copies(config, {name: CONTENT}, Path("scratch"))
    own.write_bytes(b"changed")
    ((copy, shown),) = copies.shown_as.items()
    assert (copies.changed, copies.missing, shown) == ([], [], "own/data.npz")
    assert Path(copy).read_bytes() == b"content"
    assert Path(copy).name == "data.npz", "what is read may depend on the name"
    assert str(copies.config) == str(config).replace("own/data.npz", copy)


def test_a_file_that_is_another_by_now_is_named(own: Path) -> None:
    own.write_bytes(b"changed")
    assert Copies(NPZ, {"data.npz": CONTENT}, Path("scratch")).changed == ["data.npz"]


def test_a_file_that_is_gone_is_named(own: Path) -> None:
    own.unlink()
    assert Copies(NPZ, {"data.npz": CONTENT}, Path("scratch")).changed == ["data.npz"]


@pytest.mark.usefixtures("workplace")
def test_a_file_that_was_never_there_is_left_for_the_stage_to_say() -> None:
    copies = Copies(NPZ, {"data.npz": "missing"}, Path("scratch"))
    assert (copies.changed, copies.missing, copies.config) == ([], ["data.npz"], NPZ)


def test_a_file_that_came_since_is_named(own: Path) -> None:
    assert own.exists()
    assert Copies(NPZ, {"data.npz": "missing"}, Path("scratch")).changed == ["data.npz"]


@pytest.mark.usefixtures("workplace")
def test_a_folder_in_its_place_counts_as_missing() -> None:
    os.makedirs("own/data.npz")
    assert Copies(NPZ, {"data.npz": "missing"}, Path("scratch")).missing == ["data.npz"]


@pytest.mark.usefixtures("workplace")
def test_without_own_files_nothing_is_copied() -> None:
    config = {"dataset": {"name": "digits", "path": None}}
    copies = Copies(config, {}, Path("scratch"))
    assert (copies.config, copies.shown_as, Path("scratch").exists()) == (config, {}, False)
