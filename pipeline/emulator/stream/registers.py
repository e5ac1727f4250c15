"""What registers mean alike in all families of Ethos-U."""

from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.stream.commands import Command, Kind
from pipeline.emulator.stream.feature_maps import FeatureMap
from pipeline.emulator.stream.npu import Npu
from pipeline.emulator.stream.operations import Stream, Transfer, Window
from pipeline.emulator.stream.weight_order import WeightLayout

Shape = tuple[int, int, int]
"""Height, width, depth."""


def transfer(command: Command) -> Transfer:
    """Read a DMA.

    Raises:
        NotVerifiedError: it isn't of one run of bytes.

    """
    source, target = command["DMA0_SRC_REGION"], command["DMA0_DST_REGION"]
    if (source | target) >> 9:
        message = f"{command}: a transfer of two or three dimensions"
        raise NotVerifiedError(message)
    return Transfer(
        command=command,
        source=Stream(region=source & 7, address=command["DMA0_SRC"], length=command["DMA0_LEN"]),
        region=target & 7,
        address=command["DMA0_DST"],
        to_lookup=bool(target >> 8 & 1),
    )


def window(command: Command) -> Window:
    """Read what a convolution or pooling looks at; the registers hold the size that dilation makes of a kernel."""
    stride = command["KERNEL_STRIDE"]
    dilation_x, dilation_y = (stride >> 3 & 1) + 1, (stride >> 4 & 1) + 1
    return Window(
        height=command["KERNEL_HEIGHT_M1"] // dilation_y + 1,
        width=command["KERNEL_WIDTH_M1"] // dilation_x + 1,
        stride_y=(stride >> 1 & 1 | stride >> 8 & 2) + 1,
        stride_x=(stride & 1 | stride >> 5 & 2) + 1,
        dilation_y=dilation_y,
        dilation_x=dilation_x,
        pad_top=command["IFM_PAD_TOP"],
        pad_left=command["IFM_PAD_LEFT"],
    )


def window_input(command: Command, ofm: Shape) -> Shape:
    """Return the shape of the input of a convolution or pooling: what its output needs, without the padding.

    Raises:
        NotVerifiedError: the input is scaled up.

    """
    if command["IFM_UPSCALE"]:
        message = f"{command}: it scales its input up"
        raise NotVerifiedError(message)
    its = window(command)
    height = (ofm[0] - 1) * its.stride_y + command["KERNEL_HEIGHT_M1"] + 1
    width = (ofm[1] - 1) * its.stride_x + command["KERNEL_WIDTH_M1"] + 1
    height -= command["IFM_PAD_TOP"] + command["IFM_PAD_BOTTOM"]
    width -= command["IFM_PAD_LEFT"] + command["IFM_PAD_RIGHT"]
    return height, width, command["IFM_DEPTH_M1"] + 1


def ofm_shape(command: Command) -> Shape:
    """Return the shape of the output."""
    return command["OFM_HEIGHT_M1"] + 1, command["OFM_WIDTH_M1"] + 1, command["OFM_DEPTH_M1"] + 1


def streams(command: Command, what: str, cores: int) -> tuple[Stream, ...]:
    """Return the streams of every core, of ``WEIGHT`` or ``SCALE``."""
    region = command[f"{what}_REGION"] & 7
    return tuple(
        Stream(region=region, address=command[f"{what}{core}_BASE"], length=command[f"{what}{core}_LENGTH"])
        for core in ("", "1", "2", "3")[:cores]
    )


def weight_layout(command: Command, npu: Npu, ifm: FeatureMap) -> WeightLayout:
    """Return what the order of a convolution's weights depends on; of the U85, not all."""
    its = window(command)
    return WeightLayout(
        npu=npu,
        ofm_depth=ofm_shape(command)[2],
        kernel_height=its.height,
        kernel_width=its.width,
        ifm_depth=ifm.depth,
        ofm_block_depth=command["OFM_BLK_DEPTH_M1"] + 1,
        part_kernel=bool(command["KERNEL_STRIDE"] >> 2 & 1),
        depthwise=command.kind is Kind.DEPTHWISE,
        ifm_bits=ifm.bits,
        stride=(its.stride_y, its.stride_x),
        dilation=(its.dilation_y, its.dilation_x),
    )


def bits(command: Command, which: str) -> int:
    """Return the bits of an element of ``IFM``, ``IFM2`` or ``OFM``."""
    return 8 << (command[f"{which}_PRECISION"] >> (1 if which == "OFM" else 2) & 3)


def signed(command: Command, which: str) -> bool:
    """Tell whether the elements of ``IFM``, ``IFM2`` or ``OFM`` are."""
    return bool(command[f"{which}_PRECISION"] & 1)


def zero_point(command: Command, which: str) -> int:
    """Return the zero point of ``IFM``, ``IFM2`` or ``OFM``."""
    register = f"{which}_ZERO_POINT"
    return command.signed(register) if signed(command, which) else command[register]


def feature_map(command: Command, which: str, shape: Shape) -> FeatureMap:
    """Return ``IFM``, ``IFM2`` or ``OFM``, of a shape, as it lies in memory."""
    return FeatureMap(
        region=command[f"{which}_REGION"] & 7,
        height=shape[0],
        width=shape[1],
        depth=shape[2],
        bits=bits(command, which),
        signed=signed(command, which),
        zero_point=zero_point(command, which),
        brick=bool(command[f"{which}_PRECISION"] >> 6 & 1),
        bases=tuple(command[f"{which}_BASE{tile}"] for tile in range(4)),  # type: ignore[arg-type] # four of them
        width0=command[f"{which}_WIDTH0_M1"] + 1,
        height0=command[f"{which}_HEIGHT0_M1"] + 1,
        height1=command[f"{which}_HEIGHT1_M1"] + 1,
        stride_x=command[f"{which}_STRIDE_X"],
        stride_y=command[f"{which}_STRIDE_Y"],
        stride_c=command[f"{which}_STRIDE_C"],
    )


def broadcast(command: Command, which: str) -> Shape:
    """Return the shape of an elementwise operation's ``IFM`` or ``IFM2``: 1 where it is for all the output."""
    axes = command[f"{which}_BROADCAST"]
    height, width, depth = (1 if axes >> axis & 1 else size for axis, size in enumerate(ofm_shape(command)))
    return height, width, depth


def bounds(command: Command) -> tuple[int, int]:
    """Return what results are cut to, in stored numbers."""
    if signed(command, "OFM"):
        return command.signed("ACTIVATION_MIN"), command.signed("ACTIVATION_MAX")
    return command["ACTIVATION_MIN"], command["ACTIVATION_MAX"]
