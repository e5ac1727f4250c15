"""What a command computes, read off its registers as its family of NPUs has them."""

from pipeline.emulator.errors import StreamError
from pipeline.emulator.stream import u55, u85
from pipeline.emulator.stream.commands import Command
from pipeline.emulator.stream.npu import Family, Npu
from pipeline.emulator.stream.operations import Operation


def translate(command: Command, npu: Npu) -> Operation:
    """Return what a kernel or a transfer does.

    Raises:
        StreamError: it reads registers that were never set, or a number in one stands for nothing.
        NotVerifiedError: it does what this emulator does not cover.

    """
    operation = u85.operation if npu.family is Family.U85 else u55.operation
    try:
        return operation(command, npu)
    except (ValueError, LookupError) as error:
        message = f"{command}: a number in its registers stands for nothing that is known ({error})"
        raise StreamError(message) from None
