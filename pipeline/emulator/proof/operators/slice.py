"""SLICE and STRIDED_SLICE: a part of a tensor, along every axis from here to there."""

from collections.abc import Sequence
from typing import Any

from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.proof.codes import Codes
from pipeline.emulator.proof.kinds import kind
from pipeline.emulator.proof.source import Operator
from pipeline.emulator.proof.views import View


@kind("SLICE")
class Slice(View):
    """Begin and size are its second and third input; a size of -1 is all the rest."""

    def shown(self, operator: Operator, read: Sequence[Codes]) -> Sequence[Codes]:
        """Show the part."""
        begin, size = operator.constant(1).ravel(), operator.constant(2).ravel()
        parts = [slice(int(b), None if s < 0 else int(b) + int(s)) for b, s in zip(begin, size, strict=True)]
        return [read[0][tuple(parts)]]


@kind("STRIDED_SLICE")
class StridedSlice(View):
    """Begin, end and strides are its inputs behind the first; masks leave some out."""

    def shown(self, operator: Operator, read: Sequence[Codes]) -> Sequence[Codes]:
        """Show the part."""
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
