import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.data.sources.digits import Digits
from pipeline.data.sources.npz import Npz
from pipeline.engine.digests.own_files import Copies
from pipeline.engine.project import Project
from pipeline.frontends.section import ImportedModel
from pipeline.npu.section import Target
from pipeline.section import Section, own_files

CONTENT = hashlib.sha256(b"content").hexdigest()
NPZ: dict[str, Section] = {"dataset": Npz(path="own/data.npz")}
MODEL: dict[str, Section] = {"model": ImportedModel(tflite="own/data.npz")}
INI: dict[str, Section] = {
    "target": Target(accelerator="ethos-u55-128", system_config="mine", memory_mode="mine", config="own/data.npz")
}


def config(sections: Mapping[str, Section]) -> dict[str, Any]:
    return {title: section.as_dict() for title, section in sections.items()}


@pytest.fixture
def own(workplace: Project) -> Path:
    path = workplace.root / "own" / "data.npz"
    path.parent.mkdir()
    path.write_bytes(b"content")
    return path


def _copies(project: Project, sections: Mapping[str, Section], digests: dict[str, str]) -> Copies:
    return Copies(own_files(sections, project.root), config(sections), digests, project.root / "scratch")


@pytest.mark.parametrize(
    ("sections", "name"), [(NPZ, "data.npz"), (MODEL, "model.tflite"), (INI, "data.npz")], ids=["npz", "tflite", "ini"]
)
def test_the_stage_is_told_of_the_copy_and_of_nothing_else(
    workplace: Project, own: Path, sections: dict[str, Section], name: str
) -> None:
    copies = _copies(workplace, sections, {name: CONTENT})
    own.write_bytes(b"changed")
    ((copy, shown),) = copies.shown_as.items()
    assert (copies.changed, copies.missing, shown) == ([], [], "own/data.npz")
    assert Path(copy).read_bytes() == b"content"
    assert Path(copy).name == "data.npz", "what is read may depend on the name"
    assert str(copies.config) == str(config(sections)).replace("own/data.npz", copy)


def test_a_file_that_is_another_by_now_is_named(workplace: Project, own: Path) -> None:
    own.write_bytes(b"changed")
    assert _copies(workplace, NPZ, {"data.npz": CONTENT}).changed == ["data.npz"]


def test_a_file_that_is_gone_is_named(workplace: Project, own: Path) -> None:
    own.unlink()
    assert _copies(workplace, NPZ, {"data.npz": CONTENT}).changed == ["data.npz"]


def test_a_file_that_was_never_there_is_left_for_the_stage_to_say(workplace: Project) -> None:
    copies = _copies(workplace, NPZ, {"data.npz": "missing"})
    assert (copies.changed, copies.missing, copies.config) == ([], ["data.npz"], config(NPZ))


def test_a_file_that_came_since_is_named(workplace: Project, own: Path) -> None:
    assert own.exists()
    assert _copies(workplace, NPZ, {"data.npz": "missing"}).changed == ["data.npz"]


def test_a_folder_in_its_place_counts_as_missing(workplace: Project) -> None:
    (workplace.root / "own" / "data.npz").mkdir(parents=True)
    assert _copies(workplace, NPZ, {"data.npz": "missing"}).missing == ["data.npz"]


def test_without_own_files_nothing_is_copied(workplace: Project) -> None:
    digits = {"dataset": Digits()}
    copies = _copies(workplace, digits, {})
    assert (copies.config, copies.shown_as, (workplace.root / "scratch").exists()) == (config(digits), {}, False)
