"""What a command of an Ethos-U85 computes, read off its registers."""

from dataclasses import replace
from typing import NoReturn

from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.stream import registers
from pipeline.emulator.stream.arithmetic import Rounding, Scale
from pipeline.emulator.stream.commands import Command, Kind
from pipeline.emulator.stream.feature_maps import CHAINED, FeatureMap
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

MICRO_BLOCKS = ((1, 1), (1, 2), (1, 4), (2, 2), (2, 4), (4, 4))
"""Height and width, as ``ACC_FORMAT`` numbers them."""
ELEMENTWISE = {
    0: Elementwise.MUL,
    1: Elementwise.ADD,
    2: Elementwise.SUB,
    3: Elementwise.MIN,
    4: Elementwise.MAX,
    6: Elementwise.ABS,
    7: Elementwise.CLZ,
    8: Elementwise.SHR,
    9: Elementwise.SHL,
}
UNARY = {Elementwise.ABS, Elementwise.CLZ}
POOLING = {0: Pooling.MAX, 1: Pooling.AVERAGE, 2: Pooling.REDUCE_SUM, 3: Pooling.AVERAGE}
"""3 is a sum, which of one element is an average too."""
SUM = 3
ROUNDINGS = {0: Rounding.DOUBLE, 1: Rounding.NATURAL}
TABLES = {
    1: (8, Lookup.DIRECT),
    4: (8, Lookup.DIRECT),
    5: (16, Lookup.DIRECT),
    7: (32, Lookup.DIRECT),
    8: (16, Lookup.INTERPOLATED),
    10: (16, Lookup.TANH),
    11: (16, Lookup.SIGMOID),
}
"""Activation function -> bits of the result, and how its table is looked up."""
SCALAR = 8
"""Of a broadcast: the input is the number in ``OP_SCALAR``."""
IN_MEMORY, IN_CHAIN = 0, 2
"""Where a feature map is; in a chain it stays inside the NPU, from a command to one of the next."""
WORD_BITS = 32


def operation(command: Command, npu: Npu) -> Operation:
    """Translate a kernel or a transfer.

    Raises:
        StreamError: it reads registers that were never set.
        NotVerifiedError: it does what this emulator does not cover.

    """
    if command.kind is Kind.DMA_START:
        return registers.transfer(command)
    if command["ACC_FORMAT"] >> 4 & 7 or command["ACC_FORMAT"] >> 8 & 7 >= len(MICRO_BLOCKS):
        _not_verified(command, f"accumulators of format 0x{command['ACC_FORMAT']:x}")
    match command.kind:
        case Kind.CONV | Kind.DEPTHWISE:
            return _convolution(command, npu)
        case Kind.POOL:
            return _pool(command)
        case Kind.ELEMENTWISE:
            return _elementwise(command)
    message = f"{command}: no operation"
    raise NotVerifiedError(message)


def _not_verified(command: Command, what: str) -> NoReturn:
    message = f"{command}: {what}"
    raise NotVerifiedError(message)


def _convolution(command: Command, npu: Npu) -> Convolution:
    shape = registers.ofm_shape(command)
    form, stride = command["WEIGHT_FORMAT"], command["KERNEL_STRIDE"]
    if command.parameter:
        _not_verified(command, "weights that are computed")
    if form >> 1 or stride >> 5 & 1:
        _not_verified(command, "sparse weights, or kernels in parts of 4 x 4")
    ifm = _feature_map(command, "IFM", registers.window_input(command, shape))
    layout = replace(
        registers.weight_layout(command, npu, ifm),
        micro_block=MICRO_BLOCKS[command["ACC_FORMAT"] >> 8 & 7],
        fast=bool(form & 1),
    )
    return Convolution(
        command=command,
        ifm=ifm,
        ofm=_ofm(command),
        window=registers.window(command),
        weights=registers.streams(command, "WEIGHT", 1 if layout.fast else npu.cores),
        scales=registers.streams(command, "SCALE", 1),
        layout=layout,
        wide_bias=command["ACC_FORMAT"] & 3 == 1,
        rounding=_scale(command, "OFM").rounding,
        activation=_activation(command),
    )


def _pool(command: Command) -> Pool:
    shape, window = registers.ofm_shape(command), registers.window(command)
    if command.parameter not in POOLING or (command.parameter == SUM and (window.height, window.width) != (1, 1)):
        _not_verified(command, f"pooling {command.parameter} of {window.height} x {window.width}")
    return Pool(
        command=command,
        mode=POOLING[command.parameter],
        ifm=_feature_map(command, "IFM", registers.window_input(command, shape)),
        ofm=_ofm(command),
        window=window,
        scale=_scale(command, "OFM"),
        activation=_activation(command),
    )


def _elementwise(command: Command) -> Binary:
    if command.parameter not in ELEMENTWISE:
        _not_verified(command, f"elementwise operation {command.parameter}")
    mode = ELEMENTWISE[command.parameter]
    scale = _scale(command, "OFM")
    if registers.bits(command, "IFM") == WORD_BITS:  # of 32-bit operands the product is only shifted
        scale = replace(scale, multiplier=1)
    return Binary(
        command=command,
        mode=mode,
        a=_operand(command, "IFM"),
        b=None if mode in UNARY else _operand(command, "IFM2"),
        ofm=_ofm(command),
        scale=scale,
        activation=_activation(command),
    )


def _operand(command: Command, which: str) -> Operand:
    scale = _scale(command, which)
    if command[f"{which}_BROADCAST"] == SCALAR:
        stored = command["OP_SCALAR"] & 0xFFFFFFFF
        value = stored - (1 << WORD_BITS) if stored >> (WORD_BITS - 1) else stored
        return Operand(scalar=value - command.signed(f"{which}_ZERO_POINT"), scale=scale)
    return Operand(feature_map=_feature_map(command, which, registers.broadcast(command, which)), scale=scale)


def _scale(command: Command, which: str) -> Scale:
    """Read a scale: each has a rounding of its own, and says where the first rounding of two takes place."""
    register = command[f"{which}_SCALE"]
    rounding = register >> 45 & 7
    if rounding not in ROUNDINGS:
        _not_verified(command, f"rounding {rounding}")
    return Scale(
        multiplier=register & 0xFFFFFFFF,
        shift=register >> 32 & 0x3F,
        rounding=ROUNDINGS[rounding],
        pre_shift=register >> 38 & 0x1F,
    )


def _ofm(command: Command) -> FeatureMap:
    if command["OFM_PRECISION"] >> 9 & 0x1F:
        _not_verified(command, "an output that is transposed or reversed")
    return _feature_map(command, "OFM", registers.ofm_shape(command))


def _feature_map(command: Command, which: str, shape: registers.Shape) -> FeatureMap:
    storage = command[f"{which}_PRECISION"] >> 14
    if storage == IN_MEMORY:
        return registers.feature_map(command, which, shape)
    if storage != IN_CHAIN:
        _not_verified(command, f"an {which} stored in way {storage}")
    height, width, depth = shape
    bits = registers.bits(command, which)
    return FeatureMap(
        region=CHAINED + (command[f"{which}_REGION"] & 7),
        height=height,
        width=width,
        depth=depth,
        bits=bits,
        signed=registers.signed(command, which),
        zero_point=registers.zero_point(command, which),
        brick=False,
        bases=(0, 0, 0, 0),
        width0=width,
        height0=height,
        height1=height,
        stride_x=depth * bits // 8,
        stride_y=width * depth * bits // 8,
        stride_c=bits // 8,
    )


def _activation(command: Command) -> Activation:
    register, bits = command["ACTIVATION"], registers.bits(command, "OFM")
    function, index = register & 0x1F, register >> 5 & 7
    low, high = _bounds(command)
    if not function:
        return Activation(low=low, high=high)
    of, lookup = TABLES.get(function, (0, Lookup.DIRECT))
    if of != bits:
        _not_verified(command, f"activation function {function} with results of {bits} bits")
    found = Activation(
        low=low, high=high, table=0, table_bits=bits if lookup is Lookup.DIRECT else WORD_BITS, lookup=lookup
    )
    return replace(found, table=index * found.table_bytes)


def _bounds(command: Command) -> tuple[int | None, int | None]:
    if command["ACTIVATION"] >> 12 & 1:
        return None, None
    return registers.bounds(command)
