"""U55 and U65: one operator against TensorFlow Lite Micro, what registers stand for, and what is not covered."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.stream import u55
from pipeline.emulator.stream.arithmetic import Rounding, Scale
from pipeline.emulator.stream.commands import Command, Kind
from pipeline.emulator.stream.npu import Family, Npu
from pipeline.emulator.stream.operations import Activation, Binary, Convolution, Lookup
from tests.pipeline.emulator import single
from tests.pipeline.emulator.compiled import Compile, CompileModel
from tests.pipeline.emulator.single import Stored
from tests.pipeline.networks import made

RANDOM = np.random.default_rng(0)
X, OUTPUT = Stored(0.05, 3), Stored(0.3, -4)
TARGETS = [("ethos-u55-32", "Shared_Sram"), ("ethos-u55-256", "Sram_Only"), ("ethos-u65-512", "Dedicated_Sram")]
NPU = Npu(family=Family.U55, macs=128, shram_bytes=24 * 1024)


def options(of: type, **values: int) -> Any:
    found = of()
    found.strideH, found.strideW, found.padding = 2, 1, schema.Padding.SAME
    vars(found).update(values)
    return found


def convolution(kind: str) -> bytes:
    """Write a convolution of 7 x 6 x 4 inputs to 5 channels, or a depthwise one to 4, with a stride of 2 x 1."""
    depthwise = kind == "DEPTHWISE_CONV_2D"
    shape, channels = ((1, 3, 2, 4), 4) if depthwise else ((5, 3, 2, 4), 5)
    scales = [0.01 * (1 + channel) for channel in range(channels)]
    weights = Stored(0, 0, RANDOM.integers(-127, 128, shape).astype(np.int8), scales)
    bias = Stored(0, 0, RANDOM.integers(-900, 900, channels).astype(np.int32), [X.scale * scale for scale in scales])
    shapes = [(1, 7, 6, 4), shape, (channels,), (1, 4, 6, channels)]
    if depthwise:
        of = options(schema.DepthwiseConv2DOptionsT, depthMultiplier=1, dilationHFactor=1, dilationWFactor=1)
    else:
        of = options(schema.Conv2DOptionsT, dilationHFactor=1, dilationWFactor=1)
    return single.model(kind, [X, weights, bias], OUTPUT, shapes, of, channel_axis=3 if depthwise else 0)


def pooling() -> bytes:
    of = options(schema.Pool2DOptionsT, filterHeight=3, filterWidth=2)
    return single.model("MAX_POOL_2D", [X], X, [(1, 7, 6, 4), (1, 4, 6, 4)], of)


MODELS = [convolution("CONV_2D"), convolution("DEPTHWISE_CONV_2D"), pooling()]


@pytest.mark.parametrize("target", TARGETS, ids=" ".join)
@pytest.mark.parametrize("content", MODELS, ids=["convolution", "depthwise", "pooling"])
def test_computes_the_bytes_of_tensorflow_lite_micro(
    compile_model: CompileModel, content: bytes, target: tuple[str, str]
) -> None:
    x = RANDOM.integers(-128, 128, (5, 1, 7, 6, 4)).astype(np.int8)

    found = compile_model(content, *target).machine.run({"input_0": x})["output"]

    assert np.array_equal(found, [single.run(content, sample) for sample in x])


@pytest.mark.parametrize("kind", ["ADD", "SUB", "MUL"])
def test_a_row_and_a_number_are_for_all_rows_and_columns(compile_model: CompileModel, kind: str) -> None:
    """One operand has a row for all, the other is one constant number."""
    of = {"ADD": schema.AddOptionsT, "SUB": schema.SubOptionsT, "MUL": schema.MulOptionsT}[kind]()
    b, number = Stored(0.02, -9), Stored(0.02, -9, np.full((1, 1, 1, 1), 50, np.int8))
    shapes: list[tuple[int, ...]] = [(1, 3, 4, 8), (1, 1, 1, 8), (1, 3, 4, 8)]
    row = single.model(kind, (X, b), Stored(0.06, 5), shapes, of)
    constant = single.model(kind, (number, X), Stored(0.06, 5), [(1, 1, 1, 1), shapes[0], shapes[0]], of)
    x, y = (RANDOM.integers(-128, 128, shape).astype(np.int8) for shape in shapes[:2])

    with_a_row = compile_model(row).machine.run({"input_0": x[None], "input_1": y[None]})["output"][0]
    with_a_number = compile_model(constant).machine.run({"input_1": x[None]})["output"][0]

    assert np.array_equal(with_a_row, single.run(row, x, y))
    assert np.array_equal(with_a_number, single.run(constant, x))


@pytest.fixture
def commands(compile_network: Compile) -> dict[str, Command]:
    """Return the first command of each kind, the elementwise ones by what they compute."""
    planned = compile_network(made("gru"), 2).machine.planned
    return {
        one.operation.mode.value if isinstance(one.operation, Binary) else one.command.kind.name: one.command
        for one in reversed(planned)
    }


def with_registers(command: Command, **registers: int) -> Command:
    return replace(command, registers={**command.registers, **registers})


def binary(command: Command) -> Binary:
    found = u55.operation(command, NPU)
    assert isinstance(found, Binary)
    return found


def test_a_scale_is_a_multiplier_a_shift_and_a_rounding(commands: dict[str, Command]) -> None:
    registers = {"OFM_SCALE": 37 << 32 | 1_778_879_058, "OFM_PRECISION": 2 << 14 | 1 << 8 | 1}

    found = binary(with_registers(commands["MUL"], **registers)).scale

    assert found == Scale(multiplier=1_778_879_058, shift=37, rounding=Rounding.NATURAL)


@pytest.mark.parametrize(("scaled", "first"), [(1, True), (2, False)])
def test_of_a_sums_operands_one_has_a_multiplier_and_the_other_is_doubled_19_times(
    commands: dict[str, Command], scaled: int, *, first: bool
) -> None:
    """TensorFlow Lite shifts 8-bit operands left by 20, and halves the larger scale's."""
    registers = {"IFM_PRECISION": scaled << 8 | 1, "OPA_SCALE": 13 << 32 | 1_717_986_854}

    found = binary(with_registers(commands["ADD"], **registers))

    a, b = (found.a, found.b) if first else (found.b, found.a)
    assert a is not None
    assert b is not None
    assert (a.scale.multiplier, a.scale.shift, a.scale.pre_shift) == (1_717_986_854, 13, 20)
    assert b.scale.apply(np.array([-3])).item() == -3 << 19


@pytest.mark.parametrize(
    ("register", "bits", "wanted"),
    [
        (0, 8, Activation(low=-7, high=9)),
        (3 << 12, 8, Activation(low=-128, high=127)),
        (18, 8, Activation(low=-7, high=9, table=24 * 1024 - 2048 + 2 * 256)),
        (16, 16, Activation(low=-7, high=9, table=24 * 1024 - 2048, table_bits=32, lookup=Lookup.INTERPOLATED)),
        (3, 16, Activation(low=-7, high=9, table_bits=32, lookup=Lookup.TANH)),
        (4, 16, Activation(low=-7, high=9, table_bits=32, lookup=Lookup.SIGMOID)),
        (0, 32, Activation(low=None, high=None)),
    ],
)
def test_bounds_and_tables(commands: dict[str, Command], register: int, bits: int, wanted: Activation) -> None:
    """Tables lie in the last 2 KiB of shared RAM, 256 bytes after each other."""
    changed = with_registers(
        commands["ADD"],
        ACTIVATION=register,
        ACTIVATION_MIN=0x10000 - 7,
        ACTIVATION_MAX=9,
        OFM_PRECISION=(bits // 16) << 1 | 1,
    )

    assert binary(changed).activation == wanted


def test_two_cores_have_their_own_weights_and_half_of_the_shared_ram(commands: dict[str, Command]) -> None:
    two = Npu(family=Family.U65, macs=512, shram_bytes=96 * 1024)
    streams = {"WEIGHT1_BASE": 4096, "WEIGHT1_LENGTH": 64, "SCALE1_BASE": 8192, "SCALE1_LENGTH": 32}

    found = u55.operation(with_registers(commands["CONV"], ACTIVATION=16, **streams), two)

    assert isinstance(found, Convolution)
    assert [stream.address for stream in found.weights][1:] == [4096]
    assert [stream.length for stream in found.scales][1:] == [32]
    assert found.activation.table == 46 * 1024


@pytest.mark.parametrize(
    ("name", "register", "value", "what"),
    [
        ("CONV", "OFM_PRECISION", 3 << 14 | 1, "rounding 3"),
        ("ADD", "IFM_PRECISION", 3 << 14 | 1 << 8 | 1, "rounding 3"),
        ("CONV", "IFM_UPSCALE", 1, "scales its input up"),
        ("CONV", "ACTIVATION", 5, "activation function 5 with results of 8 bits"),
        ("ADD", "ACTIVATION", 3, "activation function 3 with results of 8 bits"),
        ("ADD", "ACTIVATION", 2 << 12, "clip range 2"),
        ("DMA_START", "DMA0_DST_REGION", 1 << 9, "two or three dimensions"),
    ],
)
def test_what_is_not_covered_is_said(
    commands: dict[str, Command], name: str, register: str, value: int, what: str
) -> None:
    changed = with_registers(commands[name], **{register: value})

    with pytest.raises(NotVerifiedError, match=rf"{changed.kind.name} at byte 0x[0-9a-f]+ .*{what}"):
        u55.operation(changed, NPU)


def test_an_operation_that_is_not_covered_is_said(commands: dict[str, Command]) -> None:
    with pytest.raises(NotVerifiedError, match=r"ELEMENTWISE .*: mode 10"):
        u55.operation(replace(commands["ADD"], parameter=10), NPU)
    with pytest.raises(NotVerifiedError, match=r"POOL .*: mode 3"):
        u55.operation(replace(commands["ADD"], kind=Kind.POOL, parameter=3), NPU)
    with pytest.raises(NotVerifiedError, match=r"STOP .*: no operation"):
        u55.operation(commands["STOP"], NPU)
