"""What a kernel computes, in terms that all families of Ethos-U share.

``u55`` and ``u85`` translate the registers of a command into these.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy.typing as npt

from pipeline.emulator.stream.arithmetic import IDENTITY, Rounding, Scale
from pipeline.emulator.stream.commands import Command
from pipeline.emulator.stream.feature_maps import FeatureMap
from pipeline.emulator.stream.weight_order import WeightLayout


class Elementwise(Enum):
    """Operations on pairs of elements, or on one."""

    MUL = "MUL"
    ADD = "ADD"
    SUB = "SUB"
    MIN = "MIN"
    MAX = "MAX"
    LRELU = "LRELU"
    ABS = "ABS"
    CLZ = "CLZ"
    SHR = "SHR"
    SHL = "SHL"


class Pooling(Enum):
    """Operations on windows."""

    MAX = "MAX"
    AVERAGE = "AVERAGE"
    REDUCE_SUM = "REDUCE_SUM"


class Lookup(Enum):
    """How a table is looked up."""

    DIRECT = "table"
    """It has an entry for each number of 8 bits."""
    INTERPOLATED = "interpolated table"
    """It has an entry for every 128th number of 16 bits."""
    SIGMOID = "sigmoid"
    TANH = "tanh"


@dataclass(frozen=True, kw_only=True)
class Activation:
    """What happens to a result on its way out."""

    low: int | None
    high: int | None
    """Bounds it is cut to, in stored numbers; None for 32 bits, which are not cut."""
    table: int | None = None
    """The address of a table in look-up memory that gives the result, by the cut number."""
    table_bits: int = 8
    """Of one entry."""
    lookup: Lookup = Lookup.DIRECT
    """What the table is; without an address, a sigmoid and a tanh have the one that is built in."""

    @property
    def table_bytes(self) -> int:
        """Return the size of the table."""
        entries = 256 if self.lookup is Lookup.DIRECT else 512
        return entries * self.table_bits // 8


@dataclass(frozen=True, kw_only=True)
class Operand:
    """One input of an elementwise operation: a feature map or a number, and how it is scaled."""

    feature_map: FeatureMap | None = None
    scalar: int = 0
    """Without its zero point."""
    scale: Scale = IDENTITY


@dataclass(frozen=True, kw_only=True)
class Window:
    """What a convolution or pooling looks at for each output."""

    height: int
    width: int
    stride_y: int = 1
    stride_x: int = 1
    dilation_y: int = 1
    dilation_x: int = 1
    pad_top: int = 0
    pad_left: int = 0


@dataclass(frozen=True, kw_only=True)
class Stream:
    """Bytes that a kernel reads as they are: weights, or scales."""

    region: int
    address: int
    length: int


@dataclass(frozen=True, kw_only=True)
class Convolution:
    """A convolution, or a fully connected layer, which is one of 1x1; scaled by channel."""

    command: Command
    ifm: FeatureMap
    ofm: FeatureMap
    window: Window
    weights: tuple[Stream, ...]
    """One of each core."""
    scales: tuple[Stream, ...]
    layout: WeightLayout
    activation: Activation
    rounding: Rounding
    """Of the scaling; multipliers and shifts are in the scale streams."""
    wide_bias: bool = False
    """U85: the scale streams have biases of 48 bits and multipliers of 16, for sums of 48 bits."""

    @property
    def inputs(self) -> tuple[FeatureMap, ...]:
        """Return the feature maps that it reads."""
        return (self.ifm,)


@dataclass(frozen=True, kw_only=True)
class Pool:
    """A pooling; of 1x1 a copy, or a table looked up."""

    command: Command
    mode: Pooling
    ifm: FeatureMap
    ofm: FeatureMap
    window: Window
    scale: Scale
    activation: Activation

    @property
    def inputs(self) -> tuple[FeatureMap, ...]:
        """Return the feature maps that it reads."""
        return (self.ifm,)


@dataclass(frozen=True, kw_only=True)
class Binary:
    """An elementwise operation of a and b, or of a alone."""

    command: Command
    mode: Elementwise
    a: Operand
    b: Operand | None
    ofm: FeatureMap
    scale: Scale
    activation: Activation

    @property
    def inputs(self) -> tuple[FeatureMap, ...]:
        """Return the feature maps that it reads; a number is none."""
        operands = (self.a, self.b) if self.b else (self.a,)
        return tuple(operand.feature_map for operand in operands if operand.feature_map)


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """A DMA of bytes from one memory to another."""

    command: Command
    source: Stream
    region: int
    address: int
    to_lookup: bool
    """Into the memory inside the NPU that holds tables."""


Kernel = Convolution | Pool | Binary
Operation = Kernel | Transfer


@dataclass(frozen=True, kw_only=True)
class Substitution:
    """What a kernel is to have in place of what the stream gives it: to ask what it would compute if."""

    scale: Scale | None = None
    """Of the result, of an elementwise operation or a pooling."""
    lookup: npt.NDArray[Any] | None = None
    """The entries of its table."""


AS_IT_IS = Substitution()
