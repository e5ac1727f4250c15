"""Which operators of a ``.tflite`` read which constants: an unrolled network reads the same weights at every step."""

from pathlib import Path
from typing import Any

from ethosu.vela.tflite.BuiltinOperator import BuiltinOperator
from ethosu.vela.tflite.Model import Model

WITH_WEIGHTS = {
    BuiltinOperator.FULLY_CONNECTED,
    BuiltinOperator.CONV_2D,
    BuiltinOperator.DEPTHWISE_CONV_2D,
    BuiltinOperator.TRANSPOSE_CONV,
}
WEIGHTS = 1
"""The input of these operators that holds their weights."""


def constants(path: Path) -> list[dict[str, Any]]:
    """List the constants of a model, that with the most bytes to read in one inference first.

    Returns:
        For each ``name``, ``bytes`` (stored once), ``readers``: the first output's name of every operator
        that reads it, which is how Vela's per-layer report names operators, and ``weights``: whether all of them
        multiply by it.

    """
    model = Model.GetRootAsModel(path.read_bytes(), 0)
    codes = [model.OperatorCodes(index) for index in range(model.OperatorCodesLength())]
    kinds = [max(code.BuiltinCode(), code.DeprecatedBuiltinCode()) for code in codes]
    found: dict[int, dict[str, Any]] = {}
    for number in range(model.SubgraphsLength()):
        graph = model.Subgraphs(number)
        by_tensor: dict[int, dict[str, Any] | None] = {-1: None}  # an optional input that is not used is -1
        for index in range(graph.OperatorsLength()):
            operator = graph.Operators(index)
            read = []
            for place in range(operator.InputsLength()):
                into = operator.Inputs(place)
                if into not in by_tensor:
                    by_tensor[into] = _constant(model, graph.Tensors(into), found)
                if constant := by_tensor[into]:
                    read.append(constant)
                    constant["weights"] &= place == WEIGHTS and kinds[operator.OpcodeIndex()] in WITH_WEIGHTS
            if read:
                reader = _name(graph.Tensors(operator.Outputs(0))) if operator.OutputsLength() else ""
                for constant in read:
                    constant["readers"].append(reader)
    return sorted(found.values(), key=lambda entry: -entry["bytes"] * len(entry["readers"]))


def _constant(model: Any, tensor: Any, found: dict[int, dict[str, Any]]) -> dict[str, Any] | None:
    """Return the entry of the constant that a tensor holds, or None for one that is computed."""
    buffer = model.Buffers(tensor.Buffer())
    size = buffer.DataLength() or buffer.Size()  # a large one may lie behind the flatbuffer
    if not size:
        return None
    return found.setdefault(tensor.Buffer(), {"name": _name(tensor), "bytes": size, "readers": [], "weights": True})


def _name(tensor: Any) -> str:
    return (tensor.Name() or b"").decode(errors="replace")
