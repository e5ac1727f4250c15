"""What is known of every byte of the NPU's memories while a command stream is planned.

Addresses are known before anything runs, so it can be followed what each byte is: never written, a
constant (the DMA brings some from flash to SRAM), or computed.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.emulator.errors import NotVerifiedError, StreamError
from pipeline.emulator.stream.feature_maps import CHAINED
from pipeline.emulator.stream.program import Program

UNWRITTEN, CONSTANT, COMPUTED = 0, 1, 2
CONSTANTS, SCRATCH, FAST_SCRATCH, LOOKUP = 0, 1, 2, -1
"""Regions; the look-up memory inside the NPU has no number of its own."""
MOST_CHAINED_BYTES = 1 << 24
REGIONS = {CONSTANTS: "the constants", SCRATCH: "scratch", FAST_SCRATCH: "fast scratch", LOOKUP: "look-up memory"}


def name(region: int) -> str:
    """Name a memory in a sentence."""
    return REGIONS.get(region, f"chained feature map {region - CHAINED}")


@dataclass(frozen=True)
class Access:
    """Bytes of a memory that a command reads or writes, the last not included."""

    region: int
    start: int
    stop: int


class Contents:
    """What is known of every byte of the memories while planning."""

    def __init__(self, program: Program) -> None:
        """Begin with the constants and the model's inputs."""
        sizes = {
            CONSTANTS: len(program.constants),
            SCRATCH: program.scratch_bytes,
            LOOKUP: program.npu.shram_bytes,
        }
        self.content = {region: np.zeros(size, np.uint8) for region, size in sizes.items()}
        self.state = {region: np.zeros(size, np.uint8) for region, size in sizes.items()}
        self.content[CONSTANTS][:] = np.frombuffer(program.constants, np.uint8)
        self.state[CONSTANTS][:] = CONSTANT
        if program.fast_scratch_bytes:
            self.content[FAST_SCRATCH] = np.zeros(program.fast_scratch_bytes, np.uint8)
            self.state[FAST_SCRATCH] = np.zeros(program.fast_scratch_bytes, np.uint8)
        for place in program.inputs:
            self._within(SCRATCH, place.offset, place.offset + place.size, f"input {place.name}")
            self.state[SCRATCH][place.offset : place.offset + place.size] = COMPUTED

    def region(self, number: int) -> int:
        """Return the memory that a region is: fast scratch may be scratch itself."""
        return SCRATCH if number == FAST_SCRATCH and FAST_SCRATCH not in self.state else number

    def states(self, access: Access, who: object) -> int:
        """Return what all the bytes of an access are.

        Raises:
            StreamError: beyond the memory, or never written.
            NotVerifiedError: partly constant and partly computed.

        """
        self._within(access.region, access.start, access.stop, who)
        found = self.state[access.region][access.start : access.stop]
        lowest = int(found.min(initial=COMPUTED))
        if lowest == UNWRITTEN:
            message = f"{who}: reads byte 0x{access.start + int(found.argmin()):x} of {name(access.region)},"
            message += " which was never written"
            raise StreamError(message)
        if lowest != found.max(initial=lowest):
            message = f"{who}: reads constants and computed numbers in one"
            raise NotVerifiedError(message)
        return lowest

    def constant(self, access: Access, who: object) -> bytes:
        """Return bytes that must be constant.

        Raises:
            NotVerifiedError: they are computed.

        """
        if self.states(access, who) != CONSTANT:
            message = f"{who}: reads weights, scales or a table that are computed"
            raise NotVerifiedError(message)
        return self.content[access.region][access.start : access.stop].tobytes()

    def write(self, access: Access, who: object, content: bytes | None = None) -> None:
        """Remember what was written: a constant, or computed numbers.

        Raises:
            StreamError: beyond the memory, or into the constants.

        """
        self._within(access.region, access.start, access.stop, who)
        if access.region == CONSTANTS:
            message = f"{who}: writes into the constants"
            raise StreamError(message)
        self.state[access.region][access.start : access.stop] = COMPUTED if content is None else CONSTANT
        if content is not None:
            self.content[access.region][access.start : access.stop] = np.frombuffer(content, np.uint8)

    def _within(self, region: int, start: int, stop: int, who: object) -> None:
        if region >= CHAINED and stop <= MOST_CHAINED_BYTES:
            self._grow(region, stop)
        if region not in self.state:
            message = f"{who}: region {region} does not exist"
            raise StreamError(message)
        size = len(self.state[region])
        if not 0 <= start <= stop <= size:
            message = f"{who}: bytes 0x{start:x} to 0x{stop:x} of {name(region)}, which has 0x{size:x}"
            raise StreamError(message)

    def _grow(self, region: int, size: int) -> None:
        """Make room: a chained feature map is as large as it needs to be."""
        for part in (self.state, self.content):
            had = part.get(region, np.zeros(0, np.uint8))
            part[region] = np.pad(had, (0, max(0, size - len(had))))
