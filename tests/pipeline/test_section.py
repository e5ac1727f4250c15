"""What every table of an experiment has: keys that count, keys that only judge, and files of the user's own."""

from pathlib import Path

import msgspec
import pytest

from pipeline.data.sources.digits import Digits
from pipeline.data.sources.mnist import Mnist
from pipeline.data.sources.npz import Npz
from pipeline.frontends.section import ImportedModel, Model
from pipeline.npu.section import Target
from pipeline.section import Section, own_files
from pipeline.verification.section import Verify

U55 = Target(accelerator="ethos-u55-128", system_config="Ethos_U55_Deep_Embedded", memory_mode="Sram_Only")


@pytest.mark.parametrize(
    ("section", "name", "path"),
    [
        (Npz(path="data/mine.npz"), "mine.npz", "data/mine.npz"),
        (msgspec.structs.replace(U55, config="some/my.ini"), "my.ini", "some/my.ini"),
        (ImportedModel(tflite="a/b.tflite"), "model.tflite", "a/b.tflite"),
    ],
)
def test_ones_own_files_are_those_that_a_section_names(section: Section, name: str, path: str) -> None:
    (file,) = own_files({"one": section})
    assert (file.name, file.section, file.path) == (name, "one", Path(path))
    assert file.key in section.PATHS, "where it lies makes nothing stale"
    assert getattr(section, file.key) == path


@pytest.mark.parametrize("section", [Mnist(path="folder"), Digits(), Model(cell="gru", units=8), U55])
def test_other_sections_name_none(section: Section) -> None:
    assert own_files({"one": section}) == []


def test_keys_that_judge_and_later_keys_that_were_not_chosen_do_not_count() -> None:
    assert Verify(require="nothing").as_dict() == {"samples": None}
    assert "rows_per_step" not in Model(cell="gru", units=8).as_dict()
    assert Model(cell="gru", units=8, rows_per_step=4).as_dict()["rows_per_step"] == 4
