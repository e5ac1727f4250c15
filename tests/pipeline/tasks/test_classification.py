"""Classification: numbers that were counted by hand."""

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.tasks import classification
from pipeline.tasks.classification import CLASSIFICATION
from pipeline.tasks.task import Judged


def classes(*values: int) -> npt.NDArray[np.int64]:
    return np.array(values, np.int64)


LABELS = classes(0, 0, 0, 0, 1, 1, 1, 2, 2, 2)
IN_FLOAT = classes(0, 0, 0, 1, 1, 1, 0, 2, 2, 1)
IN_INT8 = classes(0, 0, 2, 0, 1, 0, 2, 2, 2, 1)


def test_a_comparison_counted_by_hand() -> None:
    assert CLASSIFICATION.scores(LABELS, {"float": IN_FLOAT, "quantized": IN_INT8}) == {
        "float": {"accuracy": 0.7, "accuracy_by_class": [0.75, pytest.approx(2 / 3), pytest.approx(2 / 3)]},
        "quantized": {"accuracy": 0.6, "accuracy_by_class": [0.75, pytest.approx(1 / 3), pytest.approx(2 / 3)]},
    }
    assert CLASSIFICATION.changed(Judged(LABELS, IN_FLOAT, IN_INT8)) == {
        "changed_predictions": 4,
        "changed_to_wrong": 2,
        "changed_to_right": 1,
        "agreement": 0.6,
    }


def test_equal_predictions_agree_entirely() -> None:
    changed = CLASSIFICATION.changed(Judged(LABELS, IN_FLOAT, IN_FLOAT))

    assert (changed["agreement"], changed["changed_predictions"]) == (1.0, 0)
    assert (changed["changed_to_wrong"], changed["changed_to_right"]) == (0, 0)


def test_every_metric_of_a_change_is_declared() -> None:
    declared = {metric.name for metric in CLASSIFICATION.changes}
    assert declared == set(CLASSIFICATION.changed(Judged(LABELS, IN_FLOAT, IN_INT8)))


@pytest.mark.parametrize("dtype", [np.float32, np.int8, np.int16, np.uint8])
def test_the_answer_is_the_class_of_the_largest_output(dtype: type[np.generic]) -> None:
    outputs = np.array([[1, 5, 2], [9, 9, 3]]).astype(dtype)
    assert CLASSIFICATION.answers(outputs).tolist() == [1, 0], "of equal ones, the first"


def test_a_confusion_matrix_has_a_row_per_label_and_a_column_per_prediction() -> None:
    assert classification.confusion(LABELS, IN_INT8).tolist() == [[3, 0, 1], [1, 1, 1], [0, 1, 2]]


def test_a_class_without_samples_has_no_accuracy_but_a_place() -> None:
    labels = classes(0, 0, 3)
    predicted = classes(0, 1, 3)

    assert classification.by_class(labels, predicted) == [0.5, None, None, 1.0]
    assert classification.confusion(labels, predicted).tolist() == [[1, 1, 0, 0], [0] * 4, [0] * 4, [0, 0, 0, 1]]


def test_a_class_that_is_only_predicted_has_its_column() -> None:
    assert classification.confusion(classes(0, 1), classes(0, 2)).tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 0]]
    assert classification.by_class(classes(0, 1), classes(0, 2)) == [1.0, 0.0, None]


def test_all_forms_have_as_many_classes_even_when_only_one_predicts_the_last() -> None:
    scores = CLASSIFICATION.scores(classes(0, 1), {"float": classes(0, 1), "quantized": classes(0, 2)})

    assert len(scores["float"]["accuracy_by_class"]) == len(scores["quantized"]["accuracy_by_class"]) == 3


def test_targets_mixed_with_what_a_teacher_says_are_probabilities_still() -> None:
    teacher = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]], np.float32)

    mixed = CLASSIFICATION.distilled(classes(2, 1), teacher, 0.5)

    assert mixed.tolist() == [[0.25, 0.125, 0.625], [0.0, 1.0, 0.0]]
