"""The operators of a ``.tflite``, over all its graphs: what Vela left on the CPU is counted in the file it wrote."""

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ethosu.vela.tflite.BuiltinOperator import BuiltinOperator
from ethosu.vela.tflite.Model import Model

NPU_OPERATOR = "ethos-u"
"""The custom operator that Vela leaves in place of those that it compiled: one command stream."""
_KINDS = {number: name for name, number in vars(BuiltinOperator).items() if isinstance(number, int)}


class Operator(NamedTuple):
    """One operator of a graph."""

    graph: int
    """The number of its graph; 0 is the one that an interpreter runs."""
    graph_name: str
    kind: str
    """``FULLY_CONNECTED``, ..., by the format's own names; ``CUSTOM`` for every custom operator."""
    custom: str
    """What a custom operator is called; empty for the others."""
    name: str
    """The name of its first output, which is how Vela names operators; empty where there is none."""

    @property
    def title(self) -> str:
        """Return what it is called on the screen."""
        return self.custom or self.kind

    @property
    def key(self) -> tuple[str, str]:
        """Return what Vela's messages tell of it, which need not be unique."""
        return self.kind, self.name

    @property
    def on_npu(self) -> bool:
        """Tell whether it is the one that stands for a command stream."""
        return self.custom == NPU_OPERATOR


def operators(path: Path) -> list[Operator]:
    """List every operator of every graph, each graph in order of execution."""
    model = Model.GetRootAsModel(path.read_bytes(), 0)
    codes = [_code(model.OperatorCodes(index)) for index in range(model.OperatorCodesLength())]
    graphs = [model.Subgraphs(number) for number in range(model.SubgraphsLength())]
    return [operator for number, graph in enumerate(graphs) for operator in _of_graph(graph, number, codes)]


def _of_graph(graph: Any, number: int, codes: Sequence[tuple[str, str]]) -> Iterator[Operator]:
    for index in range(graph.OperatorsLength()):
        operator = graph.Operators(index)
        kind, custom = codes[operator.OpcodeIndex()]
        output = graph.Tensors(operator.Outputs(0)).Name() if operator.OutputsLength() else None
        yield Operator(number, _text(graph.Name()) or f"number {number}", kind, custom, _text(output))


def _code(code: Any) -> tuple[str, str]:
    """Return the kind of operators; files of before 2020 have its number in the older of two fields alone."""
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    kind = _KINDS.get(number, f"operator {number}")
    return kind, _text(code.CustomCode()) if kind == "CUSTOM" else ""


def _text(name: bytes | None) -> str:
    return (name or b"").decode(errors="replace")


class Placement(NamedTuple):
    """Where the operators of a compiled model run."""

    on_cpu: Sequence[Operator]
    """All that the compiled file holds beside the command streams, graph by graph."""
    streams: Sequence[int]
    """The graph of every command stream."""
    graphs: int
    """How many graphs of the compiled file have operators."""
    compiled: int | None
    """How many operators of the quantized model went into the command streams, those that take nothing among them;
    None where the two files don't tell."""


def placement(quantized: Path, compiled: Path, refused: Container[tuple[str, str]]) -> Placement:
    """Count the operators on either side.

    Args:
        quantized: the model that Vela was given.
        compiled: what Vela wrote.
        refused: kind and name of every operator that Vela said can't be on the NPU.

    """
    left = operators(compiled)
    on_cpu = [operator for operator in left if not operator.on_npu]
    streams = [operator.graph for operator in left if operator.on_npu]
    return Placement(
        on_cpu=on_cpu,
        streams=streams,
        graphs=len({operator.graph for operator in left}),
        compiled=_compiled(operators(quantized), on_cpu, refused) if streams else 0,
    )


def _compiled(given: Sequence[Operator], on_cpu: Sequence[Operator], refused: Container[tuple[str, str]]) -> int | None:
    """Count what the compiled file no longer holds, but not what was refused and is gone all the same."""
    before, after = Counter(each.key for each in given), Counter(each.key for each in on_cpu)
    gone = before - after
    if after - before or any(key in refused and after[key] for key in gone):
        return None  # Vela wrote operators of its own, or namesakes may be on either side
    return sum(count for key, count in gone.items() if key not in refused)
