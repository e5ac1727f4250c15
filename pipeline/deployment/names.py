"""The names of a deployment graph's tensors: ``gru_1/recurrent_product_3`` is layer, role and time step.

A tensor's role decides its quantization, and is what the NPU's cycles are added up by. Nothing
heavy is imported here: the dashboard reads the same names off Vela's report.
"""

import re
from typing import NamedTuple

INPUT = "input"
OUTPUT = "output"

_NAME = re.compile(r"(?:(?P<layer>[a-z_]+_\d+)/)?(?P<role>[a-z]+(?:_[a-z]+)*)(?:_(?P<step>\d+))?")


class Name(NamedTuple):
    """The place of a tensor in the network."""

    layer: str | None
    """``gru_1``, ``dense_1``, ...; None for the input and the output of the whole network."""
    role: str
    """``recurrent_product``, ``gates``, ...: what is stored, the same word at every step."""
    step: int | None
    """Time step within one inference, counted from 1; None where there is only one."""

    def __str__(self) -> str:
        """Return the tensor's name."""
        layer = f"{self.layer}/" if self.layer else ""
        return f"{layer}{self.role}" + (f"_{self.step}" if self.step is not None else "")

    @property
    def tie(self) -> str:
        """What tensors have in common that share one scale and zero point: layer and role."""
        return f"{self.layer}/{self.role}" if self.layer else self.role


def parse(name: str) -> Name | None:
    """Return the place that a tensor's name says, or None when the name is not one of ours."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    step = match["step"]
    return Name(match["layer"], match["role"], int(step) if step else None)
