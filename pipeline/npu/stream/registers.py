"""What registers mean alike in all families of Ethos-U."""

from pipeline.npu.stream.commands import Command
from pipeline.npu.stream.errors import NotVerifiedError
from pipeline.npu.stream.operations import Stream, Transfer, Window

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


def part_kernel(command: Command) -> bool:
    """Tell whether the elements of the kernel come before the input channels."""
    return bool(command["KERNEL_STRIDE"] >> 2 & 1)


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
