"""Which number each element of a quantized model's tensors is, seen through all that only moves numbers.

A slice shows numbers of the tensor that it cuts, and the compiled file has no trace of it but an address.
Every number that is given, constant or computed has a code; a view's elements have the codes of what they
show.
"""

import numpy as np
import numpy.typing as npt

from pipeline.emulator.errors import StreamError
from pipeline.emulator.proof.codes import Codes, own, split
from pipeline.emulator.proof.kinds import kind_of
from pipeline.emulator.proof.source import Model, Operator, Tensor


class Elements:
    """The codes of every tensor of a quantized model."""

    def __init__(self, model: Model) -> None:
        """Follow the operators.

        Raises:
            NotVerifiedError: a view does what is not covered.
            StreamError: a tensor is read before it is computed, or shapes don't fit.

        """
        self._tensors = model.tensors
        self._codes = {tensor.number: own(tensor) for tensor in model.tensors if tensor.data is not None} | {
            tensor.number: own(tensor) for tensor in model.inputs
        }
        same: dict[object, list[Codes]] = {}
        for operator in model.operators:
            read = [self.of(tensor) for tensor in operator.inputs if tensor is not None]
            if is_view(operator):
                outputs = _viewed(operator, read)
            else:  # two operators that compute the same may be compiled as one
                key = _meaning(operator, read)
                outputs = same.setdefault(key, [own(tensor) for tensor in operator.outputs])
            self._codes |= {tensor.number: codes for tensor, codes in zip(operator.outputs, outputs, strict=True)}

    def of(self, tensor: Tensor) -> Codes:
        """Return a tensor's codes, in its shape.

        Raises:
            StreamError: nothing computes it before it is read.

        """
        if tensor.number not in self._codes:
            message = f"tensor {tensor.name} of the quantized model is read before anything computes it"
            raise StreamError(message)
        return self._codes[tensor.number]

    def constants(self, codes: Codes) -> npt.NDArray[np.int64] | None:
        """Return the stored numbers that codes stand for, or None where they are not of one constant."""
        of_each, elements = split(codes)
        numbers = np.unique(of_each)
        if numbers.size != 1 or numbers[0] < 0:
            return None
        data = self._tensors[numbers[0]].data
        return None if data is None else np.asarray(data.ravel()[elements], np.int64)


def _meaning(operator: Operator, read: list[Codes]) -> object:
    return (
        operator.kind,
        operator.stored_options,
        tuple(codes.tobytes() for codes in read),
        tuple((tensor.shape, tensor.scales.tobytes(), tensor.zero_points.tobytes()) for tensor in operator.outputs),
    )


def is_view(operator: Operator) -> bool:
    """Tell whether an operator only shows numbers of others."""
    return kind_of(operator).is_view(operator)


def _viewed(operator: Operator, read: list[Codes]) -> list[Codes]:
    try:
        shown = kind_of(operator).shown(operator, read)
        return [codes.reshape(tensor.shape) for codes, tensor in zip(shown, operator.outputs, strict=True)]
    except (ValueError, IndexError) as error:
        message = f"operator {operator}: its shapes do not fit ({error})"
        raise StreamError(message) from None
