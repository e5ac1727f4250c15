"""What shares one scale and zero point: a layer's role at every time step, with all views of it."""

from dataclasses import dataclass

from pipeline.lowering.writer import VIEWS
from pipeline.tflite.roles import Graph, TensorRole


@dataclass(frozen=True, kw_only=True)
class Tie:
    """What decides the range of a tie, apart from what was seen."""

    name: str
    """``gru_1/gate_sum``, ``input``, ..."""
    given: bool
    """It is an input of the network."""
    put_out: bool
    """It leaves the graph, as an output or a state: then someone outside reads it, too."""
    makers: frozenset[str]
    """The operations that compute it, in TensorFlow Lite's words; views and what is fed back compute nothing."""
    readers: frozenset[str]
    """The operations that read it, or a view of it."""
    within: float | None
    """The largest magnitude that its layer lets it have, where one is declared."""


def ties(graph: Graph) -> dict[str, Tie]:
    """Return the ties of a graph by name, in the order in which they are computed."""
    tie_of = graph.ties
    members: dict[str, list[TensorRole]] = {}
    readers: dict[str, set[str]] = {name: set() for name in tie_of.values()}
    for tensor in graph.tensors:
        members.setdefault(tensor.tie, []).append(tensor)
        if tensor.operation and tensor.operation not in VIEWS:
            for read in tensor.reads:
                readers[tie_of[read]].add(tensor.operation)
    given = {tie_of[port.tensor] for port in graph.inputs if port.kind == "input"}
    put_out = {tie_of[port.tensor] for port in graph.outputs}
    return {
        name: Tie(
            name=name,
            given=name in given,
            put_out=name in put_out,
            makers=_makers(tensors),
            readers=frozenset(readers[name]),
            within=_declared(tensors),
        )
        for name, tensors in members.items()
    }


def _makers(tensors: list[TensorRole]) -> frozenset[str]:
    return frozenset(tensor.operation for tensor in tensors if tensor.operation and tensor.operation not in VIEWS)


def _declared(tensors: list[TensorRole]) -> float | None:
    """Return the bound that the tie's layer declares for every tensor that is computed or given under its role."""
    bounds = {tensor.within for tensor in tensors if tensor.operation not in VIEWS}
    return bounds.pop() if len(bounds) == 1 else None
