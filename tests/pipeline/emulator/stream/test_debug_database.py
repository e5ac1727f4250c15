"""Vela's debug database is read, and one that is not as expected is said so."""

from pathlib import Path

import pytest

from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.stream import debug_database
from pipeline.emulator.stream.commands import KERNELS
from tests.pipeline.emulator.compiled import Compile
from tests.pipeline.networks import made

XML = """<?xml version='1.0' encoding='UTF-8'?>
<debug>
<table name="source"><![CDATA[
"id","operator","ext_key"
1,"Add",0
2,"Tanh",1
3,"Mul",2
]]></table>
<table name="perf"><![CDATA[
"id","source_id","operator","name"
10,1,"Add","sum"
11,2,"LUT","tanh"
12,3,"Mul","product"
13,2,"LUT","again"
]]></table>
<table name="queue"><![CDATA[
"offset","scheduled_id"
64,10
128,12
]]></table>
<table name="group"><![CDATA[
"id","group_id"
11,10
12,10
13,10
]]></table>
</debug>
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "model_debug.xml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_fused_goes_with_the_command_before_it(tmp_path: Path) -> None:
    found = debug_database.read(write(tmp_path, XML))

    assert found[64].operators == (0, 1)
    assert found[64].name == "tanh"
    assert found[64].operation == "Add"
    assert found[128].operators == (2, 1)


@pytest.mark.parametrize("accelerator", ["ethos-u55-128", "ethos-u85-256"])
def test_every_kernel_has_an_origin(compile_network: Compile, accelerator: str) -> None:
    compiled = compile_network(made("gru"), 3, accelerator)

    kernels = {planned.command.offset for planned in compiled.machine.planned if planned.command.kind in KERNELS}
    assert set(compiled.origins) == kernels


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (XML.replace('name="perf"', 'name="other"'), "has no table perf"),
        (XML.replace("64,10", "64,99"), "not as expected"),
        (XML.replace("10,1,", "10,77,"), "not as expected"),
        (XML.replace("128,12", "x,12"), "not as expected"),
        (XML.replace("11,10", "9,8"), "not as expected"),
        (XML[:200], "not as expected"),
        ("", "not as expected"),
    ],
)
def test_another_database_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(NotVerifiedError, match=problem):
        debug_database.read(write(tmp_path, text))
