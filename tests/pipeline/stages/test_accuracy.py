"""Accuracy: numbers that were counted by hand, and that the stage's numbers are those of its predictions."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.data.arrays import DataSet
from pipeline.runtime import litert, micro
from pipeline.scoring import forms
from pipeline.stage import Found, Work
from pipeline.tasks import classification
from tests.pipeline.making import make_stage

pytestmark = pytest.mark.smoke

Chain = Callable[..., tuple[Mapping[str, Path], Mapping[str, Found]]]

CELLS = pytest.mark.parametrize("cell", ["gru", "lstm", "simple_rnn"])


@CELLS
def test_the_stages_numbers_are_those_of_outputs_computed_apart(chain: Chain, data: DataSet, cell: str) -> None:
    made, found = chain(cell)
    metrics = found["accuracy"].metrics
    in_float, in_int8 = (
        litert.outputs(made[stage] / f"{stage}.tflite", data.x_test, kernels)[litert.OUTPUT].argmax(axis=1)
        for stage, kernels in (("unrolled", litert.BUILTIN), ("quantized", litert.REFERENCE))
    )

    assert metrics["test_samples"] == 300
    assert metrics["scores"]["float"]["accuracy"] == np.mean(in_float == data.y_test)
    assert metrics["scores"]["quantized"]["accuracy"] == np.mean(in_int8 == data.y_test)
    assert (metrics["task"], metrics["activations"]) == ("classification", "int8")
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
    scores = found["accuracy"].metrics["scores"]
    assert scores["quantized"]["accuracy"] == np.mean(in_int8.argmax(axis=1) == data.y_test)
    assert found["vela"].metrics["cpu_operators"] == 0


@CELLS
def test_the_predictions_and_confusions_are_kept(chain: Chain, data: DataSet, cell: str) -> None:
    made, found = chain(cell)
    matrices = json.loads((made["accuracy"] / classification.CONFUSION).read_text(encoding="utf-8"))
    with np.load(made["accuracy"] / classification.PREDICTIONS, allow_pickle=False) as file:
        kept = {name: file[name] for name in file.files}

    np.testing.assert_array_equal(kept["labels"], data.y_test)
    for form in ("float", "quantized"):
        assert kept[form].shape == (300,)
        assert np.mean(kept[form] == data.y_test) == found["accuracy"].metrics["scores"][form]["accuracy"]
        matrix = np.array(matrices[form])
        np.testing.assert_array_equal(matrix, classification.confusion(data.y_test, kept[form]))
        assert matrix.sum() == 300
        assert matrix.trace() / 300 == pytest.approx(found["accuracy"].metrics["scores"][form]["accuracy"])
        assert matrix.sum(axis=1).tolist() == np.bincount(data.y_test, minlength=len(matrix)).tolist()


def test_the_same_models_give_the_same_files(work: Callable[..., Work[Any]], chain: Chain) -> None:
    made, found = chain("gru")
    job = work({}, made)

    again = make_stage("accuracy", job)

    assert again == found["accuracy"]
    for name in (classification.PREDICTIONS, classification.CONFUSION, forms.MICRO):
        assert (job.into / name).read_bytes() == (made["accuracy"] / name).read_bytes()


def test_progress_goes_through_float_and_int8_to_the_end(work: Callable[..., Work[Any]], chain: Chain) -> None:
    reports: list[dict[str, Any]] = []

    make_stage("accuracy", work({}, chain("simple_rnn")[0], report=lambda **facts: reports.append(facts)))

    assert reports[-1] == {"done": 900, "total": 900, "what": "TensorFlow Lite Micro"}


@pytest.mark.parametrize("activations", ["int8", "int16"])
def test_what_tensorflow_lite_micro_returned_is_kept_and_counted(chain: Chain, data: DataSet, activations: str) -> None:
    made, found = chain("gru", state=True, steps_per_inference=4, activations=activations, until="accuracy")
    metrics = found["accuracy"].metrics
    with np.load(made["accuracy"] / forms.MICRO, allow_pickle=False) as file:
        kept = {name: file[name] for name in file.files}
    reference = litert.outputs(made["quantized"] / "quantized.tflite", data.x_test, litert.REFERENCE)

    assert {name: (values.shape, values.dtype.name) for name, values in kept.items()} == {
        "output": ((300, 3), activations),
        "gru_1_hidden": ((300, 4), activations),
    }
    assert metrics["scores"]["micro"]["accuracy"] == np.mean(kept["output"].argmax(axis=1) == data.y_test)
    assert metrics["micro_identical"] == sum(map(np.array_equal, kept["output"], reference["output"]))


def test_without_tensorflow_lite_micro_all_else_is_measured(
    work: Callable[..., Work[Any]], chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, found = chain("gru")
    monkeypatch.setattr(micro, "find_spec", lambda _: None)
    job = work({}, made)

    without = make_stage("accuracy", job)

    absent = {"scores.micro", "micro_identical"}
    scores = {**found["accuracy"].metrics["scores"], "micro": None}
    assert without.metrics == {**found["accuracy"].metrics, "scores": scores, "micro_identical": None}
    assert without.unavailable.keys() == absent
    assert "no package of TensorFlow Lite Micro for" in without.unavailable["scores.micro"]
    assert not (job.into / forms.MICRO).exists()
