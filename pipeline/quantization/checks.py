"""What may not be in a quantized model."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.compression import codes
from pipeline.compression.matrices import changed_channels, matrices
from pipeline.quantization.errors import QuantizationError
from pipeline.runtime import litert
from pipeline.tflite import reader

SCALE_WITHOUT_RANGE = 2e-6 / 255
"""What TFLiteConverter gives a tensor that was always 0, as if it ranged over [-1e-6, 1e-6]."""


def load(path: Path) -> litert.Model:
    """Load a quantized model after a look at its tensors.

    Raises:
        QuantizationError: it has a float tensor or a bad scale, on which kernels would ``abort()``.

    """
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - only here

    check(Interpreter(os.fspath(path)).get_tensor_details())
    return litert.Model(path, litert.REFERENCE)


def check_codes(quantized: Path, network: Path) -> None:
    """Prove that every compressed matrix is in the file as it was trained, code for code.

    Args:
        quantized: the model.
        network: the folder of the network; one that was not compressed holds no codes.

    Raises:
        QuantizationError: names the first matrix that is not.

    """
    if not (network / codes.FILE).exists():
        return
    found = list(matrices(reader.read(quantized)))
    with np.load(network / codes.FILE, allow_pickle=False) as trained:
        for name, matrix in trained.items():
            if changed := changed_channels(matrix, found):
                message = (
                    f"{changed} of {matrix.shape[1]} output channels of {name} hold other values in the quantized model"
                    " than were trained in the compressed stage, so they would not be stored as small as they should:"
                    " this is a defect, please report it"
                )
                raise QuantizationError(message)


def check(tensors: list[dict[str, Any]]) -> None:
    """Refuse a model that would be wrong or land on the CPU without anyone being told.

    Raises:
        QuantizationError: names the first bad tensor and the remedy.

    """
    for tensor in tensors:
        name = tensor["name"] or f"number {tensor['index']}"
        if np.issubdtype(tensor["dtype"], np.floating):
            message = (
                f"tensor {name} is still {np.dtype(tensor['dtype']).name} in the quantized model, so its operators"
                " would run on the CPU; train the network (a zero weight matrix has no range) or show more samples"
            )
            raise QuantizationError(message)
        bad = _bad_scale(tensor)
        if bad is not None:
            message = (
                f"tensor {name} has the quantization scale {bad}; its values had no usable range:"
                " raise quantization.representative_samples, or check the data for constant features"
            )
            raise QuantizationError(message)


def _bad_scale(tensor: Mapping[str, Any]) -> float | None:
    """Return the first scale that is infinite, NaN, or 0 in effect: a bias's product of two scales may be small."""
    scales = np.asarray(tensor["quantization_parameters"]["scales"], np.float64)
    smallest = SCALE_WITHOUT_RANGE * 1.001 if tensor["dtype"] == np.int8 else 0
    bad = scales[~(np.isfinite(scales) & (scales > smallest))]
    return float(bad[0]) if bad.size else None
