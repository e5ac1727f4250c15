"""How large the parts of a compiled model are, compared with what LiteRT sees in the same file."""

from collections.abc import Callable
from pathlib import Path

import pytest
from ai_edge_litert.interpreter import Interpreter

from pipeline.npu import compiled_file

Compiled = Callable[..., tuple[Path, str]]


def compiled_model(folder: Path) -> Path:
    (found,) = folder.glob("*_vela.tflite")
    return found


def tensor_bytes(model: Path, *names: str) -> int:
    """Return the size of all tensors of these names; Vela's are arrays of bytes."""
    tensors = Interpreter(model_path=str(model)).get_tensor_details()
    return sum(int(tensor["shape"].prod()) for tensor in tensors if tensor["name"] in names)


@pytest.mark.parametrize(
    "target",
    [
        ("ethos-u55-128", "Ethos_U55_High_End_Embedded", "Sram_Only"),
        ("ethos-u65-256", "Ethos_U65_High_End", "Dedicated_Sram"),
        ("ethos-u85-512", "Ethos_U85_SYS_Flash_High", "Shared_Sram"),
    ],
    ids=" ".join,
)
def test_the_constants_are_the_command_stream_and_what_is_read_only(
    compiled: Compiled, target: tuple[str, str, str]
) -> None:
    model = compiled_model(compiled("on_npu", *target)[0])

    measured = compiled_file.measure(model)

    assert tensor_bytes(model, "ethos_u_command_stream") > 0
    assert tensor_bytes(model, "scratch") > 0
    assert measured.constants_bytes == tensor_bytes(model, "ethos_u_command_stream", "read_only")


def test_the_command_streams_on_both_sides_of_a_cpu_operator_count(compiled: Compiled) -> None:
    model = compiled_model(compiled("in_part")[0])

    streams = [
        tensor
        for tensor in Interpreter(model_path=str(model)).get_tensor_details()
        if tensor["name"] == "ethos_u_command_stream"
    ]
    assert len(streams) == 2
    assert compiled_file.measure(model).constants_bytes == tensor_bytes(model, "ethos_u_command_stream", "read_only")


def test_a_model_that_stays_on_the_cpu_has_no_constants_of_its_own(compiled: Compiled) -> None:
    assert compiled_file.measure(compiled_model(compiled("on_cpu")[0])).constants_bytes == 0


def test_the_file_is_as_large_as_on_disk_and_larger_than_its_constants(compiled: Compiled) -> None:
    model = compiled_model(compiled("on_npu")[0])

    measured = compiled_file.measure(model)

    assert measured.file_bytes == model.stat().st_size > measured.constants_bytes
