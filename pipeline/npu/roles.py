"""What each operator of an unrolled network is for: its role and its time step, read off its name.

Our own deployment graph says both (``pipeline.deployment.names``). Keras names the cell of each
step by a growing number (``gru_1/gru_cell_3/MatMul_1``), and numbers its matrix products: first
those of the input, one or one per gate, then those of the hidden state. At the first step the
hidden state is zero, and the converter drops its product.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pipeline.deployment import names

_CELL = re.compile(
    r"(?P<layer>\w+/)?(?:gru|lstm|simple_rnn)_cell(?:_(?P<number>\d+))?/(?:StatefulPartitionedCall/)?(?P<operation>\w+)"
)
_PRODUCT = re.compile(r"MatMul(?:_(\d+))?$")


class Role(NamedTuple):
    """The place of an operator in the network."""

    name: str
    """``recurrent product``, ``gates``, ...; an operator without a role goes by its own name."""
    step: int | None
    """Time step, counted from 1; None outside the recurrent layers."""


def roles(layers: Iterable[Mapping[str, Any]]) -> list[Role]:
    """Return the role of each row of ``layers.json``, in the same order."""
    layers = list(layers)
    found = _of_cells(layers) or _tied(layers)
    outside = [index for index, role in enumerate(found) if role is None and layers[index]["operator"] == DENSE]
    inside = [index for index, role in enumerate(found) if role is not None]
    # Of one dense layer behind everything that has a role, this is known; of a foreign model's, it would be a guess.
    output = outside[0] if len(outside) == 1 and inside and outside[0] > min(inside) else None
    return [
        role or Role(_outside(layer, is_output=index == output), None)
        for index, (layer, role) in enumerate(zip(layers, found, strict=True))
    ]


DENSE = "FullyConnected"


def _of_cells(layers: Sequence[Mapping[str, Any]]) -> list[Role | None]:
    """Read the names that Keras gives to the cells of every step; nothing where there are none."""
    cells = [_CELL.search(layer["name"]) for layer in layers]
    if not any(cells):
        return []
    steps = _steps([cell for cell in cells if cell])
    products = [match for cell in cells if cell and (match := _PRODUCT.match(cell["operation"]))]
    of_input = max(1, (max((_number(match[1]) for match in products), default=0) + 1) // 2)
    return [
        Role(_in_cell(layer, cell, of_input), steps[cell["layer"], _number(cell["number"])]) if cell else None
        for layer, cell in zip(layers, cells, strict=True)
    ]


def _tied(layers: Sequence[Mapping[str, Any]]) -> list[Role | None]:
    """Read the names of our own graph; of several recurrent layers, the role says which."""
    parsed = [names.parse(layer["name"]) for layer in layers]
    several = len({name.layer for name in parsed if name and name.layer and name.step}) > 1
    found: list[Role | None] = []
    for name in parsed:
        if name is None or name.layer is None:
            found.append(None)
        else:
            role = name.role.replace("_", " ")
            found.append(Role(f"{name.layer} {role}" if several else role, name.step))
    return found


def _steps(cells: Iterable[re.Match[str]]) -> dict[tuple[str | None, int], int]:
    """Count the cells of each layer from 1."""
    found: dict[tuple[str | None, int], int] = {}
    for layer in {cell["layer"] for cell in cells}:
        numbers = sorted({_number(cell["number"]) for cell in cells if cell["layer"] == layer})
        found |= {(layer, number): step for step, number in enumerate(numbers, 1)}
    return found


def _number(text: str | None) -> int:
    return int(text or 0)


def _in_cell(layer: Mapping[str, Any], cell: re.Match[str], of_input: int) -> str:
    if layer["operator"] == "FullyConnected":
        product = _PRODUCT.match(cell["operation"])
        return "recurrent product" if product and _number(product[1]) >= of_input else "input product"
    if cell["operation"].startswith("Sigmoid"):
        return "gates (sigmoid)"
    if cell["operation"].startswith("Tanh"):
        return "tanh"
    return "state update" if layer["operator"] in {"Add", "Sub", "Mul"} else str(layer["operator"]).lower()


def _outside(layer: Mapping[str, Any], *, is_output: bool) -> str:
    if layer["operator"] == DENSE:
        return "output layer" if is_output else "dense layer"
    return str(layer["operator"]).lower()
