from pathlib import Path

import pytest
from msgspec.structs import replace

from pipeline.engine.project import Project
from pipeline.engine.results.record import Record, read_record
from tests.tui.recorded import BY_CLASS, HOUR, NOW, Recorded
from tui.data import accuracy
from tui.data.artefacts import UnreadableError


@pytest.fixture
def records(recorded: Recorded) -> dict[str, Record]:
    """Return the records of a built experiment by stage."""
    recorded.write()
    recorded.build()
    return {job.stage.name: read_record(job.link) for job in recorded.jobs()}


def test_each_class_has_its_recall_on_each_rung(records: dict[str, Record]) -> None:
    by_class = accuracy.by_class(records["accuracy"])
    assert list(by_class) == ["float", "int8"]
    assert by_class["float"] == list(BY_CLASS)


def test_a_class_without_samples_has_no_recall(records: dict[str, Record]) -> None:
    record = replace(records["accuracy"], metrics={"scores": {"float": {"accuracy_by_class": [1.0, None]}}})
    assert accuracy.by_class(record) == {"float": [1.0, None]}


def test_the_confusion_is_read_for_each_rung(recorded: Recorded, records: dict[str, Record]) -> None:
    del recorded, records
    matrices = accuracy.read_confusions(Path("build/keyword/accuracy"))
    assert set(matrices) == {"float", "quantized"}
    assert accuracy.mistaken_most(matrices["quantized"], 5) == [(4, 9, 14), (7, 2, 8)]


DAMAGED = {
    "empty": b"",
    "truncated": b'{"float": [[1, 2], [3',
    "another form": b'[{"float": 1}]',
    "text for counts": b'{"float": [["many"]]}',
    "not UTF-8": b'{"fl\xffoat": [[1]]}',
    "NUL bytes": bytes(500),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_confusion_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "confusion.json").write_bytes(content)
    with pytest.raises(UnreadableError, match=r"confusion\.json is truncated or not ours"):
        accuracy.read_confusions(tmp_path)


def test_a_missing_confusion_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"confusion\.json can't be read: No such file"):
        accuracy.read_confusions(tmp_path)


def test_a_folder_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "confusion.json").mkdir()
    with pytest.raises(UnreadableError, match="can't be read: Is a directory"):
        accuracy.read_confusions(tmp_path)


def test_the_commonest_mistakes_come_first_and_the_diagonal_is_none(tmp_path: Path) -> None:
    del tmp_path
    matrix = [[9, 1, 0], [5, 9, 3], [0, 3, 9]]
    assert accuracy.mistaken_most(matrix, 3) == [(1, 0, 5), (1, 2, 3), (2, 1, 3)]
    assert accuracy.mistaken_most(matrix, 0) == []
    assert accuracy.mistaken_most([[3, 0], [0, 4]], 5) == []


def test_the_result_before_is_the_youngest_older_one_of_the_same_experiment(recorded: Recorded) -> None:
    for units, hours in ((16, 9), (32, 7), (64, 5)):
        recorded.write(units=units)
        recorded.build(int8=units / 100, finished=NOW - hours * HOUR)
    recorded.write("another", units=8)
    recorded.build("another", int8=0.5, finished=NOW - 6 * HOUR)
    current = read_record(Path("build/keyword/accuracy"))
    before = accuracy.previous(Project().store, current)
    assert before is not None
    assert (before.experiment, before.metrics["scores"]["quantized"]["accuracy"]) == ("keyword", 0.32)


def test_the_first_result_has_none_before_it(records: dict[str, Record]) -> None:
    assert accuracy.previous(Project().store, records["accuracy"]) is None


def test_going_back_to_an_earlier_setting_does_not_call_the_later_result_the_one_before(recorded: Recorded) -> None:
    recorded.write(units=16)
    recorded.build(int8=0.16, finished=NOW - 2 * HOUR)
    first = read_record(Path("build/keyword/accuracy"))
    recorded.write(units=32)
    recorded.build(int8=0.32, finished=NOW - HOUR)
    assert accuracy.previous(Project().store, first) is None
