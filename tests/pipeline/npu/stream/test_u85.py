"""The U85 against TensorFlow Lite Micro, byte for byte, and what of it is not covered."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tflite_micro import runtime

from pipeline.npu.stream import u85
from pipeline.npu.stream.commands import Command, Kind, decode
from pipeline.npu.stream.container import Family, Npu, Program, load
from pipeline.npu.stream.errors import NotVerifiedError
from pipeline.npu.stream.machine import Machine
from pipeline.npu.stream.operations import Convolution

Vela = Callable[..., tuple[Path, str]]
SAMPLES = 20


def program(vela_once: Vela, model: str, macs: int, memory_mode: str) -> Program:
    folder, _ = vela_once(model, f"ethos-u85-{macs}", "Ethos_U85_SYS_DRAM_Mid", memory_mode)
    (path,) = folder.glob("*_vela.tflite")
    return load(path)


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
    machine = Machine(program(vela_once, model, macs, memory_mode))
    (into,), (out,) = machine.program.inputs, machine.program.outputs
    samples = np.random.default_rng(0).integers(-128, 128, (SAMPLES, *into.shape)).astype(np.int8)

    found = machine.run({into.name: samples})[out.name]

    reference = runtime.Interpreter.from_file(str(models / f"{model}.tflite"))
    for sample, result in zip(samples, found, strict=True):
        reference.set_input(sample.reshape(reference.get_input_details(0)["shape"]), 0)
        reference.invoke()
        assert reference.get_output(0).ravel().tolist() == result.ravel().tolist()


def test_the_models_have_what_is_special_about_the_u85(vela_once: Vela) -> None:
    wide = Machine(program(vela_once, "wide", 512, "Sram_Only"))
    convolutions = Machine(program(vela_once, "convolutions", 2048, "Sram_Only"))

    layouts = [
        planned.operation.layout
        for planned in (*wide.planned, *convolutions.planned)
        if isinstance(planned.operation, Convolution)
    ]
    assert {layout.fast for layout in layouts} == {True, False}
    assert {layout.part_kernel for layout in layouts} == {True, False}
    assert any(layout.depthwise for layout in layouts)
    assert any(access.region >= 8 for planned in wide.planned for access in planned.reads), "nothing is chained"
    assert any(planned.lookup is not None for planned in wide.planned)


@pytest.fixture
def commands(vela_once: Vela) -> dict[Kind, Command]:
    """Return a command of each kind."""
    of = program(vela_once, "wide", 256, "Dedicated_Sram")
    return {command.kind: command for command in decode(of.words, of.npu.family)}


NPU = Npu(family=Family.U85, macs=256, shram_bytes=2048)


@pytest.mark.parametrize(
    ("kind", "register", "bits", "what"),
    [
        (Kind.CONV, "WEIGHT_FORMAT", 1 << 1, "sparse weights"),
        (Kind.CONV, "KERNEL_STRIDE", 1 << 5, "kernels in parts of 4 x 4"),
        (Kind.CONV, "ACC_FORMAT", 1 << 4, "sums that go on from command to command"),
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
