"""What commands have in common that differ only in where they read and write: decoded weights, scales and tables."""

import numpy as np
import numpy.typing as npt

from pipeline.emulator.machine import kernels
from pipeline.emulator.machine.kernels import Numbers
from pipeline.emulator.stream import weights
from pipeline.emulator.stream.operations import Binary, Convolution, Operand
from pipeline.emulator.stream.weight_order import WeightLayout
from pipeline.emulator.stream.weights import Scales


class Shared:
    """Makes each once: an unrolled network has the same at every time step."""

    def __init__(self) -> None:
        """Begin with nothing made."""
        self._weights: dict[tuple[tuple[bytes, ...], WeightLayout], npt.NDArray[np.int16]] = {}
        self._scales: dict[tuple[tuple[bytes, ...], int, bool], Scales] = {}
        self._tables: dict[object, Numbers | None] = {}

    def weights(self, streams: tuple[bytes, ...], layout: WeightLayout) -> npt.NDArray[np.int16]:
        """Return the weights that the streams of all cores hold, (outputs, height, width, inputs)."""
        key = (streams, layout)
        if key not in self._weights:
            self._weights[key] = weights.weights(streams, layout)
        return self._weights[key]

    def scales(self, streams: tuple[bytes, ...], operation: Convolution) -> Scales:
        """Return the bias, multiplier and shift of every output of a convolution."""
        key = (streams, operation.ofm.depth, operation.wide_bias)
        if key not in self._scales:
            family = operation.layout.npu.family
            self._scales[key] = weights.scales(streams, operation.ofm.depth, family, wide_bias=operation.wide_bias)
        return self._scales[key]

    def table(self, operation: Binary, lookup: Numbers | None) -> Numbers | None:
        """Return the results of an elementwise operation on 8 bits for every input, as ``kernels.table_of`` does."""
        key = (
            operation.mode,
            _of_table(operation.a),
            _of_table(operation.b),
            operation.ofm.zero_point,
            operation.ofm.dtype.str,
            operation.scale,
            operation.activation,
            None if lookup is None else lookup.tobytes(),
        )
        if key not in self._tables:
            self._tables[key] = kernels.table_of(operation, lookup)
        return self._tables[key]


def _of_table(operand: Operand | None) -> tuple[object, ...] | None:
    if operand is None:
        return None
    feature_map = operand.feature_map
    stored = None if feature_map is None else (feature_map.dtype.str, feature_map.zero_point)
    return operand.scalar, operand.scale, stored
