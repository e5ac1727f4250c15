"""The listing of one operator, against numbers worked out by hand."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from pipeline.emulator.machine import listing
from pipeline.emulator.stream.commands import KERNELS, ONE_WORD
from pipeline.emulator.stream.operations import Convolution
from pipeline.emulator.stream.program import Program
from tests.pipeline.emulator import single
from tests.pipeline.emulator.compiled import Compile, CompileModel
from tests.pipeline.emulator.single import Stored
from tests.pipeline.networks import made


def listed(program: Program, groups: dict[int, str] | None = None) -> list[str]:
    return list(listing.lines(program, groups or {}))


def totals(lines: Sequence[str]) -> dict[str, str]:
    return {name: count for count, name in (line.split(maxsplit=1) for line in lines[lines.index("bytes") + 1 :])}


def test_a_product_reads_as_what_it_computes(compile_model: CompileModel) -> None:
    """Of two times 16 numbers, its result is 0.05 * 0.02 / 0.001 = 1 of the output's steps."""
    content = single.model(
        "MUL", (Stored(0.05, 3), Stored(0.02, -9)), Stored(0.001, 5), [(1, 16)] * 3, schema.MulOptionsT()
    )
    program = compile_model(content).program
    places = [f"0x{place.offset:x}" for place in (*program.inputs, *program.outputs)]

    lines = listed(program)

    assert lines[0] == f"u55-128, 2 commands in {4 * len(program.words):,} bytes"
    assert f"input     input_0: int8 1 x 16 at scratch {places[0]}" in lines
    assert f"output    output: int8 1 x 16 at scratch {places[2]}" in lines
    start = next(place for place, line in enumerate(lines) if line.endswith("  MUL"))
    a, b, scale, output = (line.strip() for line in lines[start + 1 : start + 5])
    assert a == f"input a  int8 1 x 1 x 16 NHWC at scratch {places[0]}, zero point 3"
    assert b == f"input b  int8 1 x 1 x 16 NHWC at scratch {places[1]}, zero point -9"
    assert scale.startswith("scale    1073741824 / 2^30 = 1, rounded double")
    assert output == f"output   int8 1 x 1 x 16 NHWC at scratch {places[2]}, zero point 5, cut to -128..127"
    assert totals(lines) == {"scratch read": "32", "scratch written": "16"}


def convolution() -> bytes:
    """Write a convolution of 7 x 6 x 4 inputs to 5 channels, with a kernel of 3 x 2 and a stride of 2 x 1."""
    options: Any = schema.Conv2DOptionsT()
    options.strideH, options.strideW, options.padding = 2, 1, schema.Padding.SAME
    options.dilationHFactor = options.dilationWFactor = 1
    scales = [0.01, 0.02, 0.03, 0.04, 0.05]
    weights = Stored(0, 0, np.ones((5, 3, 2, 4), np.int8), scales)
    bias = Stored(0, 0, np.zeros(5, np.int32), [0.05 * scale for scale in scales])
    shapes: list[tuple[int, ...]] = [(1, 7, 6, 4), (5, 3, 2, 4), (5,), (1, 4, 6, 5)]
    return single.model("CONV_2D", (Stored(0.05, 3), weights, bias), Stored(0.3, -4), shapes, options)


def test_a_convolution_shows_its_window_its_streams_and_its_multipliers(compile_model: CompileModel) -> None:
    """0.05 * 0.01 / 0.3 is 0.001667; a stride of 2 needs 9 rows of 7, and SAME puts one above."""
    program = compile_model(convolution(), "ethos-u65-512", "Dedicated_Sram").program

    lines = [line.strip() for line in listed(program)]

    assert sum(line.endswith("CONV 3x2") for line in lines) == 2  # the command, and its count
    assert any(
        "7 x 6 x 4" in line and line.endswith("stride 2 x 1, padding 1 above and 0 to the left") for line in lines
    )
    assert (
        sum(line.startswith("weights  ") for line in lines) == sum(line.startswith("scales   ") for line in lines) == 2
    )
    assert "5 channels, multiplied by 0.001667 to 0.008333" in lines
    assert totals(lines)["scratch read"] == str(7 * 6 * 4)
    assert totals(lines)["scratch written"] == str(4 * 6 * 5)


def test_a_heading_stands_before_all_that_is_for_its_kernel(compile_network: Compile) -> None:
    """Its table is brought, and waited for, below its heading; the stop behind all kernels has none."""
    compiled = compile_network(made("gru"), 2)
    kernels = [one.command.offset for one in compiled.machine.planned if one.command.kind in KERNELS]
    groups = {offset: f"kernel {number}" for number, offset in enumerate(kernels)}

    blocks = "\n".join(listed(compiled.program, groups)).split("\n\n")[1:-1]

    assert [block.splitlines()[0] for block in blocks] == [*groups.values(), ""]
    (first, *_) = (block.splitlines()[1:] for block in blocks if "table at look-up memory" in block)
    names = [line.split("  ")[1] for line in first if line.startswith("0x")]
    assert names[:2] == ["DMA_START", "DMA_WAIT until at most 0 are at work"]


def test_what_can_not_be_decoded_is_said_in_its_place(compile_model: CompileModel) -> None:
    compiled = compile_model(convolution(), "ethos-u55-32")
    operation = compiled.machine.planned[0].operation
    assert isinstance(operation, Convolution)
    (scales,) = operation.scales
    damaged = bytearray(compiled.program.constants)
    damaged[scales.address + scales.length - 1] = 7

    lines = [line.strip() for line in listed(replace(compiled.program, constants=bytes(damaged)))]

    assert "not decoded: scale stream 0 goes on with 07 after its 5 channels" in lines


def test_what_is_not_covered_is_said_in_its_place(compile_model: CompileModel) -> None:
    program = compile_model(convolution(), "ethos-u55-32").program
    words = program.words.copy()
    upscale = next(code for code, name in ONE_WORD[program.npu.family].items() if name == "IFM_UPSCALE")
    (place,) = np.flatnonzero(words & 0xC3FF == upscale)
    words[place] |= np.uint32(1 << 16)

    lines = [line.strip() for line in listed(replace(program, words=words))]

    (said,) = (line for line in lines if line.startswith("not decoded: CONV"))
    assert said.endswith("it scales its input up")
