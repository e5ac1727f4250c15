"""Which number each element of a quantized model's tensors is, seen through all that only moves numbers.

A slice shows numbers of the tensor that it cuts, and the compiled file has no trace of it but an address.
Every number that is given, constant or computed has a code; a view's elements have the codes of what they
show.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.emulator.errors import NotVerifiedError, StreamError
from pipeline.emulator.proof.source import Model, Operator, Tensor

Codes = npt.NDArray[np.int64]
"""Tensor number plus 1, above 32 bits of element number; 0 is no code."""

INSIDE = 0xFFFFFFFF
"""Element number of what is computed within an operator that is compiled into many commands."""

Views = Callable[[Operator, list[Codes]], list[Codes]]


class Elements:
    """The codes of every tensor of a quantized model."""

    def __init__(self, model: Model) -> None:
        """Follow the operators.

        Raises:
            NotVerifiedError: a view does what is not covered.
            StreamError: a tensor is read before it is computed, or shapes don't fit.

        """
        self._tensors = model.tensors
        self._codes = {tensor.number: _own(tensor) for tensor in model.tensors if tensor.data is not None} | {
            tensor.number: _own(tensor) for tensor in model.inputs
        }
        same: dict[object, list[Codes]] = {}
        for operator in model.operators:
            read = [self.of(tensor) for tensor in operator.inputs if tensor is not None]
            if is_view(operator):
                found = _viewed(operator, read)
            else:  # two operators that compute the same may be compiled as one
                key = _meaning(operator, read)
                found = same.setdefault(key, [_own(tensor) for tensor in operator.outputs])
            self._codes |= {tensor.number: codes for tensor, codes in zip(operator.outputs, found, strict=True)}

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


def split(codes: Codes) -> tuple[Codes, Codes]:
    """Return the tensor's number and the element's of each code."""
    return (codes >> 32) - 1, codes & INSIDE


def _own(tensor: Tensor) -> Codes:
    size = int(np.prod(tensor.shape))
    return (np.arange(size, dtype=np.int64) + (tensor.number + 1 << 32)).reshape(tensor.shape)


def _meaning(operator: Operator, read: list[Codes]) -> object:
    return (
        operator.kind,
        repr(vars(operator.options)) if operator.options else None,
        tuple(codes.tobytes() for codes in read),
        tuple((tensor.shape, tensor.scales.tobytes(), tensor.zero_points.tobytes()) for tensor in operator.outputs),
    )


def is_view(operator: Operator) -> bool:
    """Tell whether an operator only shows numbers of others."""
    if operator.kind in {"QUANTIZE", "CONCATENATION", "PACK"}:
        output = operator.outputs[0]
        return all(tensor is not None and _stored_alike(tensor, output) for tensor in operator.inputs)
    return operator.kind in _VIEWS


def _stored_alike(a: Tensor, b: Tensor) -> bool:
    return a.dtype == b.dtype and bool(
        np.array_equal(a.scales, b.scales) and np.array_equal(a.zero_points, b.zero_points)
    )


def _viewed(operator: Operator, read: list[Codes]) -> list[Codes]:
    try:
        found = _VIEWS[operator.kind](operator, read)
        return [codes.reshape(tensor.shape) for codes, tensor in zip(found, operator.outputs, strict=True)]
    except (ValueError, IndexError) as error:
        message = f"operator {operator}: its shapes do not fit ({error})"
        raise StreamError(message) from None


def _strided_slice(operator: Operator, read: list[Codes]) -> list[Codes]:
    begin, end, strides = (operator.constant(place).ravel() for place in (1, 2, 3))
    options = operator.options
    if options.ellipsisMask or options.newAxisMask:
        message = f"operator {operator}, with an ellipsis or a new axis"
        raise NotVerifiedError(message)
    parts: list[Any] = []
    for axis in range(len(begin)):
        if options.shrinkAxisMask >> axis & 1:
            parts.append(int(begin[axis]))
        else:
            first = None if options.beginMask >> axis & 1 else int(begin[axis])
            last = None if options.endMask >> axis & 1 else int(end[axis])
            parts.append(slice(first, last, int(strides[axis])))
    return [read[0][tuple(parts)]]


def _slice(operator: Operator, read: list[Codes]) -> list[Codes]:
    begin, size = operator.constant(1).ravel(), operator.constant(2).ravel()
    parts = [slice(int(b), None if s < 0 else int(b) + int(s)) for b, s in zip(begin, size, strict=True)]
    return [read[0][tuple(parts)]]


def _split(operator: Operator, read: list[Codes]) -> list[Codes]:
    return np.split(read[1], len(operator.outputs), axis=int(operator.constant(0).ravel()[0]))


def _split_v(operator: Operator, read: list[Codes]) -> list[Codes]:
    ends = np.cumsum(operator.constant(1).ravel())[:-1]
    return np.split(read[0], ends, axis=int(operator.constant(2).ravel()[0]))


def _unpack(operator: Operator, read: list[Codes]) -> list[Codes]:
    return list(np.moveaxis(read[0], operator.options.axis, 0))


_VIEWS: Mapping[str, Views] = {
    "RESHAPE": lambda _, read: [read[0]],
    "SQUEEZE": lambda _, read: [read[0]],
    "EXPAND_DIMS": lambda _, read: [read[0]],
    "QUANTIZE": lambda _, read: [read[0]],
    "STRIDED_SLICE": _strided_slice,
    "SLICE": _slice,
    "SPLIT": _split,
    "SPLIT_V": _split_v,
    "UNPACK": _unpack,
    "PACK": lambda operator, read: [np.stack(read, axis=operator.options.axis)],
    "CONCATENATION": lambda operator, read: [np.concatenate(read, axis=operator.options.axis)],
    "TRANSPOSE": lambda operator, read: [np.transpose(read[0], operator.constant(1).ravel())],
}
