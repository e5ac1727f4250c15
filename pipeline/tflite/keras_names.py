"""What the tensors of a model that TFLiteConverter wrote are for, as far as Keras' names tell.

Keras names the cell of each step by a growing number (``gru_1/gru_cell_3/MatMul_1``), and numbers its matrix products:
first those of the input, one or one per gate, then those of the hidden state. At the first step the hidden state is
zero, and the converter drops its product. This is read off the names here, once, and handed on.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Literal

from pipeline.tflite import inspect, reader
from pipeline.tflite.model import Tensor
from pipeline.tflite.roles import Graph, GraphPort, TensorRole

OUTPUT = "output"
"""What a single output is called, which TFLiteConverter gives no name."""

_CELL = re.compile(
    r"(?:(?P<layer>\w+)/)?(?:gru|lstm|simple_rnn)_cell(?:_(?P<number>\d+))?/(?:StatefulPartitionedCall/)?(?P<operation>\w+)"
)
_PRODUCT = re.compile(r"MatMul(?:_(\d+))?$")


def described(content: bytes) -> Graph:
    """Say what the tensors of a converted model are for, as far as Keras' names tell.

    Whatever is both an input and an output of one name is a state.
    """
    model = reader.parse(content)
    inputs, outputs = inspect.ports(model)
    if len(outputs) == 1:
        outputs = dict(zip([OUTPUT], outputs.values(), strict=True))
    states = inputs.keys() & outputs.keys()
    shapes = [tensor.shape for name, tensor in inputs.items() if name not in states]
    operations = [(operator.outputs[0].name, operator.kind) for operator in model.main.operators if operator.outputs]
    return Graph(
        steps=shapes[0][1] if shapes and len(shapes[0]) > 1 else 1,
        inputs=_ports(inputs, states, "input"),
        outputs=_ports(outputs, states, "output"),
        tensors=roles(operations),
    )


def _ports(tensors: Mapping[str, Tensor], states: Collection[str], kind: Literal["input", "output"]) -> list[GraphPort]:
    return [
        GraphPort(name=name, tensor=tensor.name, kind="state" if name in states else kind)
        for name, tensor in tensors.items()
    ]


def roles(operations: Iterable[tuple[str, str]]) -> list[TensorRole]:
    """Return what tensors are for, given the name of each and the operation that makes it, in order of execution."""
    listed = list(operations)
    cells = [_CELL.search(name) for name, _ in listed]
    steps = _steps([cell for cell in cells if cell])
    products = [product for cell in cells if cell and (product := _PRODUCT.match(cell["operation"]))]
    of_input = max(1, (max((_number(product[1]) for product in products), default=0) + 1) // 2)
    return [
        TensorRole(
            tensor=name,
            layer=(cell["layer"] or "recurrent") if cell else None,
            role=_in_cell(operation, cell, of_input) if cell else _outside(operation),
            tie=name,
            operation=operation,
            step=steps[cell["layer"], _number(cell["number"])] if cell else None,
        )
        for (name, operation), cell in zip(listed, cells, strict=True)
    ]


def _steps(cells: Iterable[re.Match[str]]) -> dict[tuple[str | None, int], int]:
    """Count the cells of each layer from 1."""
    counted: dict[tuple[str | None, int], int] = {}
    for layer in {cell["layer"] for cell in cells}:
        numbers = sorted({_number(cell["number"]) for cell in cells if cell["layer"] == layer})
        counted |= {(layer, number): step for step, number in enumerate(numbers, 1)}
    return counted


def _number(text: str | None) -> int:
    return int(text or 0)


def _in_cell(operation: str, cell: re.Match[str], of_input: int) -> str:
    if operation == "FULLY_CONNECTED":
        product = _PRODUCT.match(cell["operation"])
        return "recurrent_product" if product and _number(product[1]) >= of_input else "input_product"
    if cell["operation"].startswith("Sigmoid"):
        return "gates"
    if cell["operation"].startswith("Tanh"):
        return "tanh"
    return "state_update" if operation in {"ADD", "SUB", "MUL"} else operation.lower()


def _outside(operation: str) -> str:
    return "dense_layer" if operation == "FULLY_CONNECTED" else operation.lower()
