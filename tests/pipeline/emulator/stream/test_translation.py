"""What no command can mean is an error that names it."""

from dataclasses import replace
from types import MappingProxyType

import pytest
from ai_edge_litert import schema_py_generated as schema

from pipeline.emulator.errors import StreamError
from pipeline.emulator.stream.commands import Command, Kind
from pipeline.emulator.stream.npu import Family, Npu
from pipeline.emulator.stream.translation import translate
from tests.pipeline.emulator import single
from tests.pipeline.emulator.compiled import CompileModel
from tests.pipeline.emulator.single import Stored

A, B, OUTPUT = Stored(0.05, 3), Stored(0.02, -9), Stored(0.06, 5)
NPU = Npu(family=Family.U55, macs=128, shram_bytes=24 * 1024)


def test_a_number_that_stands_for_nothing_is_an_error_that_names_the_command(compile_model: CompileModel) -> None:
    content = single.model("ADD", (A, B), OUTPUT, [(1, 16)] * 3, schema.AddOptionsT())
    add = compile_model(content).machine.planned[0].command
    wide = replace(add, registers={**add.registers, "IFM_PRECISION": 3 << 2 | 1 << 8 | 1})

    with pytest.raises(StreamError, match=r"ELEMENTWISE at byte 0x[0-9a-f]+ .*stands for nothing that is known"):
        translate(wide, NPU)


def test_a_register_that_was_never_set_is_named() -> None:
    alone = Command(offset=8, kind=Kind.POOL, parameter=0, registers=MappingProxyType({}))

    with pytest.raises(StreamError, match=r"POOL at byte 0x8 .*: reads register \w+, which was never set"):
        translate(alone, NPU)
