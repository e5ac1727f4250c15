"""Which stored numbers each tensor of a quantized model can hold at all, whatever the input.

More than can really come up, since each operand is looked at alone: a number that is not within reach never
occurs, one that is may.
"""

from functools import cached_property

import numpy as np

from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.proof import int8
from pipeline.emulator.proof.elements import is_view
from pipeline.emulator.proof.int8 import Possible
from pipeline.emulator.proof.kinds import kind_of
from pipeline.emulator.proof.source import Model, Operator, Tensor


class Reach:
    """What can come up in a model of 8 bits."""

    def __init__(self, model: Model) -> None:
        """Remember the model; nothing is computed before it is asked for."""
        self._model = model
        self._images: dict[object, Possible] = {}

    def inputs(self, a: Tensor, b: Tensor | None = None) -> Possible:
        """Return which numbers can be read of a tensor, (256,), or which pairs of two, (256, 256)."""
        of_a = self._of(a)
        return of_a if b is None else of_a[:, None] & self._of(b)[None, :]

    def image(self, operator: Operator, inputs: Possible) -> Possible:
        """Return what an operator's table makes of some inputs; every number, if it has no table."""
        key = (operator.signature, inputs.tobytes())
        if key not in self._images:
            try:
                self._images[key] = int8.held(kind_of(operator).table(operator)[inputs])
            except NotVerifiedError:
                self._images[key] = int8.any_number()
        return self._images[key]

    def _of(self, tensor: Tensor) -> Possible:
        return self._possible.get(tensor.number, int8.any_number())

    @cached_property
    def _possible(self) -> dict[int, Possible]:
        possible: dict[int, Possible] = {}
        self.__dict__["_possible"] = possible  # what is computed below asks for what is known so far
        for tensor in self._model.tensors:
            if tensor.data is not None and tensor.dtype == np.int8:
                possible[tensor.number] = int8.held(tensor.data)
        for operator in self._model.operators:
            for tensor in operator.outputs:
                if tensor.dtype == np.int8:
                    possible[tensor.number] = self._computed(operator)
        return possible

    def _computed(self, operator: Operator) -> Possible:
        if not is_view(operator):
            return kind_of(operator).possible(operator, self)
        shown = [tensor for tensor in operator.inputs if tensor is not None and tensor.dtype == np.int8]
        return np.any([self._of(tensor) for tensor in shown], axis=0) if shown else int8.any_number()
