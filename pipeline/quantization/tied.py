"""Tied quantization: one scale and zero point for each layer's role, at every time step.

litert-quantizer does the quantizing; what it is told are the ranges. That every tensor got the
parameters of its role, and that nothing is left in float, is read back from the file.
"""

from collections.abc import Mapping

import numpy as np
from litert_quantizer import quantizer, recipe

from pipeline.quantization.ranges import Range, RangeError
from pipeline.tflite import edit, reader
from pipeline.tflite.quantization import Quantization


def quantize(model: bytes, tie_of: Mapping[str, str], ranges: Mapping[str, Range], bits: int) -> bytes:
    """Quantize a float deployment graph: int8 weights by channel, int8 or int16 activations by tie.

    Raises:
        RangeError: names a tensor whose tie has no range.

    """
    statistics = {}
    for tensor, tie in tie_of.items():
        if tie not in ranges:
            message = f"tensor {tensor}: nothing is known of the range of {tie}"
            raise RangeError(message)
        statistics[tensor] = {
            "min": np.array([ranges[tie].low], np.float32),
            "max": np.array([ranges[tie].high], np.float32),
        }
    engine = quantizer.Quantizer(model)
    engine.load_quantization_recipe(recipe.static_wi8_ai8() if bits == 8 else recipe.static_wi8_ai16())  # noqa: PLR2004
    quantized = engine.quantize(statistics, enable_progress_bar=False, enable_progress_report=False).quantized_model
    return edit.without_idle_quantizing(bytes(quantized))


def parameters(
    quantized: bytes, tie_of: Mapping[str, str], known: Mapping[str, Quantization]
) -> dict[str, Quantization]:
    """Read back which scale and zero point each tie has.

    Args:
        quantized: the file.
        tie_of: tensor -> tie, of the float graph.
        known: what other forms of the same graph have, which must be the same.

    Raises:
        RangeError: names a tensor that is not stored as the others of its tie, or that is gone.

    """
    found = dict(known)
    stored = {tensor.name: tensor.quantization for tensor in reader.parse(quantized).main.tensors}
    for name, tie in tie_of.items():
        has = stored.get(name)
        if has is None or len(has.scales) != 1:
            message = (
                f"tensor {name} has no scale of its own in the quantized model: this is a defect, please report it"
            )
            raise RangeError(message)
        if found.setdefault(tie, has) != has:
            message = f"tensor {name} has scale {has.scale}, zero point {has.zero_point}; others of {tie}: {found[tie]}"
            raise RangeError(message)
    return found
