"""What each operator of a compile is for: its layer, role and time step, as ``graph.json`` has them."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pipeline.tflite.roles import Graph, TensorRole


class Role(NamedTuple):
    """The place of an operator in the network, in words."""

    name: str
    """``recurrent product``, ``gates``, ...; an operator without a role goes by its own name."""
    step: int | None
    """Time step, counted from 1; None outside the recurrent layers."""


def placed(layers: Iterable[Mapping[str, Any]], graph: Graph | None) -> list[dict[str, Any]]:
    """Add ``layer``, ``role`` and ``step`` to rows of Vela's report, which name the tensor that an operator makes.

    Vela has operators of its own, such as those of a softmax: these have no place in the network.
    """
    tensors: dict[str, list[TensorRole]] = {}
    for tensor in graph.tensors if graph else ():
        tensors.setdefault(tensor.tensor, []).append(tensor)
    rows = []
    for layer in layers:
        place = _place(layer, tensors.get(layer["name"], []))
        known = {"layer": place.layer, "role": place.role, "step": place.step} if place else {}
        rows.append({**layer, **(known or dict.fromkeys(("layer", "role", "step")))})
    return rows


def _place(layer: Mapping[str, Any], tensors: list[TensorRole]) -> TensorRole | None:
    """Return the tensor that an operator makes: of several by one name, the one made by such an operation."""
    same = [tensor for tensor in tensors if _plain(tensor.operation or "") == _plain(str(layer["operator"]))]
    return next(iter(same or tensors), None)


def _plain(operation: str) -> str:
    """Write TensorFlow Lite's word and Vela's for an operation alike."""
    plain = operation.replace("_", "").lower()
    return {"logistic": "sigmoid"}.get(plain, plain)


def roles(layers: Iterable[Mapping[str, Any]]) -> list[Role]:
    """Return the role of each row of ``layers.json``; of several recurrent layers, it says which."""
    rows = list(layers)
    several = len({row["layer"] for row in rows if row.get("step") is not None}) > 1
    return [_in_words(row, several=several) for row in rows]


def _in_words(row: Mapping[str, Any], *, several: bool) -> Role:
    if not row.get("role"):
        return Role(str(row["operator"]).lower(), None)
    role = str(row["role"]).replace("_", " ")
    return Role(f"{row['layer']} {role}" if several and row["layer"] else role, row["step"])
