"""Which stored numbers each tensor of a quantized model can hold at all, whatever the input.

More than can really come up, since each operand is looked at alone: a number that is not within reach never
occurs, one that is may.
"""

from functools import cached_property

import numpy as np
import numpy.typing as npt

from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.proof import formulas
from pipeline.emulator.proof.elements import is_view
from pipeline.emulator.proof.formulas import BINARY, UNARY
from pipeline.emulator.proof.source import Model, Operator, Tensor

Possible = npt.NDArray[np.bool_]
"""For each number of int8, -128 first."""
MIDDLE = 128


class Reach:
    """What can come up in a model of 8 bits."""

    def __init__(self, model: Model) -> None:
        """Remember the model; nothing is computed before it is asked for."""
        self._model = model

    def inputs(self, operator: Operator) -> Possible:
        """Return which numbers an operator can get, (256,), or which pairs if it has two inputs, (256, 256)."""
        if operator.kind not in BINARY:
            return self._of(operator.input(0))
        a, b = (self._of(operator.input(place)) for place in (0, 1))
        return a[:, None] & b[None, :]

    def _of(self, tensor: Tensor) -> Possible:
        return self._possible.get(tensor.number, np.ones(256, bool))

    @cached_property
    def _possible(self) -> dict[int, Possible]:
        found: dict[int, Possible] = {}
        self.__dict__["_possible"] = found  # what is computed below asks for what is known so far
        for tensor in self._model.tensors:
            if tensor.data is not None and tensor.dtype == np.int8:
                found[tensor.number] = _held(tensor.data)
        images: dict[object, Possible] = {}
        for operator in self._model.operators:
            for tensor in operator.outputs:
                if tensor.dtype == np.int8:
                    found[tensor.number] = self._image(operator, images)
        return found

    def _image(self, operator: Operator, images: dict[object, Possible]) -> Possible:
        if is_view(operator):
            shown = [tensor for tensor in operator.inputs if tensor is not None and tensor.dtype == np.int8]
            return np.any([self._of(tensor) for tensor in shown], axis=0) if shown else np.ones(256, bool)
        if operator.kind not in BINARY | UNARY:
            return np.ones(256, bool)
        possible = self.inputs(operator)
        key = (formulas.signature(operator), possible.tobytes())
        if key not in images:
            try:
                images[key] = _held(formulas.table(operator)[possible])
            except NotVerifiedError:
                images[key] = np.ones(256, bool)
        return images[key]


def _held(numbers: npt.NDArray[np.int8]) -> Possible:
    possible = np.zeros(256, bool)
    possible[np.asarray(numbers, np.int64).ravel() + MIDDLE] = True
    return possible
