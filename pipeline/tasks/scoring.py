"""What quantizing did to the model, over the whole test set."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.data import arrays
from pipeline.runtime import litert, micro, streaming
from pipeline.runtime.litert import INPUT, OUTPUT, Stored
from pipeline.stage import Found, Work
from pipeline.tasks import degradation
from pipeline.tflite import roles

PREDICTIONS = "predictions.npz"
CONFUSION = "confusion.json"
MICRO = "micro.npz"
Classes = npt.NDArray[np.int64]


def score(work: Work[Any]) -> Found:
    """Run the float and the quantized deployment graph on every test sample, on all cores.

    The quantized one runs twice: with LiteRT's reference kernels, and with TensorFlow Lite Micro's, where there is
    a package of it. The compiled file is compared with the latter.

    A graph with state runs as it would on the board: inference after inference, its state fed back. That the
    state makes no difference is then checked, too (``streaming``).

    Writes ``predictions.npz`` (labels, float and quantized class of every sample) and ``confusion.json`` (rows are
    labels, columns predictions, for float and quantized); both call the latter ``int8`` or ``int16``. Also
    ``micro.npz``: what TensorFlow Lite Micro returned for every sample, as the model stores it, states included.

    Raises:
        streaming.StreamingError: a tied graph's bytes depend on how the sequence is cut into inferences.

    """
    x, labels = arrays.load_part(work.inputs["dataset"], "test")
    total = 3 * len(x)
    in_float = litert.outputs(
        work.inputs["unrolled"] / "unrolled.tflite",
        x,
        litert.BUILTIN,
        lambda done: work.progress(done, total, what="float"),
    )[OUTPUT].argmax(axis=1)
    stored = litert.outputs(
        work.inputs["quantized"] / streaming.CHOSEN,
        x,
        litert.REFERENCE,
        lambda done: work.progress(len(x) + done, total, what="quantized, reference kernels"),
    )
    rung = stored[OUTPUT].dtype.name
    in_integers = stored[OUTPUT].argmax(axis=1)
    arrays.save(work.into / PREDICTIONS, {"labels": labels, "float": in_float, rung: in_integers})
    classes = _classes(labels, in_float, in_integers)
    matrices = {"float": confusion(labels, in_float, classes), rung: confusion(labels, in_integers, classes)}
    (work.into / CONFUSION).write_text(
        json.dumps({name: matrix.tolist() for name, matrix in matrices.items()}, indent=1), encoding="utf-8"
    )
    metrics = compare(labels, in_float, in_integers, rung)
    port = litert.Model(work.inputs["quantized"] / streaming.CHOSEN, litert.REFERENCE).inputs[INPUT]
    into = degradation.input_range(x, port.quantization, port.dtype) if port.quantization else None
    metrics["inputs_beyond_range"] = float(into.beyond.mean()) if into else 0.0
    of_micro, unavailable = _micro_rung(
        work, x, labels, stored, lambda done: work.progress(2 * len(x) + done, total, what="TensorFlow Lite Micro")
    )
    metrics |= of_micro
    graph = roles.of(work.inputs["quantized"] / streaming.CHOSEN)
    if graph and graph.states:
        metrics |= streaming.check(work, x, labels, stored)
    predictions = degradation.Predictions(labels, in_float, in_integers, rung)
    return Found(
        metrics=metrics,
        unavailable=unavailable,
        basis=dict.fromkeys(metrics, "measured"),
        warnings=degradation.warnings(predictions, into, degradation.read_roles(work.inputs["quantized"])),
    )


def _micro_rung(
    work: Work[Any], x: arrays.Features, labels: Classes, stored: Mapping[str, Stored], progress: Callable[[int], None]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Run the quantized model with TensorFlow Lite Micro and keep what it returns; or say why that can't be."""
    try:
        found = micro.outputs(work.inputs["quantized"] / streaming.CHOSEN, x, progress)
    except micro.MicroError as error:
        missing = ("micro_accuracy", "micro_identical")
        return dict.fromkeys(missing), dict.fromkeys(missing, str(error))
    arrays.save(work.into / MICRO, found)
    scores = found[OUTPUT]
    return {
        "micro_accuracy": float(np.mean(scores.argmax(axis=1) == labels)),
        "micro_identical": int((scores == stored[OUTPUT]).all(axis=1).sum()),
    }, {}


def compare(labels: Classes, in_float: Classes, in_integers: Classes, rung: str = "int8") -> dict[str, Any]:
    """Compare predicted classes, each of shape (samples,), with the labels and with each other."""
    changed = in_float != in_integers
    classes = _classes(labels, in_float, in_integers)
    return {
        "test_samples": len(labels),
        "float_accuracy": float(np.mean(in_float == labels)),
        f"{rung}_accuracy": float(np.mean(in_integers == labels)),
        "changed_predictions": int(changed.sum()),
        "changed_to_wrong": int((changed & (in_float == labels)).sum()),
        "changed_to_right": int((changed & (in_integers == labels)).sum()),
        "agreement": float(np.mean(~changed)),
        "float_accuracy_by_class": by_class(labels, in_float, classes),
        f"{rung}_accuracy_by_class": by_class(labels, in_integers, classes),
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
