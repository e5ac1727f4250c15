"""TRANSPOSE: the same elements, the axes in another order."""

from collections.abc import Sequence

import numpy as np

from pipeline.emulator.proof.codes import Codes
from pipeline.emulator.proof.kinds import kind
from pipeline.emulator.proof.source import Operator
from pipeline.emulator.proof.views import View


@kind("TRANSPOSE")
class Transpose(View):
    """The order of the axes is its second input."""

    def shown(self, operator: Operator, read: Sequence[Codes]) -> Sequence[Codes]:
        """Show the input."""
        return [np.transpose(read[0], operator.constant(1).ravel())]
