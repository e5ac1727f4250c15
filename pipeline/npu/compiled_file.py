"""How large the parts of a compiled ``.tflite`` are."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.tflite import reader
from pipeline.tflite.model import Tensor


@dataclass(frozen=True)
class CompiledFile:
    """Bytes of a compiled model."""

    file_bytes: int
    """The file, as it is flashed."""
    constants_bytes: int
    """All that it holds to be read at run time: command streams, weights, scales, biases."""
    command_stream_bytes: int
    """The command streams alone."""


COMMAND_STREAM = "ethos_u_command_stream"
"""How Vela names the tensor that holds one."""


def measure(path: Path) -> CompiledFile:
    """Measure a file written by Vela.

    Raises:
        TfliteError: it is no whole model.

    """
    model = reader.read(path)
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors]

    def size(of: Iterable[Tensor]) -> int:
        return sum(model.buffers[number].size for number in {tensor.buffer for tensor in of})

    return CompiledFile(
        file_bytes=model.file_bytes,
        constants_bytes=size(tensors),
        command_stream_bytes=size(tensor for tensor in tensors if tensor.name.startswith(COMMAND_STREAM)),
    )
