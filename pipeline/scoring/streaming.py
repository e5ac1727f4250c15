"""What a state model does on the board: fed in pieces, sequence after sequence, with and without a reset."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.data import arrays
from pipeline.errors import UnrollError
from pipeline.runtime import litert
from pipeline.runtime.litert import OUTPUT, SINGLE, WHOLE, Stored
from pipeline.stage import Work
from pipeline.tasks.classification import CLASSIFICATION as TASK

CHOSEN = "quantized.tflite"
FORMS = {"the whole sequence at once": WHOLE, "single steps": SINGLE}
"""The same graph cut otherwise, which only a tied one has."""
SEQUENCES_IN_A_ROW = 100


class StreamingError(UnrollError):
    """A state model whose results depend on how its sequence is cut."""


def check(
    work: Work[Any], x: arrays.Features, labels: npt.NDArray[np.int64], stored: Mapping[str, Stored]
) -> dict[str, Any]:
    """Compare the forms of a tied graph byte for byte, and run sequences in a row.

    Args:
        work: its ``quantized`` input holds the models.
        x: float32 (samples, rows, features of a row), the whole test set.
        labels: (samples,).
        stored: what the chosen form returned for each sample, states included.

    Returns:
        ``streaming_identical``: samples whose bytes, classes and states, are the same in every form;
        ``scores_in_a_row``: those over 100 sequences in a row, of all classes, ``with_reset`` and ``without_reset``;
        ``sequences_in_a_row``: how many those are;
        ``reset_bytes``: what firmware writes into each state to begin anew.

    Raises:
        StreamingError: a byte differs.

    """
    folder = work.inputs["quantized"]
    found: dict[str, Any] = {}
    for what, name in FORMS.items():
        if (folder / name).exists():
            other = litert.outputs(
                folder / name,
                x,
                litert.REFERENCE,
                lambda done, what=what: work.progress(done, len(x), what=f"streaming: {what}"),  # type: ignore[misc]
            )
            _assert_identical(stored, other, what)
            found["streaming_identical"] = len(x)
    model = litert.Model(folder / CHOSEN, litert.REFERENCE)
    row = _in_a_row(labels)
    answers = {
        name: TASK.answers(
            litert.outputs(folder / CHOSEN, x[row], litert.REFERENCE, reset=reset)[OUTPUT],
            model.outputs[OUTPUT].quantization,
        )
        for name, reset in (("with_reset", True), ("without_reset", False))
    }
    ports = {name: model.inputs[name].quantization for name in model.states}
    return {
        **found,
        "sequences_in_a_row": len(row),
        "scores_in_a_row": TASK.scores(labels[row], answers),
        "reset_bytes": {name: port.zero_point for name, port in ports.items() if port},
    }


def _in_a_row(labels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Choose sequences from all over the test set, and shuffle them: one class after the other needs no reset."""
    return np.random.default_rng(arrays.SEED).permutation(arrays.spread(labels, SEQUENCES_IN_A_ROW))


def _assert_identical(stored: Mapping[str, Stored], other: Mapping[str, Stored], what: str) -> None:
    for name, values in stored.items():
        differs = (values != other[name]).any(axis=1)
        if differs.any():
            output = "the outputs" if name == OUTPUT else f"state {name}"
            message = (
                f"{output} of test sample {int(differs.argmax())} (and {int(differs.sum()) - 1} others) differ between"
                f" the chosen time steps per inference and {what}: this is a defect of the graph, please report it"
            )
            raise StreamingError(message)
