"""Accuracy: numbers that were counted by hand, and that the stage's numbers are those of its predictions."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.data.arrays import DataSet
from pipeline.runtime import litert, micro
from pipeline.stage import Found, Work
from pipeline.tasks import scoring
from tests.pipeline.making import make_stage

pytestmark = pytest.mark.smoke

Chain = Callable[..., tuple[Mapping[str, Path], Mapping[str, Found]]]

CELLS = pytest.mark.parametrize("cell", ["gru", "lstm", "simple_rnn"])


def classes(*values: int) -> npt.NDArray[np.int64]:
    return np.array(values, np.int64)


LABELS = classes(0, 0, 0, 0, 1, 1, 1, 2, 2, 2)
IN_FLOAT = classes(0, 0, 0, 1, 1, 1, 0, 2, 2, 1)
IN_INT8 = classes(0, 0, 2, 0, 1, 0, 2, 2, 2, 1)


def test_a_comparison_counted_by_hand() -> None:
    assert scoring.compare(LABELS, IN_FLOAT, IN_INT8) == {
        "test_samples": 10,
        "float_accuracy": 0.7,
        "int8_accuracy": 0.6,
        "changed_predictions": 4,
        "changed_to_wrong": 2,
        "changed_to_right": 1,
        "agreement": 0.6,
        "float_accuracy_by_class": [0.75, pytest.approx(2 / 3), pytest.approx(2 / 3)],
        "int8_accuracy_by_class": [0.75, pytest.approx(1 / 3), pytest.approx(2 / 3)],
    }


def test_equal_predictions_agree_entirely() -> None:
    compared = scoring.compare(LABELS, IN_FLOAT, IN_FLOAT)

    assert (compared["agreement"], compared["changed_predictions"]) == (1.0, 0)
    assert (compared["changed_to_wrong"], compared["changed_to_right"]) == (0, 0)


def test_a_confusion_matrix_has_a_row_per_label_and_a_column_per_prediction() -> None:
    assert scoring.confusion(LABELS, IN_INT8).tolist() == [[3, 0, 1], [1, 1, 1], [0, 1, 2]]


def test_a_class_without_samples_has_no_accuracy_but_a_place() -> None:
    labels = classes(0, 0, 3)
    predicted = classes(0, 1, 3)

    assert scoring.by_class(labels, predicted) == [0.5, None, None, 1.0]
    assert scoring.confusion(labels, predicted).tolist() == [[1, 1, 0, 0], [0] * 4, [0] * 4, [0, 0, 0, 1]]


def test_a_class_that_is_only_predicted_has_its_column() -> None:
    assert scoring.confusion(classes(0, 1), classes(0, 2)).tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 0]]
    assert scoring.by_class(classes(0, 1), classes(0, 2)) == [1.0, 0.0, None]


def test_float_and_int8_have_as_many_classes_even_when_only_one_predicts_the_last() -> None:
    compared = scoring.compare(classes(0, 1), classes(0, 1), classes(0, 2))

    assert len(compared["float_accuracy_by_class"]) == len(compared["int8_accuracy_by_class"])


@CELLS
def test_the_stages_numbers_are_those_of_outputs_computed_apart(chain: Chain, data: DataSet, cell: str) -> None:
    made, found = chain(cell)
    metrics = found["accuracy"].metrics
    in_float, in_int8 = (
        litert.outputs(made[stage] / f"{stage}.tflite", data.x_test, kernels)[litert.OUTPUT].argmax(axis=1)
        for stage, kernels in (("unrolled", litert.BUILTIN), ("quantized", litert.REFERENCE))
    )

    assert metrics["test_samples"] == 300
    assert metrics["float_accuracy"] == np.mean(in_float == data.y_test)
    assert metrics["int8_accuracy"] == np.mean(in_int8 == data.y_test)
    assert metrics["agreement"] == np.mean(in_float == in_int8)
    assert set(found["accuracy"].basis) == set(metrics)
    assert set(found["accuracy"].basis.values()) == {"measured"}
    json.dumps(metrics, allow_nan=False)


@pytest.mark.parametrize("graph", ["tied", "keras"])
def test_folded_rows_are_judged_by_the_same_samples(chain: Chain, data: DataSet, graph: str) -> None:
    made, found = chain("gru", graph=graph, rows_per_step=2)
    folded = data.x_test.reshape(300, 4, 12)
    in_int8 = litert.outputs(made["quantized"] / "quantized.tflite", folded, litert.REFERENCE)[litert.OUTPUT]

    assert found["accuracy"].metrics["test_samples"] == 300
    assert found["accuracy"].metrics["int8_accuracy"] == np.mean(in_int8.argmax(axis=1) == data.y_test)
    assert found["vela"].metrics["cpu_operators"] == 0


@CELLS
def test_the_predictions_and_confusions_are_kept(chain: Chain, data: DataSet, cell: str) -> None:
    made, found = chain(cell)
    matrices = json.loads((made["accuracy"] / scoring.CONFUSION).read_text(encoding="utf-8"))
    with np.load(made["accuracy"] / scoring.PREDICTIONS, allow_pickle=False) as file:
        kept = {name: file[name] for name in file.files}

    np.testing.assert_array_equal(kept["labels"], data.y_test)
    for form in ("float", "int8"):
        assert kept[form].shape == (300,)
        assert np.mean(kept[form] == data.y_test) == found["accuracy"].metrics[f"{form}_accuracy"]
        matrix = np.array(matrices[form])
        np.testing.assert_array_equal(matrix, scoring.confusion(data.y_test, kept[form]))
        assert matrix.sum() == 300
        assert matrix.trace() / 300 == pytest.approx(found["accuracy"].metrics[f"{form}_accuracy"])
        assert matrix.sum(axis=1).tolist() == np.bincount(data.y_test, minlength=len(matrix)).tolist()


def test_the_same_models_give_the_same_files(work: Callable[..., Work[Any]], chain: Chain) -> None:
    made, found = chain("gru")
    job = work({}, made)

    again = make_stage("accuracy", job)

    assert again == found["accuracy"]
    for name in (scoring.PREDICTIONS, scoring.CONFUSION, scoring.MICRO):
        assert (job.into / name).read_bytes() == (made["accuracy"] / name).read_bytes()


def test_progress_goes_through_float_and_int8_to_the_end(work: Callable[..., Work[Any]], chain: Chain) -> None:
    reports: list[dict[str, Any]] = []

    make_stage("accuracy", work({}, chain("simple_rnn")[0], report=lambda **facts: reports.append(facts)))

    assert reports[-1] == {"done": 900, "total": 900, "what": "TensorFlow Lite Micro"}


@pytest.mark.parametrize("activations", ["int8", "int16"])
def test_what_tensorflow_lite_micro_returned_is_kept_and_counted(chain: Chain, data: DataSet, activations: str) -> None:
    made, found = chain("gru", state=True, steps_per_inference=4, activations=activations, until="accuracy")
    metrics = found["accuracy"].metrics
    with np.load(made["accuracy"] / scoring.MICRO, allow_pickle=False) as file:
        kept = {name: file[name] for name in file.files}
    reference = litert.outputs(made["quantized"] / "quantized.tflite", data.x_test, litert.REFERENCE)

    assert {name: (values.shape, values.dtype.name) for name, values in kept.items()} == {
        "output": ((300, 3), activations),
        "gru_1_hidden": ((300, 4), activations),
    }
    assert metrics["micro_accuracy"] == np.mean(kept["output"].argmax(axis=1) == data.y_test)
    assert metrics["micro_identical"] == sum(map(np.array_equal, kept["output"], reference["output"]))


def test_without_tensorflow_lite_micro_all_else_is_measured(
    work: Callable[..., Work[Any]], chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, found = chain("gru")
    monkeypatch.setattr(micro, "find_spec", lambda _: None)
    job = work({}, made)

    without = make_stage("accuracy", job)

    absent = {"micro_accuracy", "micro_identical"}
    assert without.metrics == {**found["accuracy"].metrics, **dict.fromkeys(absent)}
    assert without.unavailable.keys() == absent
    assert "no package of TensorFlow Lite Micro for" in without.unavailable["micro_accuracy"]
    assert not (job.into / scoring.MICRO).exists()
