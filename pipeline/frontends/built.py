"""A network that is built from the experiment's ``[model]``, to be trained here."""

from collections.abc import Mapping

import numpy as np

from pipeline.data.steps import parts
from pipeline.frontends.section import Model
from pipeline.network.graph import Network
from pipeline.network.layer import Layer
from pipeline.network.layers.activation import Activation
from pipeline.network.layers.dense import Dense
from pipeline.network.layers.fold import Fold
from pipeline.network.layers.gru import GRU
from pipeline.network.layers.lstm import LSTM
from pipeline.network.layers.simple_rnn import SimpleRNN
from pipeline.network.layers.softmax import Softmax
from pipeline.network.recurrent import Recurrent
from pipeline.network.values import Array, Value

INPUT, OUTPUT = "input", "output"
CELLS: Mapping[str, type[Recurrent]] = {"gru": GRU, "lstm": LSTM, "simple_rnn": SimpleRNN}


def build(model: Model, rows: int, features: int, classes: int) -> Network:
    """Build rows -> recurrent layers -> dense layers with ReLU -> softmax over the classes, all weights 0.

    The layers are called ``gru_1``, ``gru_2``, ..., ``dense_1``, ..., ``logits_1``, ``output``.

    Args:
        model: the experiment's ``[model]``.
        rows: of a sequence of the data set.
        features: of a row.
        classes: of the data set.

    Raises:
        StepsError: ``rows_per_step`` does not divide the rows.

    """
    layers = list[Layer]()
    value, width = INPUT, features
    per_step = model.rows_per_step
    parts("model.rows_per_step", per_step, rows, "rows of the data set")
    if per_step > 1:
        value, width = f"{INPUT}_rows", features * per_step
        layers.append(Fold(name="fold_1", inputs=(INPUT,), output=value, rows=per_step, columns=width))
    for number in range(1, model.layers + 1):
        name = f"{model.cell}_{number}"
        layers.append(_recurrent(model, name, value, width, sequences=number < model.layers))
        value, width = f"{name}/hidden", model.units
    for number, units in enumerate(model.dense, 1):
        name = f"dense_{number}"
        layers.append(_dense(name, value, width, units, f"{name}/product"))
        value, width = f"{name}/relu", units
        layers.append(Activation(name=f"relu_{number}", inputs=(f"{name}/product",), output=value, function="relu"))
    layers.append(_dense("logits_1", value, width, classes, "logits"))
    layers.append(Softmax(name=OUTPUT, inputs=("logits",), output=OUTPUT))
    return Network((Value(INPUT, (features,), rows),), tuple(layers), (OUTPUT,))


def _zeros(*shape: int) -> Array:
    return np.zeros(shape, np.float32)


def _recurrent(model: Model, name: str, value: str, width: int, *, sequences: bool) -> Recurrent:
    kind, units = CELLS[model.cell], model.units
    columns = kind.GATES * units
    own = {"recurrent_bias": _zeros(columns)} if kind is GRU and model.reset_after else {}
    return kind(
        name=name,
        inputs=(value,),
        output=f"{name}/hidden",
        kernel=_zeros(width, columns),
        recurrent=_zeros(units, columns),
        bias=_zeros(columns),
        return_sequences=sequences,
        **own,
    )


def _dense(name: str, value: str, width: int, units: int, output: str) -> Dense:
    return Dense(name=name, inputs=(value,), output=output, kernel=_zeros(width, units), bias=_zeros(units))
