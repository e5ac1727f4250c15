"""``graph.json``: what each tensor of a deployment graph is for, and which tensors go in and out.

It goes along with the ``.tflite`` file from stage to stage: ranges, the NPU's cycles and the dashboard take roles from
it. Nothing heavy is imported here.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from pipeline.errors import UnrollError

FILE = "graph.json"
SCHEMA = 1


class GraphError(UnrollError):
    """A ``graph.json`` that can't be used."""


class TensorRole(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A float activation of the graph."""

    tensor: str
    """Its name in the file."""
    layer: str | None
    """The network's layer that makes it; None for an input of the network."""
    role: str
    """``recurrent_product``, ``gates``, ...: the same word at every step."""
    tie: str
    """What it shares scale and zero point with."""
    operation: str | None
    """TensorFlow Lite's word for what makes it: ``LOGISTIC``; None for what is given from outside."""
    reads: list[str] = []
    """The activations that it is made of."""
    step: int | None = None
    """Time step within one inference, counted from 1; None outside the recurrent layers."""
    within: float | None = None
    """The largest magnitude that its layer lets it have, where that is known without looking."""


class GraphPort(msgspec.Struct, frozen=True, kw_only=True):
    """An input or output of the graph."""

    name: str
    """In the file's signature."""
    tensor: str
    kind: Literal["input", "output", "state"]
    """A state is an input and an output of one name."""


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """One ``.tflite`` file."""

    steps: int
    """Time steps of the input of one inference."""
    inputs: list[GraphPort]
    outputs: list[GraphPort]
    tensors: list[TensorRole]
    """What is given from outside, then the rest in the order in which it is computed."""

    @property
    def states(self) -> list[str]:
        """Names of what is carried from one inference to the next."""
        return [port.name for port in self.inputs if port.kind == "state"]

    @property
    def ties(self) -> dict[str, str]:
        """Tensor -> tie."""
        return {tensor.tensor: tensor.tie for tensor in self.tensors}


class Graphs(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file: the same network as one or more ``.tflite`` files."""

    schema: int
    graphs: dict[str, Graph]
    """Name of the ``.tflite`` file -> what is in it."""


def save(graphs: Mapping[str, Graph], folder: Path) -> None:
    """Write ``graph.json``."""
    document = Graphs(schema=SCHEMA, graphs=dict(graphs))
    (folder / FILE).write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n")


def load(folder: Path) -> dict[str, Graph]:
    """Read the ``graph.json`` of a folder.

    Raises:
        GraphError: it is missing, damaged or of another version.

    """
    path = folder / FILE
    try:
        document = msgspec.json.decode(path.read_bytes(), type=Graphs)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        message = f"{path} can't be read ({error}): build the stage anew"
        raise GraphError(message) from None
    if document.schema != SCHEMA:
        message = f"{path} has schema {document.schema}, this version reads {SCHEMA}: build the stage anew"
        raise GraphError(message)
    return document.graphs


def of(model: Path) -> Graph | None:
    """Return what is in a ``.tflite`` file, as the ``graph.json`` beside it says; None if there is no such file.

    Raises:
        GraphError: it is damaged, of another version, or does not tell of this model.

    """
    if not (model.parent / FILE).exists():
        return None
    graphs = load(model.parent)
    if model.name not in graphs:
        message = f"{model.parent / FILE} tells of {', '.join(graphs)}, not of {model.name}: build the stage anew"
        raise GraphError(message)
    return graphs[model.name]
