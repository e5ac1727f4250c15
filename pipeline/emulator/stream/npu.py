"""The NPU that a command stream is for."""

from dataclasses import dataclass
from enum import Enum


class Family(Enum):
    """The product, as the config action numbers it."""

    U55 = 0
    U65 = 1
    U85 = 2


CORES = {(Family.U65, 512): 2, (Family.U85, 512): 2, (Family.U85, 1024): 4, (Family.U85, 2048): 4}
"""Accelerators whose weights are in several streams, one for each core."""


@dataclass(frozen=True, kw_only=True)
class Npu:
    """The NPU that the file was compiled for."""

    family: Family
    macs: int
    """Multiply-accumulates per cycle, of all cores."""
    shram_bytes: int
    """Shared RAM, of all cores; of the U85 the memory of its tables, the only part that can be addressed."""

    @property
    def cores(self) -> int:
        """Return how many cores share the weights: each has a stream of its own."""
        return CORES.get((self.family, self.macs), 1)

    @property
    def name(self) -> str:
        """Return ``u55-128`` and the like."""
        return f"{self.family.name.lower()}-{self.macs}"
