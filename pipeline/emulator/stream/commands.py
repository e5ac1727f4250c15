"""Decode the words of a command stream: operations, each with the registers it sees.

A word holds an opcode (bits 0 to 9), a kind (bits 14 and 15) and a parameter (bits 16 to 31); of kind 1,
a second word follows. Registers keep their value from operation to operation, and Vela writes only
what changes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt
from ethosu.vela.ethos_u55_regs.ethos_u55_regs import cmd0, cmd1

from pipeline.emulator.errors import NotVerifiedError, StreamError
from pipeline.emulator.stream import registers_u85
from pipeline.emulator.stream.npu import Family

OPERATIONS_BELOW = 0x100
"""Opcodes of one word below this start something; the others set a register."""


class Kind(Enum):
    """What an operation is."""

    CONV = "NPU_OP_CONV"
    DEPTHWISE = "NPU_OP_DEPTHWISE"
    POOL = "NPU_OP_POOL"
    ELEMENTWISE = "NPU_OP_ELEMENTWISE"
    DMA_START = "NPU_OP_DMA_START"
    DMA_WAIT = "NPU_OP_DMA_WAIT"
    KERNEL_WAIT = "NPU_OP_KERNEL_WAIT"
    PMU_MASK = "NPU_OP_PMU_MASK"
    IRQ = "NPU_OP_IRQ"
    STOP = "NPU_OP_STOP"


COVERED = {kind.value for kind in Kind}

KERNELS = {Kind.CONV, Kind.DEPTHWISE, Kind.POOL, Kind.ELEMENTWISE}
"""Operations that read and write feature maps."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """One operation of the stream."""

    offset: int
    """Of its word, in bytes from the start of the stream, as Vela's debug database counts."""
    kind: Kind
    parameter: int
    registers: Mapping[str, int]
    """Every register that was set until here, by its name without ``NPU_SET_``.

    A register with a second word holds that in bits 0 to 31, and the first word's parameter above.
    """

    def __getitem__(self, register: str) -> int:
        """Return a register's bits.

        Raises:
            StreamError: the stream has not set it.

        """
        try:
            return self.registers[register]
        except KeyError:
            message = f"{self}: reads register {register}, which was never set"
            raise StreamError(message) from None

    def signed(self, register: str) -> int:
        """Return a register of 16 bits as a signed number."""
        value = self[register] & 0xFFFF
        return value - 0x10000 if value & 0x8000 else value

    def __str__(self) -> str:
        """Name the operation and where it is."""
        return f"{self.kind.value.removeprefix('NPU_OP_')} at byte 0x{self.offset:x} of the command stream"


def _names(of: type[Enum]) -> dict[int, str]:
    return {member.value: member.name.removeprefix("NPU_SET_") for member in of}


ONE_WORD: Mapping[Family, Mapping[int, str]] = {
    Family.U55: _names(cmd0),
    Family.U65: _names(cmd0),
    Family.U85: {opcode: name for opcode, name in _names(cmd0).items() if name not in registers_u85.GONE}
    | registers_u85.ONE_WORD,
}
TWO_WORDS: Mapping[Family, Mapping[int, str]] = {
    Family.U55: _names(cmd1),
    Family.U65: _names(cmd1),
    Family.U85: _names(cmd1) | registers_u85.TWO_WORDS,
}


def decode(words: npt.NDArray[np.uint32], family: Family) -> Sequence[Command]:
    """Decode a whole stream, its last operation STOP.

    Raises:
        StreamError: an unknown command, a payload that is cut off, no STOP, or words behind it.
        NotVerifiedError: an operation that Vela does not use for these models.

    """
    registers: dict[str, int] = {}
    found: list[Command] = []
    numbers = [int(word) for word in words]
    place = 0
    while place < len(numbers):
        word, offset = numbers[place], 4 * place
        opcode, kind, parameter = word & 0x3FF, word >> 14 & 3, word >> 16
        names = {0: ONE_WORD, 1: TWO_WORDS}.get(kind, {}).get(family, {})
        if opcode not in names:
            message = f"unknown command 0x{word:08x} at byte 0x{offset:x} of the command stream"
            raise StreamError(message)
        name = names[opcode]
        if kind == 1:
            if place + 1 == len(numbers):
                message = f"the command stream ends within {name}, at byte 0x{offset:x}"
                raise StreamError(message)
            registers[name] = numbers[place + 1] | parameter << 32
            place += 1
        elif opcode >= OPERATIONS_BELOW:
            registers[name] = parameter
        elif name not in COVERED:
            message = f"{name} at byte 0x{offset:x} of the command stream"
            raise NotVerifiedError(message)
        else:
            found.append(Command(offset=offset, kind=Kind(name), parameter=parameter, registers=dict(registers)))
            if found[-1].kind is Kind.STOP:
                break
        place += 1
    if not found or found[-1].kind is not Kind.STOP:
        message = f"the command stream has no STOP in its {len(numbers):,} words"
        raise StreamError(message)
    if place + 1 != len(numbers):
        message = f"{len(numbers) - place - 1} words follow STOP in the command stream"
        raise StreamError(message)
    return found
