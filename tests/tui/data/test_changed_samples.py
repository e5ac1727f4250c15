from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from pipeline.engine.project import Project
from pipeline.engine.results.record import Record, read_record
from tests.tui.recorded import Recorded
from tui.data import changed_samples
from tui.data.artefacts import UnreadableError

ACCURACY, DATASET = Path("build/keyword/accuracy"), Path("build/keyword/dataset")


@pytest.fixture
def record(recorded: Recorded) -> Record:
    """Return the accuracy's record of a built experiment."""
    recorded.write()
    recorded.build()
    return read_record(ACCURACY)


def put(path: Path, *, compressed: bool = False, **arrays: Any) -> None:
    """Write an artefact anew, as somebody would by hand."""
    path.unlink(missing_ok=True)
    (np.savez_compressed if compressed else np.savez)(path, **arrays)


def on(record: Record, **arrays: Any) -> Record:
    """Return the record of a result that was found on this data set."""
    put(DATASET / "dataset.npz", **arrays)
    sha256 = Project().hashes.sha256(DATASET / "dataset.npz")
    return replace(record, inputs={**record.inputs, "files": {"dataset/dataset.npz": sha256}})


def test_the_samples_that_changed_class_come_with_label_and_both_classes(record: Record) -> None:
    found = changed_samples.read_changed_samples(Project(), record, ACCURACY, DATASET, 10)
    assert [(one.index, one.label, one.in_float, one.in_integers) for one in found] == [(7, 7, 7, 1), (21, 1, 1, 7)]
    assert len(found[0].pixels) == 28
    assert {value for row in found[0].pixels for value in row} == {0.0, 1.0}


def test_no_more_are_read_than_were_asked_for(record: Record) -> None:
    assert len(changed_samples.read_changed_samples(Project(), record, ACCURACY, DATASET, 1)) == 1
    assert changed_samples.read_changed_samples(Project(), record, ACCURACY, DATASET, 0) == []


def test_where_nothing_changed_the_data_set_is_not_even_needed(record: Record) -> None:
    labels = np.arange(5)
    put(ACCURACY / "predictions.npz", labels=labels, float=labels, quantized=labels)
    assert changed_samples.read_changed_samples(Project(), record, ACCURACY, Path("nowhere"), 10) == []


def test_any_time_steps_and_features_are_scaled_over_the_sample(record: Record) -> None:
    labels = np.array([0, 1])
    put(ACCURACY / "predictions.npz", labels=labels, float=labels, quantized=labels[::-1])
    samples = np.stack([np.arange(6.0).reshape(2, 3) - 3, np.full((2, 3), 0.7)]).astype(np.float32)
    first, flat = changed_samples.read_changed_samples(Project(), on(record, x_test=samples), ACCURACY, DATASET, 10)
    assert [round(value, 6) for row in first.pixels for value in row] == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert flat.pixels == [[0, 0, 0], [0, 0, 0]], "a sample without any difference is no division by zero"


def test_whole_numbers_are_scaled_too(record: Record) -> None:
    labels = np.array([0, 1])
    put(ACCURACY / "predictions.npz", labels=labels, float=labels, quantized=labels[::-1])
    samples = np.array([[[0, 255]], [[51, 102]]], np.uint8)
    found = changed_samples.read_changed_samples(Project(), on(record, x_test=samples), ACCURACY, DATASET, 10)
    assert [one.pixels for one in found] == [[[0, 1]], [[0, 1]]]


@pytest.mark.parametrize("shape", [(3, 28, 28), (40, 784), (40, 28, 28, 1), (0, 28, 28)])
def test_a_data_set_of_another_shape_does_not_hold_the_samples(record: Record, shape: tuple[int, ...]) -> None:
    with pytest.raises(UnreadableError, match="does not hold the samples of this result"):
        changed_samples.read_changed_samples(
            Project(), on(record, x_test=np.zeros(shape, np.float32)), ACCURACY, DATASET, 10
        )


def test_samples_of_a_data_set_that_was_made_since_are_not_shown_for_those_of_before(record: Record) -> None:
    put(DATASET / "dataset.npz", x_test=np.ones((40, 28, 28), np.float32))
    with pytest.raises(UnreadableError, match="does not hold the samples of this result"):
        changed_samples.read_changed_samples(Project(), record, ACCURACY, DATASET, 10)


def test_the_data_set_of_a_result_is_found_though_another_is_shown_now(recorded: Recorded, record: Record) -> None:
    path = Path("experiments/keyword.toml")
    path.write_text(path.read_text(encoding="utf-8").replace('"mnist"', '"mnist"\ntest_samples = 7'), encoding="utf-8")
    recorded.build()
    DATASET.unlink()
    assert len(changed_samples.read_changed_samples(Project(), record, ACCURACY, DATASET, 10)) == 2


MISMATCHED: dict[str, dict[str, Any]] = {
    "fewer int8": {"labels": np.arange(5), "float": np.arange(5), "quantized": np.arange(4)},
    "fewer labels": {"labels": np.arange(3), "float": np.arange(5), "quantized": np.arange(5)[::-1]},
    "one int8 for all": {"labels": np.arange(5), "float": np.arange(5), "quantized": np.arange(1)},
    "no list": {"labels": np.array(1), "float": np.array(1), "quantized": np.array(2)},
    "tables": {"labels": np.ones((2, 2)), "float": np.ones((2, 2)), "quantized": np.zeros((2, 2))},
    "one missing": {"labels": np.arange(5), "float": np.arange(5)},
    "Python objects": {"labels": np.arange(1), "float": np.arange(1), "quantized": np.array([{}])},
}


@pytest.mark.parametrize("arrays", MISMATCHED.values(), ids=MISMATCHED)
def test_predictions_that_do_not_belong_together_are_named(record: Record, arrays: dict[str, Any]) -> None:
    put(ACCURACY / "predictions.npz", **arrays)
    with pytest.raises(UnreadableError, match=r"predictions\.npz"):
        changed_samples.read_changed_samples(Project(), record, ACCURACY, DATASET, 10)


def _nothing(path: Path) -> None:
    path.write_bytes(b"")


def _half(path: Path) -> None:
    put(path, labels=np.arange(900), float=np.arange(900), quantized=np.arange(900))
    path.write_bytes(path.read_bytes()[:2000])


def _bits(path: Path) -> None:
    put(path, compressed=True, labels=np.arange(900), float=np.arange(900), quantized=np.arange(900))
    content = bytearray(path.read_bytes())
    content[200:260] = b"\xff" * 60
    path.write_bytes(content)


def _noise(path: Path) -> None:
    path.write_bytes(b"noise" * 500)


def _single_array(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.arange(5))


def _folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("damage", [_nothing, _half, _bits, _noise, _single_array, _folder])
@pytest.mark.parametrize("file", [ACCURACY / "predictions.npz", DATASET / "dataset.npz"], ids=lambda file: file.name)
def test_a_damaged_file_is_named(record: Record, file: Path, damage: Any) -> None:
    file.unlink()
    damage(file)
    with pytest.raises(UnreadableError, match=rf"{file.name}|does not hold the samples"):
        changed_samples.read_changed_samples(Project(), record, ACCURACY, DATASET, 10)


@pytest.mark.parametrize("file", [ACCURACY / "predictions.npz", DATASET / "dataset.npz"], ids=lambda file: file.name)
def test_a_missing_file_is_named(record: Record, file: Path) -> None:
    file.unlink()
    with pytest.raises(UnreadableError, match=rf"{file.name} can't be read: .*No such file"):
        changed_samples.read_changed_samples(Project(), record, ACCURACY, DATASET, 10)
