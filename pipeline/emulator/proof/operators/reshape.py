"""RESHAPE, SQUEEZE and EXPAND_DIMS: the same elements in the same order."""

from collections.abc import Sequence

from pipeline.emulator.proof.codes import Codes
from pipeline.emulator.proof.kinds import kind
from pipeline.emulator.proof.source import Operator
from pipeline.emulator.proof.views import View


@kind("RESHAPE")
@kind("SQUEEZE")
@kind("EXPAND_DIMS")
class Reshape(View):
    """Its first input in another shape, which is the output tensor's."""

    def shown(self, operator: Operator, read: Sequence[Codes]) -> Sequence[Codes]:
        """Show the input."""
        del operator
        return read[:1]
