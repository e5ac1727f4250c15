"""SPLIT and SPLIT_V: a tensor in several along an axis."""

from collections.abc import Sequence

import numpy as np

from pipeline.emulator.proof.codes import Codes
from pipeline.emulator.proof.kinds import kind
from pipeline.emulator.proof.source import Operator
from pipeline.emulator.proof.views import View


@kind("SPLIT")
class Split(View):
    """In equal parts; the axis is its first input."""

    def shown(self, operator: Operator, read: Sequence[Codes]) -> Sequence[Codes]:
        """Show a part in each output."""
        return np.split(read[1], len(operator.outputs), axis=int(operator.constant(0).ravel()[0]))


@kind("SPLIT_V")
class SplitV(View):
    """In parts of given sizes; sizes and axis are its inputs behind the first."""

    def shown(self, operator: Operator, read: Sequence[Codes]) -> Sequence[Codes]:
        """Show a part in each output."""
        ends = np.cumsum(operator.constant(1).ravel())[:-1]
        return np.split(read[0], ends, axis=int(operator.constant(2).ravel()[0]))
