"""The accuracy stage: what quantizing did to the model, over the whole test set."""

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.data import arrays
from pipeline.stages import inference
from pipeline.stages.contract import Found, Work

PREDICTIONS = "predictions.npz"
CONFUSION = "confusion.json"
Classes = npt.NDArray[np.int64]


def make(work: Work) -> Found:
    """Run the float and the int8 deployment graph on every test sample, on all cores.

    Writes ``predictions.npz`` (labels, float and int8 class of every sample) and
    ``confusion.json`` (rows are labels, columns predictions, for float and int8).
    """
    x, labels = arrays.load_part(work.inputs["dataset"], "test")
    total = 2 * len(x)
    in_float = inference.outputs(
        work.inputs["unrolled"] / "unrolled.tflite",
        x,
        inference.BUILTIN,
        lambda done: work.progress(done, total, what="float"),
    ).argmax(axis=1)
    in_int8 = inference.outputs(
        work.inputs["quantized"] / "quantized.tflite",
        x,
        inference.REFERENCE,
        lambda done: work.progress(len(x) + done, total, what="int8, reference kernels"),
    ).argmax(axis=1)
    arrays.save(work.into / PREDICTIONS, {"labels": labels, "float": in_float, "int8": in_int8})
    classes = _classes(labels, in_float, in_int8)
    matrices = {"float": confusion(labels, in_float, classes), "int8": confusion(labels, in_int8, classes)}
    (work.into / CONFUSION).write_text(
        json.dumps({name: matrix.tolist() for name, matrix in matrices.items()}, indent=1), encoding="utf-8"
    )
    metrics = compare(labels, in_float, in_int8)
    return Found(metrics=metrics, basis=dict.fromkeys(metrics, "measured"))


def compare(labels: Classes, in_float: Classes, in_int8: Classes) -> dict[str, Any]:
    """Compare predicted classes, each of shape (samples,), with the labels and with each other."""
    changed = in_float != in_int8
    classes = _classes(labels, in_float, in_int8)
    return {
        "test_samples": len(labels),
        "float_accuracy": float(np.mean(in_float == labels)),
        "int8_accuracy": float(np.mean(in_int8 == labels)),
        "changed_predictions": int(changed.sum()),
        "changed_to_wrong": int((changed & (in_float == labels)).sum()),
        "changed_to_right": int((changed & (in_int8 == labels)).sum()),
        "agreement": float(np.mean(~changed)),
        "float_accuracy_by_class": by_class(labels, in_float, classes),
        "int8_accuracy_by_class": by_class(labels, in_int8, classes),
    }


def _classes(*seen: Classes) -> int:
    return int(max(classes.max() for classes in seen)) + 1


def by_class(labels: Classes, predicted: Classes, classes: int | None = None) -> list[float | None]:
    """Return the share of each class that was found (recall); None for a class without samples."""
    return [
        float(np.mean(predicted[labels == label] == label)) if (labels == label).any() else None
        for label in range(classes or _classes(labels, predicted))
    ]


def confusion(labels: Classes, predicted: Classes, classes: int | None = None) -> npt.NDArray[np.int64]:
    """Count samples by label (row) and prediction (column)."""
    classes = classes or _classes(labels, predicted)
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (labels, predicted), 1)
    return matrix
