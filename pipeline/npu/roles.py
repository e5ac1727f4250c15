"""What each operator of an unrolled network is for: its role and its time step, read off its name.

Keras names the cell of each step by a growing number (``gru_cell_3/MatMul_1``), and numbers its
matrix products: first those of the input, one or one per gate, then those of the hidden state.
At the first step the hidden state is zero, and the converter drops its product.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

_CELL = re.compile(r"(?:gru|lstm|simple_rnn)_cell(?:_(\d+))?/(\w+)")
_PRODUCT = re.compile(r"MatMul(?:_(\d+))?$")


class Role(NamedTuple):
    """The place of an operator in the network."""

    name: str
    """``recurrent product``, ``gates (sigmoid)``, ...; an operator without a role goes by its own name."""
    step: int | None
    """Time step, counted from 1; None outside the recurrent layer."""


def roles(layers: Iterable[Mapping[str, Any]]) -> list[Role]:
    """Return the role of each row of ``layers.json``, in the same order."""
    layers = list(layers)
    cells = [_CELL.search(layer["name"]) for layer in layers]
    steps = {number: step for step, number in enumerate(sorted({_number(cell[1]) for cell in cells if cell}), 1)}
    products = [match for cell in cells if cell and (match := _PRODUCT.match(cell[2]))]
    of_input = max(1, (max((_number(match[1]) for match in products), default=0) + 1) // 2)
    return [
        Role(_in_cell(layer, cell, of_input), steps[_number(cell[1])]) if cell else Role(_outside(layer), None)
        for layer, cell in zip(layers, cells, strict=True)
    ]


def _number(text: str | None) -> int:
    return int(text or 0)


def _in_cell(layer: Mapping[str, Any], cell: re.Match[str], of_input: int) -> str:
    if layer["operator"] == "FullyConnected":
        product = _PRODUCT.match(cell[2])
        return "recurrent product" if product and _number(product[1]) >= of_input else "input product"
    if cell[2].startswith("Sigmoid"):
        return "gates (sigmoid)"
    if cell[2].startswith("Tanh"):
        return "tanh"
    return "state update" if layer["operator"] in {"Add", "Sub", "Mul"} else str(layer["operator"]).lower()


def _outside(layer: Mapping[str, Any]) -> str:
    return "output layer" if layer["operator"] == "FullyConnected" else str(layer["operator"]).lower()
