"""Which operators of a ``.tflite`` read which constants: an unrolled network reads the same weights at every step."""

from pathlib import Path
from typing import Any

from ethosu.vela.tflite.Model import Model


def constants(path: Path) -> list[dict[str, Any]]:
    """List the constants of a model, that with the most bytes to read in one inference first.

    Returns:
        For each ``name``, ``bytes`` (stored once) and ``readers``: the first output's name of every operator
        that reads it, which is how Vela's per-layer report names operators.

    """
    model = Model.GetRootAsModel(path.read_bytes(), 0)
    found: dict[int, dict[str, Any]] = {}
    for number in range(model.SubgraphsLength()):
        graph = model.Subgraphs(number)
        for index in range(graph.OperatorsLength()):
            operator = graph.Operators(index)
            reader = _name(graph.Tensors(operator.Outputs(0))) if operator.OutputsLength() else ""
            for place in range(operator.InputsLength()):
                if (into := operator.Inputs(place)) >= 0:  # an optional input that is not used is -1
                    tensor = graph.Tensors(into)
                    buffer = model.Buffers(tensor.Buffer())
                    size = buffer.DataLength() or buffer.Size()  # a large one may lie behind the flatbuffer
                    if size:
                        entry = {"name": _name(tensor), "bytes": size, "readers": []}
                        found.setdefault(tensor.Buffer(), entry)["readers"].append(reader)
    return sorted(found.values(), key=lambda entry: -entry["bytes"] * len(entry["readers"]))


def _name(tensor: Any) -> str:
    return (tensor.Name() or b"").decode(errors="replace")
