"""QUANTIZE: the input, stored otherwise; a view where it is stored alike.

Source: tflite-micro, kernels/quantize_common.cc.
"""

from collections.abc import Sequence

from pipeline.emulator.proof import rescaling
from pipeline.emulator.proof.codes import Codes
from pipeline.emulator.proof.elementwise import Unary
from pipeline.emulator.proof.int8 import Table
from pipeline.emulator.proof.kinds import kind
from pipeline.emulator.proof.source import Operator
from pipeline.emulator.proof.views import all_stored_alike


@kind("QUANTIZE")
class Quantize(Unary):
    """x, in steps of another scale."""

    def is_view(self, operator: Operator) -> bool:
        """Tell whether nothing changes."""
        return all_stored_alike(operator)

    def shown(self, operator: Operator, read: Sequence[Codes]) -> Sequence[Codes]:
        """Show the input."""
        del operator
        return read[:1]

    def formula(self, operator: Operator) -> Table:
        """Scale."""
        by = rescaling.multiplier(self.operands(operator), operator.outputs[0])
        return rescaling.rescaled(operator, by, "NONE")
