"""The U85 against TensorFlow Lite Micro, byte for byte, and what of it is not covered."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.stream import u85
from pipeline.emulator.stream.commands import Command, Kind
from pipeline.emulator.stream.feature_maps import CHAINED
from pipeline.emulator.stream.npu import Family, Npu
from pipeline.emulator.stream.operations import Convolution
from tests.pipeline.emulator.against_micro import Vela, machine, unlike

SYSTEM = "Ethos_U85_SYS_DRAM_Mid"


@pytest.mark.parametrize(
    ("model", "macs", "memory_mode"),
    [
        ("on_npu", 2048, "Shared_Sram"),
        ("wide", 128, "Dedicated_Sram"),
        ("wide", 512, "Sram_Only"),
        ("convolutions", 128, "Sram_Only"),
        ("convolutions", 256, "Shared_Sram"),
        ("convolutions", 512, "Sram_Only"),
        ("convolutions", 1024, "Dedicated_Sram"),
        ("convolutions", 2048, "Sram_Only"),
    ],
)
def test_computes_the_bytes_of_tensorflow_lite_micro(
    models: Path, vela_once: Vela, model: str, macs: int, memory_mode: str
) -> None:
    compiled = machine(vela_once, model, f"ethos-u85-{macs}", SYSTEM, memory_mode)

    assert unlike(models / f"{model}.tflite", compiled) == 0


def test_the_models_have_what_is_special_about_the_u85(vela_once: Vela) -> None:
    wide = machine(vela_once, "wide", "ethos-u85-512", SYSTEM, "Sram_Only")
    convolutions = machine(vela_once, "convolutions", "ethos-u85-2048", SYSTEM, "Sram_Only")

    layouts = [
        planned.operation.layout
        for planned in (*wide.planned, *convolutions.planned)
        if isinstance(planned.operation, Convolution)
    ]
    assert {layout.fast for layout in layouts} == {True, False}
    assert {layout.part_kernel for layout in layouts} == {True, False}
    assert any(layout.depthwise for layout in layouts)
    assert any(access.region >= CHAINED for planned in wide.planned for access in planned.reads)
    assert any(planned.lookup is not None for planned in wide.planned)


@pytest.fixture
def commands(vela_once: Vela) -> dict[Kind, Command]:
    """Return a command of each kind."""
    planned = machine(vela_once, "wide", "ethos-u85-512", SYSTEM, "Sram_Only").planned
    return {one.command.kind: one.command for one in planned}


NPU = Npu(family=Family.U85, macs=512, shram_bytes=2048)


@pytest.mark.parametrize(
    ("kind", "register", "bits", "what"),
    [
        (Kind.CONV, "WEIGHT_FORMAT", 1 << 1, "sparse weights"),
        (Kind.CONV, "KERNEL_STRIDE", 1 << 5, "kernels in parts of 4 x 4"),
        (Kind.CONV, "ACC_FORMAT", 1 << 4, "accumulators of format 0x"),
        (Kind.ELEMENTWISE, "ACC_FORMAT", 7 << 8, "accumulators of format 0x7"),
        (Kind.CONV, "OFM_SCALE", 5 << 45, "rounding 5"),
        (Kind.CONV, "IFM_PRECISION", 1 << 14, "an IFM stored in way 1"),
        (Kind.CONV, "IFM_UPSCALE", 1, "scales its input up"),
        (Kind.CONV, "ACTIVATION", 10, "activation function 10 with results of 8 bits"),
        (Kind.ELEMENTWISE, "OFM_PRECISION", 1 << 9, "transposed or reversed"),
        (Kind.DMA_START, "DMA0_SRC_REGION", 1 << 9, "two or three dimensions"),
    ],
)
def test_what_is_not_covered_is_said(
    commands: dict[Kind, Command], kind: Kind, register: str, bits: int, what: str
) -> None:
    command = commands[kind]
    changed = replace(command, registers={**command.registers, register: command[register] | bits})

    with pytest.raises(NotVerifiedError, match=rf"{kind.name} at byte 0x[0-9a-f]+ .*{what}"):
        u85.operation(changed, NPU)


def test_an_operation_that_is_not_covered_is_said(commands: dict[Kind, Command]) -> None:
    with pytest.raises(NotVerifiedError, match="elementwise operation 11"):
        u85.operation(replace(commands[Kind.ELEMENTWISE], parameter=11), NPU)
    with pytest.raises(NotVerifiedError, match="weights that are computed"):
        u85.operation(replace(commands[Kind.CONV], parameter=1), NPU)
