"""Quantization as Arm's guide does it: TFLiteConverter, every tensor with a range of its own."""

from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow as tf

from pipeline.data import arrays
from pipeline.stages import inference, network
from pipeline.stages.contract import Work
from pipeline.stages.inference import INPUT, Stored


def convert(work: Work, samples: arrays.Features, float_model: str) -> bytes:
    """Quantize Keras' unrolled network: int8 inside, int8 in and out.

    One conversion per process: a second one in the same process gives other bytes.

    Args:
        work: its ``unrolled`` input holds the network and the float model.
        samples: float32 (samples, rows, features of a row), as the data set has them.
        float_model: file name of the float model, which collects the states that the samples lead to.

    """
    model = inference.Model(work.inputs["unrolled"] / float_model, inference.BUILTIN)

    def representative() -> Iterator[Mapping[str, Stored]]:
        for index, sample in enumerate(model.folded(samples), 1):
            work.progress(index, len(samples), what="showing samples")
            yield from _inferences(model, sample)

    with network.converter(network.load(work.inputs["unrolled"])) as converter:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = representative
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
        converted: bytes = converter.convert()
    return converted


def _inferences(model: inference.Model, sample: arrays.Features) -> Iterator[Mapping[str, Stored]]:
    """Return what goes into every inference of a sequence: the states are those that the sequence leads to."""
    model.reset()
    states = {name: np.zeros(model.inputs[name].shape, np.float32) for name in model.states}
    for first in range(0, len(sample), model.steps):
        steps = sample[first : first + model.steps]
        yield {INPUT: steps[np.newaxis], **states}
        if states:
            model.infer(steps)
            states = {name: model.read(name) for name in model.states}
            model.feed_back()


def differing_scales(model: inference.Model) -> list[str]:
    """Say which states come out otherwise than they go in, and by how much."""
    found = []
    for name in model.states:
        out, into = model.outputs[name].quantization, model.inputs[name].quantization
        if out and into and out != into:
            found.append(
                f"state {name} goes in with scale {into.scale:.6g}, zero point {into.zero_point}, but comes out with"
                f" {out.scale:.6g}, {out.zero_point} ({100 * (out.scale / into.scale - 1):+.1f} %): the firmware must"
                ' requantize it at every inference; deployment.graph = "tied" lets it copy bytes'
            )
    return found
