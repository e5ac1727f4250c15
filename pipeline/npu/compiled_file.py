"""How large the parts of a compiled ``.tflite`` are."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ethosu.vela.tflite.Model import Model

if TYPE_CHECKING:
    from ethosu.vela.tflite.Tensor import Tensor


@dataclass(frozen=True)
class CompiledFile:
    """Bytes of a compiled model."""

    file_bytes: int
    """The file, as it is flashed."""
    constants_bytes: int
    """All that it holds to be read at run time: command streams, weights, scales, biases."""
    command_stream_bytes: int
    """The command streams alone."""


COMMAND_STREAM = b"ethos_u_command_stream"
"""How Vela names the tensor that holds one."""


def measure(path: Path) -> CompiledFile:
    """Measure a file written by Vela."""
    content = path.read_bytes()
    model = Model.GetRootAsModel(content, 0)
    buffers, streams = set(), set()
    for number in range(model.SubgraphsLength()):
        subgraph = model.Subgraphs(number)
        tensors: list[Tensor] = [subgraph.Tensors(index) for index in range(subgraph.TensorsLength())]
        buffers |= {tensor.Buffer() for tensor in tensors}
        streams |= {tensor.Buffer() for tensor in tensors if (tensor.Name() or b"").startswith(COMMAND_STREAM)}

    def size(of: set[int]) -> int:
        return sum(model.Buffers(buffer).DataLength() for buffer in of)

    return CompiledFile(file_bytes=len(content), constants_bytes=size(buffers), command_stream_bytes=size(streams))
