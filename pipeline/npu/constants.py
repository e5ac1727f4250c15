"""Which operators of a ``.tflite`` read which constants: an unrolled network reads the same weights at every step."""

from pathlib import Path
from typing import Any

from pipeline.tflite import reader

WITH_WEIGHTS = {"FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV"}
WEIGHTS = 1
"""The input of these operators that holds their weights."""


def constants(path: Path) -> list[dict[str, Any]]:
    """List the constants of a model, that with the most bytes to read in one inference first.

    Returns:
        For each ``name``, ``bytes`` (stored once), ``readers``: the first output's name of every operator
        that reads it, which is how Vela's per-layer report names operators, and ``weights``: whether all of them
        multiply by it.

    Raises:
        TfliteError: it is no whole model.

    """
    by_buffer: dict[int, dict[str, Any]] = {}
    for operator in reader.read(path).operators():
        name = operator.outputs[0].name if operator.outputs else ""
        for place, tensor in enumerate(operator.inputs):
            if tensor is not None and tensor.is_constant:
                entry: dict[str, Any] = {
                    "name": tensor.name,
                    "bytes": tensor.content.size,
                    "readers": [],
                    "weights": True,
                }
                entry = by_buffer.setdefault(tensor.buffer, entry)
                entry["weights"] &= place == WEIGHTS and operator.kind in WITH_WEIGHTS
                entry["readers"].append(name)
    return sorted(by_buffer.values(), key=lambda entry: -entry["bytes"] * len(entry["readers"]))
