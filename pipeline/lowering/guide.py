"""Arm's guide's way: Keras' unrolled layers through TFLiteConverter, a scale for every tensor.

What a user may choose, and what our own way is compared with. TensorFlow is loaded only where something is converted.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from pipeline.lowering.way import Progress, Quantized
from pipeline.network import files
from pipeline.network.graph import Network
from pipeline.network.layers.fold import taken_folded
from pipeline.runtime import litert
from pipeline.runtime.litert import Stored
from pipeline.tflite.keras_names import described
from pipeline.tflite.roles import Graph


class Guide:
    """Writes one file; a state goes in and comes out with scales that may differ."""

    SAME_BYTES_HOWEVER_CUT = False

    def write(self, network: Network, steps: Mapping[str, int], into: Path, *, state: bool) -> dict[str, Graph]:
        """Write float files into a folder, and the network, which ``quantize`` converts anew."""
        from pipeline.training import keras_network  # noqa: PLC0415 - TensorFlow takes seconds to load

        fed, rows = taken_folded(network)
        files.save(fed, into)
        graphs = {}
        for name, count in steps.items():
            with keras_network.converter(keras_network.unrolled(fed, count // rows, state=state)) as converter:
                (into / name).write_bytes(converter.convert())
            graphs[name] = described((into / name).read_bytes())
        return graphs

    def quantize(self, folder: Path, name: str, samples: npt.NDArray[np.float32], progress: Progress) -> Quantized:
        """Convert with int8 inside, int8 in and out.

        One conversion per process: a second one in the same process gives other bytes.
        """
        import tensorflow as tf  # noqa: PLC0415 - it takes seconds to load

        from pipeline.training import keras_network  # noqa: PLC0415 - likewise

        model = litert.Model(folder / name, litert.BUILTIN)
        unrolled = keras_network.unrolled(files.load(folder), model.steps, state=bool(model.states))

        def representative() -> Iterator[Mapping[str, Stored]]:
            for number, sample in enumerate(model.folded(samples), 1):
                progress(number, len(samples))
                yield from _inferences(model, sample)

        with keras_network.converter(unrolled) as converter:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = representative
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.int8
            content: bytes = converter.convert()
        graph = described(content)
        return Quantized(model=content, graph=graph, warnings=differing_scales(content, graph))


WAY = Guide()


def _inferences(model: litert.Model, sample: npt.NDArray[np.float32]) -> Iterator[Mapping[str, Stored]]:
    """Yield what goes into every inference of a sequence: the states are those that the sequence leads to."""
    model.reset()
    states = {name: np.zeros(model.inputs[name].shape, np.float32) for name in model.states}
    for first in range(0, len(sample), model.steps):
        steps = sample[first : first + model.steps]
        yield {litert.INPUT: steps[np.newaxis], **states}
        if states:
            model.infer(steps)
            states = {name: model.read(name) for name in model.states}
            model.feed_back()


def differing_scales(content: bytes, graph: Graph) -> list[str]:
    """Say which states come out otherwise than they go in, and by how much."""
    tensors = {
        tensor.name.decode(): tensor for tensor in schema.ModelT.InitFromPackedBuf(content, 0).subgraphs[0].tensors
    }
    into = {port.name: _parameters(tensors[port.tensor]) for port in graph.inputs if port.kind == "state"}
    out = {port.name: _parameters(tensors[port.tensor]) for port in graph.outputs if port.kind == "state"}
    return [
        f"state {name} goes in with scale {into[name][0]:.6g}, zero point {into[name][1]}, but comes out with"
        f" {out[name][0]:.6g}, {out[name][1]} ({100 * (out[name][0] / into[name][0] - 1):+.1f} %): the firmware must"
        ' requantize it at every inference; deployment.graph = "tied" lets it copy bytes'
        for name in into
        if into[name] != out[name]
    ]


def _parameters(tensor: schema.TensorT) -> tuple[float, int]:
    return float(tensor.quantization.scale[0]), int(tensor.quantization.zeroPoint[0])
