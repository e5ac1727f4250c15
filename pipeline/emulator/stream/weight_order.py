"""In which order an Ethos-U reads the weights of a convolution.

A stream follows the loops of the hardware: blocks of output channels, blocks of input channels,
parts of the kernel of at most 8 x 8, and in these micro-blocks. Micro-blocks are always whole:
what lies beyond the convolution's own depth or kernel is padding.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from math import prod

import numpy as np
import numpy.typing as npt

from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.stream.npu import Family, Npu

Positions = npt.NDArray[np.int64]

PADDING = -1
SUB_KERNEL = 8
INPUT_STEP = 8
"""Input channels of a micro-block."""
GROUP = 4
"""U85: a core has every so many output channels in turn."""


@dataclass(frozen=True, kw_only=True)
class WeightLayout:
    """All that the order of a convolution's weights depends on."""

    npu: Npu
    ofm_depth: int
    """Output channels of this command."""
    kernel_height: int
    kernel_width: int
    """Elements of the kernel, without what dilation puts between them."""
    ifm_depth: int
    """Input channels; depthwise they don't matter, since each output channel has one."""
    ofm_block_depth: int
    part_kernel: bool = False
    """Kernel elements come before input channels, as ``KERNEL_STRIDE`` says."""
    depthwise: bool = False
    ifm_bits: int = 8
    """Of the input: 8 or 16."""
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    """Both y, x."""
    micro_block: tuple[int, int] = (1, 1)
    """U85: height and width of the output's micro-block, as ``ACC_FORMAT`` says."""
    fast: bool = False
    """U85: the weights are in the fast format, those of all cores in one stream (``WEIGHT_FORMAT``)."""

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Return output channels, kernel height and width, input channels."""
        return self.ofm_depth, self.kernel_height, self.kernel_width, 1 if self.depthwise else self.ifm_depth

    @cached_property
    def ofm_step(self) -> int:
        """Return the output channels of a micro-block."""
        if self.npu.family is Family.U85:
            height, width = self.micro_block
            return self.npu.macs // (8 * height * width)
        return 4 if self.npu.macs == 32 else 8  # noqa: PLR2004 - U55-32, the smallest


@lru_cache(maxsize=64)
def positions(layout: WeightLayout) -> tuple[Positions, ...]:
    """Return where each weight belongs, for each of the streams.

    Returns:
        One flat index into an array of ``layout.shape`` for each weight of a stream, or ``PADDING``.

    Raises:
        NotVerifiedError: such blocks don't take each weight once.

    """
    kind = _U85Order if layout.npu.family is Family.U85 else _U55Order
    orders = [kind(layout, core) for core in range(layout.npu.cores)]
    found = [np.concatenate([np.empty(0, np.int64), *map(np.ravel, order.blocks())]) for order in orders]
    together = np.concatenate(found)
    times = np.bincount(together[together >= 0], minlength=prod(layout.shape))
    cores = 1 if layout.npu.family is Family.U85 else layout.npu.cores
    overlap = layout.ofm_depth > layout.ofm_block_depth and layout.ofm_block_depth // cores % layout.ofm_step
    if (times != 1).any() or overlap:
        message = f"weights of {layout.ofm_depth} channels in blocks of {layout.ofm_block_depth}"
        raise NotVerifiedError(message)
    if layout.fast:
        found = [np.stack([own.reshape(-1, _turn(layout)) for own in found], axis=1).ravel()]
    return tuple(found)


class _U55Order:
    """The loops of U55 and U65."""

    def __init__(self, layout: WeightLayout, core: int) -> None:
        self.layout = layout
        self.core = core
        self.input_block = 16 if layout.part_kernel or layout.ifm_bits == 16 else 32  # noqa: PLR2004 - bits

    def blocks(self) -> Iterator[Positions]:
        """Return the positions by blocks of output channels, of input channels and parts of the kernel."""
        for outputs in self.outputs():
            for inputs, elements in product(self.inputs(), self.elements()):
                yield _positions(self.layout, outputs, elements, inputs)

    def outputs(self) -> Iterator[Positions]:
        """Return the channels of each block: micro-blocks, channels.

        Two cores have the even and the odd channels.
        """
        layout = self.layout
        own = np.arange(self.core, layout.ofm_depth, layout.npu.cores)
        block = len(range(self.core, layout.ofm_block_depth, layout.npu.cores))
        for start in range(0, len(own), block):
            yield _whole_steps(own[start : start + block], layout.ofm_step)

    def inputs(self) -> list[Positions]:
        """Return the channels of each block: micro-blocks outside the loop over outputs, such inside it, channels."""
        layout = self.layout
        if layout.depthwise:
            return [np.zeros((1, 1, 1), np.int64)]
        starts = range(0, layout.ifm_depth, self.input_block)
        if not layout.part_kernel:
            return [_channels(start, start + self.input_block, layout.ifm_depth)[None] for start in starts]
        ends = [min(start + self.input_block, layout.ifm_depth) for start in starts]
        return [_channels(*ends_, layout.ifm_depth)[:, None] for ends_ in zip(starts, ends, strict=True)]

    def elements(self) -> list[Positions]:
        """Return the elements of each part of the kernel, row by row, and padding."""
        layout = self.layout
        whole = 1
        if layout.depthwise or layout.part_kernel:
            whole = 2 if layout.part_kernel and layout.ifm_bits == 16 else 4  # noqa: PLR2004 - bits
        return [_padded((y[:, None] * layout.kernel_width + x).ravel(), whole) for y, x in product(*_parts(layout))]


class _U85Order:
    """The loops of the U85."""

    def __init__(self, layout: WeightLayout, core: int) -> None:
        self.layout = layout
        self.core = core
        self.input_block = _u85_input_block(layout)

    def blocks(self) -> Iterator[Positions]:
        """Return the positions by blocks; every other block of outputs takes the blocks of inputs backwards."""
        inputs = self.inputs()
        for outputs in self.outputs():
            for inputs_, elements in product(inputs, self.elements()):
                yield _positions(self.layout, outputs, elements, inputs_)
            inputs.reverse()

    def outputs(self) -> Iterator[Positions]:
        """Return the channels of each block: micro-blocks, channels; cores have groups of 4 in turn."""
        layout = self.layout
        channels = np.arange(layout.ofm_step)
        own = channels[channels // GROUP % layout.npu.cores == self.core]
        for start in range(0, layout.ofm_depth, layout.ofm_block_depth):
            end = min(start + layout.ofm_block_depth, layout.ofm_depth)
            block = np.arange(start, end, layout.ofm_step)[:, None] + own
            yield np.where(block < layout.ofm_depth, block, PADDING)

    def inputs(self) -> list[Positions]:
        """Return the channels of each block: micro-blocks outside the loop over outputs, such inside it, channels."""
        layout = self.layout
        if layout.depthwise:
            return [np.zeros((1, 1, 1), np.int64)]
        starts = range(0, layout.ifm_depth, self.input_block)
        if layout.part_kernel and layout.ifm_bits == 16:  # noqa: PLR2004 - bits
            ends = [min(start + self.input_block, layout.ifm_depth) for start in starts]
            return [_channels(*ends_, layout.ifm_depth)[:, None] for ends_ in zip(starts, ends, strict=True)]
        return [_channels(start, start + self.input_block, layout.ifm_depth)[None] for start in starts]

    def elements(self) -> list[Positions]:
        """Return the elements of each part of the kernel: those of one phase of the stride, row by row and back."""
        layout = self.layout
        stride_y, stride_x = layout.stride if layout.part_kernel or layout.depthwise else (1, 1)
        ys, xs = _parts(layout)
        found = []
        for x, y in product(xs, ys):
            rows = [
                row * layout.kernel_width + x[phase_x::stride_x][:: -1 if number % 2 else 1]
                for phase_y, phase_x in product(range(stride_y), range(stride_x))
                for number, row in enumerate(y[phase_y::stride_y])
            ]
            found.append(self._with_padding(np.concatenate(rows)))
        return found

    def _with_padding(self, elements: Positions) -> Positions:
        layout = self.layout
        if layout.depthwise:
            idle = self._idle()
            tens = _padded(elements, 10).reshape(-1, 10)
            return np.pad(tens, ((0, 0), (0, idle)), constant_values=PADDING).ravel()
        if layout.part_kernel:
            return _padded(elements, 10 if layout.ifm_bits == 16 else 5)  # noqa: PLR2004 - bits
        return elements

    def _idle(self) -> int:
        """Return how many elements of padding follow ten of a depthwise kernel."""
        if self.layout.npu.macs <= 256 and self.layout.ifm_bits == 8:  # noqa: PLR2004 - see regor
            return 0
        return 2 if self.layout.npu.macs <= 512 else 6  # noqa: PLR2004 - see regor


def _turn(layout: WeightLayout) -> int:
    """Return how many weights a core has in turn where all are in one stream."""
    wide = layout.ifm_bits == 16  # noqa: PLR2004 - bits
    inputs = INPUT_STEP if layout.part_kernel and wide else _u85_input_block(layout)
    elements = (10 if wide else 5) if layout.part_kernel else 1
    return layout.ofm_step * inputs * elements // layout.npu.cores


def _u85_input_block(layout: WeightLayout) -> int:
    if layout.part_kernel:
        return 16
    return 32 if layout.npu.macs <= 256 and layout.ofm_step == 16 else 64  # noqa: PLR2004 - see regor


def _positions(layout: WeightLayout, outputs: Positions, elements: Positions, inputs: Positions) -> Positions:
    """Return the positions of a block.

    Loops, the outermost first: input micro-blocks outside, output micro-blocks, kernel elements, input
    micro-blocks inside, output channels, input channels.
    """
    output = outputs[None, :, None, None, :, None]
    element = elements[None, None, :, None, None, None]
    input_ = inputs[:, None, None, :, None, :]
    _, height, width, depth = layout.shape
    flat = (output * (height * width) + element) * depth + input_
    return np.where((output < 0) | (element < 0) | (input_ < 0), PADDING, flat)


def _channels(start: int, end: int, depth: int) -> Positions:
    """Return input channels by micro-blocks."""
    channels = np.arange(start, start + -(-(end - start) // INPUT_STEP) * INPUT_STEP)
    return np.where(channels < depth, channels, PADDING).reshape(-1, INPUT_STEP)


def _whole_steps(channels: Positions, step: int) -> Positions:
    return _padded(channels, step).reshape(-1, step)


def _padded(elements: Positions, whole: int) -> Positions:
    """Pad to a multiple."""
    return np.pad(elements, (0, -len(elements) % whole), constant_values=PADDING)


def _parts(layout: WeightLayout) -> tuple[list[Positions], list[Positions]]:
    """Return the rows and the columns of the parts of the kernel that the hardware takes at once."""
    sizes = zip((layout.kernel_height, layout.kernel_width), layout.dilation, strict=True)
    rows, columns = (
        [
            np.arange(start, min(start + SUB_KERNEL // dilation, size))
            for start in range(0, size, SUB_KERNEL // dilation)
        ]
        for size, dilation in sizes
    )
    return rows, columns
