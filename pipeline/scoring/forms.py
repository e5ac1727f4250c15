"""What quantizing did to the model, over the whole test set."""

from collections.abc import Callable, Mapping
from typing import Any

from pipeline import array_file
from pipeline.data import arrays
from pipeline.metrics import SCORES
from pipeline.runtime import litert, micro
from pipeline.runtime.litert import INPUT, OUTPUT, Stored
from pipeline.scoring import degradation, streaming
from pipeline.stage import Found, Work
from pipeline.tasks.classification import CLASSIFICATION as TASK
from pipeline.tasks.task import Judged
from pipeline.tflite import roles

MICRO = "micro.npz"


def score(work: Work[Any]) -> Found:
    """Run the float and the quantized deployment graph on every test sample, on all cores.

    The quantized one runs twice: with LiteRT's reference kernels, and with TensorFlow Lite Micro's, where there is
    a package of it. The compiled file is compared with the latter.

    A graph with state runs as it would on the board: inference after inference, its state fed back. That the
    state makes no difference is then checked, too (``streaming``).

    Writes what the task has to show of the answers, such as ``confusion.json``, and ``micro.npz``: what TensorFlow
    Lite Micro returned for every sample, as the model stores it, states included.

    Raises:
        streaming.StreamingError: a tied graph's bytes depend on how the sequence is cut into inferences.

    """
    x, targets = arrays.load_part(work.inputs["dataset"], "test")
    total = 3 * len(x)
    quantized = work.inputs["quantized"] / streaming.CHOSEN
    in_float = litert.outputs(
        work.inputs["unrolled"] / "unrolled.tflite",
        x,
        litert.BUILTIN,
        lambda done: work.progress(done, total, what="float"),
    )[OUTPUT]
    stored = litert.outputs(
        quantized,
        x,
        litert.REFERENCE,
        lambda done: work.progress(len(x) + done, total, what="quantized, reference kernels"),
    )
    model = litert.Model(quantized, litert.REFERENCE)
    how_stored, port = model.outputs[OUTPUT].quantization, model.inputs[INPUT]
    judged = Judged(targets, TASK.answers(in_float), TASK.answers(stored[OUTPUT], how_stored))
    TASK.save(judged, work.into)
    into = degradation.input_range(x, port.quantization, port.dtype) if port.quantization else None
    of_micro, unavailable = _micro(
        work, x, lambda done: work.progress(2 * len(x) + done, total, what="TensorFlow Lite Micro")
    )
    answers = {"float": judged.in_float, "quantized": judged.quantized}
    if of_micro:
        answers["micro"] = TASK.answers(of_micro[OUTPUT], how_stored)
    dtype = stored[OUTPUT].dtype.name
    metrics: dict[str, Any] = {
        "task": TASK.name,
        "activations": dtype,
        "test_samples": len(x),
        SCORES: {"micro": None} | TASK.scores(targets, answers),
        **TASK.changed(judged),
        "micro_identical": _identical(of_micro[OUTPUT], stored[OUTPUT]) if of_micro else None,
        "inputs_beyond_range": float(into.beyond.mean()) if into else 0.0,
    }
    graph = roles.of(quantized)
    if graph and graph.states:
        metrics |= streaming.check(work, x, targets, stored)
    return Found(
        metrics=metrics,
        unavailable=unavailable,
        basis=dict.fromkeys(metrics, "measured"),
        warnings=degradation.warnings(
            TASK.degraded(judged), dtype, into, degradation.read_roles(work.inputs["quantized"])
        ),
    )


def _micro(
    work: Work[Any], x: arrays.Features, progress: Callable[[int], None]
) -> tuple[Mapping[str, Stored], dict[str, str]]:
    """Run the quantized model with TensorFlow Lite Micro and keep what it returns; or say why that can't be."""
    try:
        stored = micro.outputs(work.inputs["quantized"] / streaming.CHOSEN, x, progress)
    except micro.MicroError as error:
        return {}, dict.fromkeys((f"{SCORES}.micro", "micro_identical"), str(error))
    array_file.save(work.into / MICRO, stored)
    return stored, {}


def _identical(outputs: Stored, other: Stored) -> int:
    return int((outputs == other).all(axis=1).sum())
