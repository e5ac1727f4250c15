"""PACK and UNPACK: several tensors as one of an axis more, and back."""

from collections.abc import Sequence

import numpy as np

from pipeline.emulator.proof.codes import Codes
from pipeline.emulator.proof.kinds import Kind, kind
from pipeline.emulator.proof.source import Operator
from pipeline.emulator.proof.views import View, all_stored_alike


@kind("PACK")
class Pack(Kind):
    """A view where all are stored alike; else nothing is known of it."""

    def is_view(self, operator: Operator) -> bool:
        """Tell whether nothing changes."""
        return all_stored_alike(operator)

    def shown(self, operator: Operator, read: Sequence[Codes]) -> Sequence[Codes]:
        """Show all inputs."""
        return [np.stack(read, axis=operator.options.axis)]


@kind("UNPACK")
class Unpack(View):
    """What lies at each place of an axis."""

    def shown(self, operator: Operator, read: Sequence[Codes]) -> Sequence[Codes]:
        """Show one place in each output."""
        return list(np.moveaxis(read[0], operator.options.axis, 0))
