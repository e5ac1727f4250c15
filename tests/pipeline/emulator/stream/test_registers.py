"""What registers mean alike in all families, on a command made by hand."""

from dataclasses import replace

import pytest

from pipeline.emulator.stream import registers
from pipeline.emulator.stream.commands import Command, Kind

COMMAND = Command(
    offset=0,
    kind=Kind.CONV,
    parameter=0,
    registers={"OFM_HEIGHT_M1": 4, "OFM_WIDTH_M1": 2, "OFM_DEPTH_M1": 15, "IFM_DEPTH_M1": 7, "IFM_UPSCALE": 0}
    | {"KERNEL_HEIGHT_M1": 4, "KERNEL_WIDTH_M1": 1, "KERNEL_STRIDE": 1 << 1 | 1 << 4}
    | {"IFM_PAD_TOP": 2, "IFM_PAD_BOTTOM": 1, "IFM_PAD_LEFT": 0, "IFM_PAD_RIGHT": 1},
)


def with_registers(**of: int) -> Command:
    return replace(COMMAND, registers={**COMMAND.registers, **of})


def test_a_kernel_of_3_rows_two_apart_takes_5() -> None:
    window = registers.window(COMMAND)

    assert (window.height, window.width) == (3, 2)
    assert (window.stride_y, window.stride_x) == (2, 1)
    assert (window.dilation_y, window.dilation_x) == (2, 1)
    assert registers.window_input(COMMAND, registers.ofm_shape(COMMAND)) == (4 * 2 + 5 - 3, 2 + 2 - 1, 8)


@pytest.mark.parametrize(("axes", "shape"), [(0, (5, 3, 16)), (1, (1, 3, 16)), (2, (5, 1, 16)), (7, (1, 1, 1))])
def test_what_is_for_all_rows_columns_or_channels_has_one(axes: int, shape: registers.Shape) -> None:
    assert registers.broadcast(with_registers(IFM2_BROADCAST=axes), "IFM2") == shape


@pytest.mark.parametrize(
    ("which", "precision", "bits", "zero_point"),
    [("IFM", 1, 8, -128), ("IFM", 0, 8, 0xFF80), ("IFM2", 1 << 2 | 1, 16, -128), ("OFM", 2 << 1 | 1, 32, -128)],
)
def test_numbers_have_bits_and_a_zero_point_with_or_without_a_sign(
    which: str, precision: int, bits: int, zero_point: int
) -> None:
    command = with_registers(**{f"{which}_PRECISION": precision, f"{which}_ZERO_POINT": 0xFF80})

    assert registers.bits(command, which) == bits
    assert registers.zero_point(command, which) == zero_point


def test_bounds_have_the_sign_of_the_result() -> None:
    limits = {"ACTIVATION_MIN": 0xFF80, "ACTIVATION_MAX": 127}

    assert registers.bounds(with_registers(OFM_PRECISION=1, **limits)) == (-128, 127)
    assert registers.bounds(with_registers(OFM_PRECISION=0, **limits)) == (0xFF80, 127)
