"""Our own way: plain operations with the fewest passes over the data, one scale for each role."""

from collections.abc import Mapping
from pathlib import Path

from pipeline.lowering.lower import lower
from pipeline.network.graph import Network
from pipeline.tflite.roles import Graph


class Plain:
    """Writes each file by ``lower``; ``pipeline.quantization`` quantizes it."""

    SAME_BYTES_HOWEVER_CUT = True
    quantize = None

    def write(self, network: Network, steps: Mapping[str, int], into: Path, *, state: bool) -> dict[str, Graph]:
        """Write float files into a folder."""
        graphs = {}
        for name, count in steps.items():
            content, graphs[name] = lower(network, count, state=state)
            (into / name).write_bytes(content)
        return graphs


WAY = Plain()
