"""The quantized stage: full-integer post-training quantization, and what may not be left inside."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from pipeline.data import arrays
from pipeline.errors import UnrollError
from pipeline.stages import inference, network
from pipeline.stages.contract import Found, Work

MODEL = "quantized.tflite"
SCALE_WITHOUT_RANGE = 2e-6 / 255
"""What TFLiteConverter gives a tensor that was always 0, as if it ranged over [-1e-6, 1e-6]."""


class QuantizationError(UnrollError):
    """A representative dataset or a quantized model that can't be used."""


def make(work: Work) -> Found:
    """Quantize with TFLiteConverter: int8 inside, int8 in and out, as Arm's guide does.

    One conversion per process: a second one in the same process gives other bytes.

    Raises:
        QuantizationError: too few samples, a scale of 0, infinity or NaN, or a float tensor left.

    """
    wanted = work.config["quantization"]["representative_samples"]
    x_train, _ = arrays.load_part(work.inputs["dataset"], "train")
    if wanted > len(x_train):
        message = f"quantization.representative_samples = {wanted}, but there are only {len(x_train)} training samples"
        raise QuantizationError(message)
    model = work.into / MODEL
    model.write_bytes(_convert(work, x_train[:wanted]))
    check(Interpreter(os.fspath(model)).get_tensor_details())  # before any kernel sees it: on a bad scale they abort()
    loaded = inference.interpreter(model, inference.REFERENCE)
    into, out = (
        inference.quantization(details[0]) for details in (loaded.get_input_details(), loaded.get_output_details())
    )
    return Found(
        metrics={
            "model_bytes": os.path.getsize(model),
            "representative_samples": wanted,
            "tensors": len(loaded.get_tensor_details()),
            "input": vars(into) if into else None,
            "output": vars(out) if out else None,
        },
        basis={"model_bytes": "measured"},
    )


def _convert(work: Work, samples: arrays.Features) -> bytes:
    def representative() -> Iterator[list[arrays.Features]]:
        for index in range(len(samples)):
            work.progress(index + 1, len(samples), what="showing samples")
            yield [samples[index : index + 1]]

    converter = tf.lite.TFLiteConverter.from_keras_model(network.load(work.inputs["unrolled"]))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    converted: bytes = converter.convert()
    return converted


def check(tensors: list[dict[str, Any]]) -> None:
    """Refuse a model that would be wrong or land on the CPU without anyone being told.

    Raises:
        QuantizationError: names the first bad tensor and the remedy.

    """
    for tensor in tensors:
        name = tensor["name"] or f"number {tensor['index']}"
        if np.issubdtype(tensor["dtype"], np.floating):
            message = (
                f"tensor {name} is still {np.dtype(tensor['dtype']).name} in the int8 model, so its operators would"
                " run on the CPU; train the network (a zero weight matrix has no range) or show more samples"
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
