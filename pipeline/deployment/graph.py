"""A whole network as one ``.tflite`` file: recurrent layers, dense layers, softmax."""

from pipeline.deployment.cells import CELLS, Cell, State
from pipeline.deployment.names import INPUT, OUTPUT, Name
from pipeline.deployment.weights import Weights
from pipeline.deployment.writer import Tensor, Writer

MOST_CONCATENATED = 10
"""``kMaxInputNum`` of TensorFlow Lite Micro's CONCATENATION."""


def build(weights: Weights, time_steps: int, features: int, *, state: bool) -> bytes:
    """Write the deployment graph in float32.

    It takes ``input`` (1, time steps, features) and returns ``output``, the class probabilities after the
    last of these steps, (1, classes). With ``state``, it also takes the state before the first step and returns
    that after the last one, under the same names: ``gru_1_hidden``, ``lstm_1_cell``, ..., each (1, units).
    """
    writer = Writer()
    x = writer.input(INPUT, (1, time_steps, features))
    inputs: dict[str, Tensor] = {INPUT: x}
    outputs: dict[str, Tensor] = {}
    rows = writer.reshape(f"{INPUT}_rows", x, (time_steps, features))
    for number, layer in enumerate(weights.recurrent, 1):
        cell = CELLS[layer.cell](writer, layer)
        product = cell.input_product(rows)
        carried: State | None = None
        if state:
            carried = {role: writer.input(cell.name(role, 0), (1, layer.units)) for role in cell.STATE}
            inputs |= {f"{layer.name}_{role}": tensor for role, tensor in carried.items()}
        hidden = []
        for step in range(1, time_steps + 1):
            carried = cell.step(step, product, carried)
            hidden.append(carried["hidden"])
        if state and carried is not None:
            outputs |= {f"{layer.name}_{role}": tensor for role, tensor in carried.items()}
        if number < len(weights.recurrent):
            rows = _rows(writer, cell, hidden)
    outputs[OUTPUT] = _head(writer, weights, hidden[-1])
    return writer.finished(inputs, outputs)


def _rows(writer: Writer, cell: Cell, hidden: list[Tensor]) -> Tensor:
    """Put the hidden state of every step in a row, so that the next layer multiplies them all at once.

    TensorFlow Lite Micro concatenates few tensors and packs any number. On the NPU both are the same copies, but
    for the last step's, which can be written into a concatenation right away.
    """
    if len(hidden) == 1:
        return hidden[0]
    if len(hidden) <= MOST_CONCATENATED:
        return writer.concatenation(cell.name("hidden_rows"), hidden)
    packed = writer.pack(cell.name("hidden_rows"), hidden)
    return writer.reshape(cell.name("hidden_matrix"), packed, (len(hidden), hidden[0].shape[1]))


def _head(writer: Writer, weights: Weights, x: Tensor) -> Tensor:
    for layer in weights.dense:
        product = writer.fully_connected(
            str(Name(layer.name, "product", None)), x, layer.kernel, layer.bias, layer.name
        )
        x = writer.relu(str(Name(layer.name, "relu", None)), product)
    last = weights.output
    logits = writer.fully_connected("logits", x, last.kernel, last.bias, last.name)
    return writer.softmax(OUTPUT, logits)
