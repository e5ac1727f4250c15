"""A command stream as text: what each command reads, computes and writes, and where."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from pipeline.emulator.errors import NotVerifiedError, StreamError
from pipeline.emulator.machine.memory import CONSTANTS, FAST_SCRATCH, SCRATCH
from pipeline.emulator.stream.arithmetic import Scale
from pipeline.emulator.stream.commands import KERNELS, Command, Kind, decode
from pipeline.emulator.stream.feature_maps import FeatureMap
from pipeline.emulator.stream.operations import (
    Activation,
    Binary,
    Convolution,
    Lookup,
    Operand,
    Operation,
    Pool,
    Stream,
    Transfer,
    Window,
)
from pipeline.emulator.stream.program import Place, Program
from pipeline.emulator.stream.translation import translate
from pipeline.emulator.stream.weights import scales

MEMORIES = {CONSTANTS: "constants", SCRATCH: "scratch", FAST_SCRATCH: "fast scratch"}
LOOKUP = "look-up memory"
INDENT = " " * 10


def lines(program: Program, groups: Mapping[int, str]) -> Iterator[str]:
    """Return the listing of a compiled model, line by line.

    Args:
        program: the compiled model.
        groups: offset of a command -> a heading that goes before it, if it is not the one before.

    Raises:
        StreamError: the stream can't be decoded.

    """
    commands = decode(program.words, program.npu.family)
    yield from _heading(program, commands)
    counts: Counter[str] = Counter()
    moved: Counter[tuple[str, str]] = Counter()
    heading = ""
    for command, group in zip(commands, _with_what_follows(commands, groups), strict=True):
        if group != heading:
            heading = group
            yield ""
            yield heading
        name, details, bytes_moved = _command(command, program)
        counts[name] += 1
        moved.update(bytes_moved)
        yield f"0x{command.offset:06x}  {name}{_parameter(command)}"
        yield from (f"{INDENT}{detail}" for detail in details)
    yield ""
    yield from _totals(counts, moved)


def _with_what_follows(commands: Sequence[Command], groups: Mapping[int, str]) -> list[str]:
    """Return the heading of each command; transfers and waits go with the kernel behind them."""
    found, heading = [], ""
    for command in reversed(commands):
        heading = groups.get(command.offset, heading)
        found.append(heading)
    return found[::-1]


def _heading(program: Program, commands: Sequence[Command]) -> Iterator[str]:
    yield f"{program.npu.name}, {len(commands):,} commands in {4 * len(program.words):,} bytes"
    sizes = {
        "constants": len(program.constants),
        "scratch": program.scratch_bytes,
        "fast scratch": program.fast_scratch_bytes,
    }
    yield "memories  " + ", ".join(f"{name} {size:,} bytes" for name, size in sizes.items() if size)
    for what, places in (("input", program.inputs), ("output", program.outputs)):
        yield from (f"{what:<8}  {_place(place)}" for place in places)


def _place(place: Place) -> str:
    shape = " x ".join(map(str, place.shape))
    return f"{place.name}: {place.dtype.name} {shape} at scratch 0x{place.offset:x}"


def _parameter(command: Command) -> str:
    if command.kind in {Kind.DMA_WAIT, Kind.KERNEL_WAIT}:
        return f" until at most {command.parameter} are at work"
    return ""


def _command(command: Command, program: Program) -> tuple[str, list[str], dict[tuple[str, str], int]]:
    """Return a command's name, what it does, and how many bytes it moves."""
    name = command.kind.value.removeprefix("NPU_OP_")
    if command.kind not in KERNELS | {Kind.DMA_START}:
        return name, [], {}
    try:
        operation = translate(command, program.npu)
        moved: Counter[tuple[str, str]] = Counter()
        for where, size in _bytes(operation):
            moved[where] += size
        return _name(operation, name), list(_details(operation, program)), dict(moved)
    except NotVerifiedError as error:
        return name, [f"not decoded: {error}"], {}


def _name(operation: Operation, name: str) -> str:
    match operation:
        case Binary():
            return operation.mode.value
        case Pool(window=window):
            return f"{name} {operation.mode.value} {window.height}x{window.width}"
        case Convolution(window=window):
            return f"{name} {window.height}x{window.width}"
    return name


def _bytes(operation: Operation) -> Iterator[tuple[tuple[str, str], int]]:
    """Return ((memory, ``read`` or ``written``), bytes) of all that an operation touches."""
    if isinstance(operation, Transfer):
        source = operation.source
        yield (_memory(source.region), "read"), source.length
        target = LOOKUP if operation.to_lookup else _memory(operation.region)
        yield (target, "written"), source.length
        return
    if isinstance(operation, Convolution):
        for stream in (*operation.weights, *operation.scales):
            yield (_memory(stream.region), "read"), stream.length
    for feature_map in operation.inputs:
        yield (_memory(feature_map.region), "read"), _size(feature_map)
    yield (_memory(operation.ofm.region), "written"), _size(operation.ofm)


def _memory(region: int) -> str:
    return MEMORIES.get(region, f"region {region}")


def _size(feature_map: FeatureMap) -> int:
    return feature_map.height * feature_map.width * feature_map.depth * feature_map.bits // 8


def _details(operation: Operation, program: Program) -> Iterator[str]:
    match operation:
        case Transfer(source=source):
            target = LOOKUP if operation.to_lookup else _memory(operation.region)
            origin = f"{_memory(source.region)} 0x{source.address:x}"
            yield f"{source.length:,} bytes from {origin} to {target} 0x{operation.address:x}"
            return
        case Convolution():
            yield f"input    {_feature_map(operation.ifm)}{_window(operation.window)}"
            yield from (f"weights  {_stream(stream)}" for stream in operation.weights)
            yield from (f"scales   {_stream(stream)}" for stream in operation.scales)
            yield from _scales(operation, program)
        case Pool():
            yield f"input    {_feature_map(operation.ifm)}{_window(operation.window)}"
            yield from _scale("scale   ", operation.scale)
        case Binary():
            yield from _operand("a", operation.a)
            yield from _operand("b", operation.b)
            yield from _scale("scale   ", operation.scale)
    yield f"output   {_feature_map(operation.ofm)}{_activation(operation.activation)}"


def _feature_map(feature_map: FeatureMap) -> str:
    shape = " x ".join(map(str, feature_map.shape))
    layout = "NHCWB16" if feature_map.brick else "NHWC"
    zero = f", zero point {feature_map.zero_point}" if feature_map.zero_point else ""
    place = f"{_memory(feature_map.region)} 0x{feature_map.bases[0]:x}"
    return f"{feature_map.dtype.name} {shape} {layout} at {place}{zero}"


def _window(window: Window) -> str:
    strides = f", stride {window.stride_y} x {window.stride_x}" if window.stride_y * window.stride_x > 1 else ""
    padding = f", padding {window.pad_top} above and {window.pad_left} to the left"
    return strides + (padding if window.pad_top or window.pad_left else "")


def _stream(stream: Stream) -> str:
    return f"{stream.length:,} bytes at {_memory(stream.region)} 0x{stream.address:x}"


def _scales(operation: Convolution, program: Program) -> Iterator[str]:
    """Say which numbers a convolution's sums are multiplied by, where they are constants and not moved before."""
    if any(stream.region != CONSTANTS for stream in operation.scales):
        return
    contents = [program.constants[stream.address : stream.address + stream.length] for stream in operation.scales]
    try:
        found = scales(contents, operation.ofm.depth, program.npu.family, wide_bias=operation.wide_bias)
    except StreamError as error:
        yield f"         not decoded: {error}"
        return
    real = found.multiplier / 2.0**found.shift
    yield f"         {operation.ofm.depth} channels, multiplied by {real.min():.4g} to {real.max():.4g}"


def _scale(what: str, scale: Scale) -> Iterator[str]:
    if (scale.multiplier, scale.shift) != (1, 0):
        yield f"{what} {_factor(scale)}"


def _factor(scale: Scale) -> str:
    real = scale.multiplier / 2.0**scale.shift
    return f"{scale.multiplier} / 2^{scale.shift} = {real:.6g}, rounded {scale.rounding.name.lower()}"


def _operand(which: str, operand: Operand | None) -> Iterator[str]:
    if operand is None:
        return
    if operand.feature_map is None:
        yield f"input {which}  the number {operand.scalar}"
    else:
        yield f"input {which}  {_feature_map(operand.feature_map)}"
    yield from _scale("         times", operand.scale)


def _activation(activation: Activation) -> str:
    bounds = "" if activation.low is None else f", cut to {activation.low}..{activation.high}"
    how = activation.lookup.value
    if activation.table is not None:
        return f"{bounds}, {how} at {LOOKUP} 0x{activation.table:x}"
    return bounds if activation.lookup is Lookup.DIRECT else f"{bounds}, {how} built in"


def _totals(counts: Counter[str], moved: Counter[tuple[str, str]]) -> Iterator[str]:
    yield "commands"
    yield from (f"{count:>12,}  {name}" for name, count in counts.most_common())
    yield "bytes"
    for (memory, how), size in sorted(moved.items()):
        yield f"{size:>12,}  {memory} {how}"
