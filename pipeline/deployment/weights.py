"""Trained weights as plain arrays, in the order in which the deployment graph wants them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Recurrent:
    """A recurrent layer. H units, F features, G gates: 3 (GRU), 4 (LSTM) or 1 (SimpleRNN)."""

    name: str
    """``gru_1``: the cell, and its place among the recurrent layers."""
    cell: str
    kernel: Array
    """(F, G * H), the columns of gate after gate."""
    recurrent: Array
    """(H, G * H)."""
    input_bias: Array
    """(G * H,), with every recurrent bias folded in that is only ever added to it."""
    recurrent_bias: Array | None = None
    """(G * H,): of a GRU with ``reset_after``, what the reset gate multiplies too; 0 elsewhere."""

    @property
    def units(self) -> int:
        """The width of the hidden state."""
        return int(self.recurrent.shape[0])


@dataclass(frozen=True, kw_only=True)
class Dense:
    """A fully connected layer: kernel (k, n), bias (n,)."""

    name: str
    kernel: Array
    bias: Array


@dataclass(frozen=True, kw_only=True)
class Weights:
    """A whole network: recurrent layers, dense layers with ReLU, and the softmax's layer."""

    recurrent: Sequence[Recurrent]
    dense: Sequence[Dense]
    output: Dense


LSTM_GATES = (1, 0, 3, 2)
"""Keras keeps input, forget, cell, output; the graph wants forget, input, output, cell: the three
sigmoids side by side, with the forget gate, which a first step without state does not need, at the edge."""


def of_keras(arrays: Mapping[str, Sequence[Array]], model: Mapping[str, Any]) -> Weights:
    """Sort the weights of a Keras network.

    Args:
        arrays: what ``get_weights()`` of each layer returns, by the layer's name as ``network.build`` gives it.
        model: the experiment's ``[model]``.

    """
    cell = model["cell"]
    sort = {"gru": _gru, "lstm": _lstm, "simple_rnn": _simple_rnn}[cell]
    recurrent = [
        sort(name, *map(_float32, arrays[name])) for name in (f"{cell}_{n + 1}" for n in range(model["layers"]))
    ]
    dense = [_dense(f"dense_{n + 1}", arrays) for n in range(len(model["dense"]))]
    return Weights(recurrent=recurrent, dense=dense, output=_dense("output", arrays, "logits_1"))


def _float32(array: Array) -> Array:
    return np.asarray(array, np.float32)


def _dense(name: str, arrays: Mapping[str, Sequence[Array]], renamed: str | None = None) -> Dense:
    kernel, bias = map(_float32, arrays[name])
    return Dense(name=renamed or name, kernel=kernel, bias=bias)


def _gru(name: str, kernel: Array, recurrent: Array, bias: Array) -> Recurrent:
    """Sort a GRU's weights: Keras keeps update, reset, candidate, and two rows of bias with ``reset_after``."""
    if bias.ndim == 1:
        return Recurrent(name=name, cell="gru", kernel=kernel, recurrent=recurrent, input_bias=bias)
    of_input, of_state = bias[0].copy(), bias[1].copy()
    gates = 2 * len(recurrent)
    of_input[:gates] += of_state[:gates]
    of_state[:gates] = 0
    return Recurrent(
        name=name, cell="gru", kernel=kernel, recurrent=recurrent, input_bias=of_input, recurrent_bias=of_state
    )


def _lstm(name: str, kernel: Array, recurrent: Array, bias: Array) -> Recurrent:
    def sorted_gates(array: Array) -> Array:
        gates = np.split(array, 4, axis=-1)
        return np.concatenate([gates[gate] for gate in LSTM_GATES], axis=-1)

    return Recurrent(
        name=name,
        cell="lstm",
        kernel=sorted_gates(kernel),
        recurrent=sorted_gates(recurrent),
        input_bias=sorted_gates(bias),
    )


def _simple_rnn(name: str, kernel: Array, recurrent: Array, bias: Array) -> Recurrent:
    return Recurrent(name=name, cell="simple_rnn", kernel=kernel, recurrent=recurrent, input_bias=bias)
