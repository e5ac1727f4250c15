"""What a command of an Ethos-U55 or U65 computes, read off its registers."""

from dataclasses import replace

from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.stream import registers
from pipeline.emulator.stream.arithmetic import IDENTITY, Rounding, Scale
from pipeline.emulator.stream.commands import Command, Kind
from pipeline.emulator.stream.feature_maps import FeatureMap
from pipeline.emulator.stream.npu import Npu
from pipeline.emulator.stream.operations import (
    Activation,
    Binary,
    Convolution,
    Elementwise,
    Lookup,
    Operand,
    Operation,
    Pool,
    Pooling,
)

LOOKUP_BYTES = 2048
"""At the end of each core's shared RAM: eight tables of 256 bytes."""
TABLE_BYTES = 256
FIRST_TABLE, LAST_TABLE = 16, 23
LOOKUPS = {(3, 16): Lookup.TANH, (4, 16): Lookup.SIGMOID}
"""Activation function and bits of the result -> what is built in."""
ELEMENTWISE = tuple(Elementwise)
"""In the order of the opcode's parameter."""
POOLING = tuple(Pooling)
UNARY = {Elementwise.LRELU, Elementwise.ABS, Elementwise.CLZ}
UNSCALED = {Elementwise.CLZ, Elementwise.SHR, Elementwise.SHL}
FIXED_SHIFT = {8: 20, 16: 15}
"""By how much TensorFlow Lite shifts the inputs of ADD and SUB left, by their bits."""
CLIP_INT8 = 3
WORD_BITS = 32


def operation(command: Command, npu: Npu) -> Operation:
    """Translate a kernel or a transfer.

    Raises:
        StreamError: it reads registers that were never set.
        NotVerifiedError: it does what this emulator does not cover.

    """
    modes = {Kind.POOL: POOLING, Kind.ELEMENTWISE: ELEMENTWISE}.get(command.kind)
    if modes and command.parameter >= len(modes):
        message = f"{command}: mode {command.parameter}"
        raise NotVerifiedError(message)
    match command.kind:
        case Kind.CONV | Kind.DEPTHWISE:
            return _convolution(command, npu)
        case Kind.POOL:
            return _pool(command, npu)
        case Kind.ELEMENTWISE:
            return _elementwise(command, npu)
        case Kind.DMA_START:
            return registers.transfer(command)
    message = f"{command}: no operation"
    raise NotVerifiedError(message)


def _convolution(command: Command, npu: Npu) -> Convolution:
    ofm = _ofm(command)
    ifm = registers.feature_map(command, "IFM", registers.window_input(command, ofm.shape))
    return Convolution(
        command=command,
        ifm=ifm,
        ofm=ofm,
        window=registers.window(command),
        weights=registers.streams(command, "WEIGHT", npu.cores),
        scales=registers.streams(command, "SCALE", npu.cores),
        layout=registers.weight_layout(command, npu, ifm),
        rounding=_rounding(command, "OFM"),
        activation=_activation(command, ofm, npu),
    )


def _pool(command: Command, npu: Npu) -> Pool:
    ofm = _ofm(command)
    return Pool(
        command=command,
        mode=POOLING[command.parameter],
        ifm=registers.feature_map(command, "IFM", registers.window_input(command, ofm.shape)),
        ofm=ofm,
        window=registers.window(command),
        scale=_output_scale(command),
        activation=_activation(command, ofm, npu),
    )


def _elementwise(command: Command, npu: Npu) -> Binary:
    mode, ofm = ELEMENTWISE[command.parameter], _ofm(command)
    ifm = registers.feature_map(command, "IFM", ofm.shape)
    scale = IDENTITY if mode in UNSCALED else _output_scale(command)
    if ifm.bits == WORD_BITS:  # of 32-bit operands the product is shifted, and the multiplier not applied
        scale = Scale(multiplier=1, shift=scale.shift, rounding=scale.rounding)
    if mode is Elementwise.SHR:
        scale = Scale(multiplier=1, shift=0, rounding=_rounding(command, "OFM"))
    first, second = Operand(feature_map=ifm), None if mode in UNARY else _second(command)
    if second and command["IFM2_BROADCAST"] >> 6 & 1:
        first, second = second, first
    if second and mode in {Elementwise.ADD, Elementwise.SUB}:
        first, second = _scaled(command, first, second, ifm.bits)
    return Binary(
        command=command,
        mode=mode,
        a=first,
        b=second,
        ofm=ofm,
        scale=scale,
        activation=_activation(command, ofm, npu),
    )


def _second(command: Command) -> Operand:
    if command["IFM2_BROADCAST"] >> 7 & 1:
        signed = registers.signed(command, "IFM2")
        value = command.signed("IFM2_SCALAR") if signed else command["IFM2_SCALAR"]
        return Operand(scalar=value - command.signed("IFM2_ZERO_POINT"))
    return Operand(feature_map=registers.feature_map(command, "IFM2", registers.broadcast(command, "IFM2")))


def _scaled(command: Command, a: Operand, b: Operand, bits: int) -> tuple[Operand, Operand]:
    """Return the operands of a sum with what each is multiplied by before.

    Either both have multipliers of 16 bits, or one has a multiplier of 32 bits and the other is shifted: the
    register for that is always OPA_SCALE.
    """
    mode, rounding = command["IFM_PRECISION"] >> 8 & 3, _rounding(command, "IFM")
    if bits == WORD_BITS:
        return a, b
    if mode == 0:
        scales = [Scale(multiplier=command[f"OP{which}_SCALE"] & 0xFFFF, shift=0) for which in "AB"]
    else:
        register = command["OPA_SCALE"]
        left = FIXED_SHIFT[bits]
        scaled = Scale(multiplier=register & 0xFFFFFFFF, shift=register >> 32 & 0x3F, rounding=rounding, pre_shift=left)
        shifted = Scale(multiplier=1 << left - 1, shift=0)
        scales = [scaled, shifted] if mode == 1 else [shifted, scaled]
    return (
        Operand(feature_map=a.feature_map, scalar=a.scalar, scale=scales[0]),
        Operand(feature_map=b.feature_map, scalar=b.scalar, scale=scales[1]),
    )


def _output_scale(command: Command) -> Scale:
    if not command["OFM_PRECISION"] >> 8 & 1:
        return IDENTITY
    register = command["OFM_SCALE"]
    return Scale(multiplier=register & 0xFFFFFFFF, shift=register >> 32 & 0x3F, rounding=_rounding(command, "OFM"))


def _rounding(command: Command, which: str) -> Rounding:
    rounding = command[f"{which}_PRECISION"] >> 14 & 3
    if rounding not in {member.value for member in Rounding}:
        message = f"{command}: rounding {rounding}"
        raise NotVerifiedError(message)
    return Rounding(rounding)


def _ofm(command: Command) -> FeatureMap:
    found = registers.feature_map(command, "OFM", registers.ofm_shape(command))
    if found.bits == WORD_BITS and not command["ACTIVATION"]:
        return replace(found, zero_point=0)  # without a table or clipping, results of 32 bits have none
    return found


def _activation(command: Command, ofm: FeatureMap, npu: Npu) -> Activation:
    function, clip = command["ACTIVATION"] & 0xFFF, command["ACTIVATION"] >> 12
    low, high = _bounds(command, ofm, clip)
    if not function:
        return Activation(low=low, high=high)
    lookup = LOOKUPS.get((function, ofm.bits))
    table, table_bits = None, 32
    if FIRST_TABLE <= function <= LAST_TABLE:
        base = npu.shram_bytes // npu.cores - LOOKUP_BYTES
        table = base + (function - FIRST_TABLE) * TABLE_BYTES
        lookup = Lookup.INTERPOLATED if ofm.bits == 16 else Lookup.DIRECT  # noqa: PLR2004 - bits
        table_bits = 32 if lookup is Lookup.INTERPOLATED else ofm.bits
    if lookup is None:
        message = f"{command}: activation function {function} with results of {ofm.bits} bits"
        raise NotVerifiedError(message)
    return Activation(low=low, high=high, table=table, table_bits=table_bits, lookup=lookup)


def _bounds(command: Command, ofm: FeatureMap, clip: int) -> tuple[int | None, int | None]:
    if clip == CLIP_INT8:
        return -128, 127
    if clip:
        message = f"{command}: clip range {clip}"
        raise NotVerifiedError(message)
    if ofm.bits == WORD_BITS:
        return None, None
    return registers.bounds(command)
