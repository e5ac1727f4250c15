"""CONCATENATION: several tensors one behind the other along an axis."""

from collections.abc import Sequence

import numpy as np

from pipeline.emulator.proof.codes import Codes
from pipeline.emulator.proof.kinds import Kind, kind
from pipeline.emulator.proof.source import Operator
from pipeline.emulator.proof.views import all_stored_alike


@kind("CONCATENATION")
class Concatenation(Kind):
    """A view where all are stored alike; else nothing is known of it."""

    def is_view(self, operator: Operator) -> bool:
        """Tell whether nothing changes."""
        return all_stored_alike(operator)

    def shown(self, operator: Operator, read: Sequence[Codes]) -> Sequence[Codes]:
        """Show all inputs."""
        return [np.concatenate(read, axis=operator.options.axis)]
