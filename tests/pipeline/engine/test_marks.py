from pathlib import Path

from pipeline.engine.marks import Marks


def test_a_task_is_marked_until_its_mark_is_taken_away(tmp_path: Path) -> None:
    marks = Marks(tmp_path / "build" / ".forgotten")
    assert marks.names() == frozenset(), "there is not even a folder"
    marks.remove("network:tiny")
    marks.add("network:tiny")
    marks.add("vela:tiny:u55-128")
    marks.add("network:tiny")
    assert marks.names() == {"network:tiny", "vela:tiny:u55-128"}
    marks.remove("network:tiny")
    assert Marks(tmp_path / "build" / ".forgotten").names() == {"vela:tiny:u55-128"}


def test_a_file_in_place_of_the_folder_marks_nothing(tmp_path: Path) -> None:
    (tmp_path / "marks").touch()
    marks = Marks(tmp_path / "marks")
    marks.remove("network:tiny")
    assert marks.names() == frozenset()
