"""The listing names what commands do, and agrees with Vela's own; what is no compiled model ends in a sentence."""

import json
import re
import shutil
from pathlib import Path

import pytest

from pipeline.npu import compiler, disassemble
from tests.models import packed, two_signatures
from tests.pipeline.emulator.compiled import target
from tests.pipeline.networks import made

ACCELERATOR = "ethos-u65-256"


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder as a build leaves it: the compiled model, its stage.json, and Vela's own listing."""
    folder = tmp_path_factory.mktemp("result")
    quantized = folder / "quantized.tflite"
    quantized.write_bytes(made("gru").quantize(2))
    wanted = target(ACCELERATOR, "Shared_Sram")
    path, printed = compiler.compile_model(quantized, folder / "out", wanted, "--verbose-register-command-stream")
    shutil.copy(path, folder / "compiled.tflite")
    (folder / "vela.txt").write_text(printed, encoding="utf-8")
    (folder / "stage.json").write_text(
        json.dumps({"inputs": {"config": {"target": wanted.as_dict()}}}), encoding="utf-8"
    )
    return folder


def listed(capsys: pytest.CaptureFixture[str], *arguments: Path | str) -> str:
    assert disassemble.main([str(argument) for argument in arguments]) == 0
    return capsys.readouterr().out


def test_commands_are_those_of_velas_own_listing(result: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours = re.findall(r"^0x(\w{6})  (\w+)", listed(capsys, result / "compiled.tflite"), re.MULTILINE)
    text = (result / "vela.txt").read_text(encoding="utf-8")
    theirs = re.findall(r"^0x(\w+): .*? - NPU_OP_(\w+)", text, re.MULTILINE)

    elementwise = {"ADD", "SUB", "MUL", "SHR", "SHL", "CLZ"}
    assert [(offset, "ELEMENTWISE" if name in elementwise else name) for offset, name in ours] == theirs


def test_numbers_are_those_of_velas_own_listing(result: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = listed(capsys, result / "compiled.tflite")
    text = (result / "vela.txt").read_text(encoding="utf-8")

    factors = re.findall(r"NPU_SET_O[PF][AM]_SCALE .*shift = (\d+), scale = (\d{6,})", text)
    assert any(f"{scale} / 2^{shift}" in output for shift, scale in factors)
    for address in re.findall(r"NPU_SET_WEIGHT_BASE .*addr = (0x\w+)", text):
        assert f"bytes at constants {address}" in output
    loaded = re.findall(r"DMA src: .*?address: (0x\w+), dest: shram:LUT, address: (0x\w+), .*length: (\d+)", text)
    assert loaded
    for source, into, length in loaded:
        assert f"{int(length):,} bytes from constants {source} to look-up memory {into}" in output


def test_with_the_source_commands_go_by_operators(result: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = listed(capsys, result / "compiled.tflite", "--source", result / "quantized.tflite")

    groups = re.split(r"\n\n", output)
    assert any(
        group.startswith("FULLY_CONNECTED gru_1/recurrent_product_2\n") and "CONV 1x1" in group for group in groups
    )
    assert any(group.startswith("ADD gru_1/candidate_sum_2 + TANH gru_1/candidate_2\n") for group in groups)
    assert any(group.startswith("SOFTMAX output\n") and "CLZ" in group for group in groups)
    assert groups[0].startswith("u65-256, ")


def test_bytes_and_commands_are_counted(result: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = listed(capsys, result / "compiled.tflite")

    totals = output[output.index("\ncommands\n") :]
    counted = dict(re.findall(r"([\d,]+)  (\w[\w ]*)$", totals, re.MULTILINE))
    assert len(re.findall("^0x.{6}  ADD$", output, re.MULTILINE)) == int(
        next(count for count, name in counted.items() if name == "ADD")
    )
    assert re.search(r"[\d,]+  constants read\n", totals)
    assert re.search(r"[\d,]+  scratch written\n", totals)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nowhere.tflite"], "nowhere.tflite: No such file"),
        (["vela.txt"], "is no TensorFlow Lite model"),
        (["quantized.tflite"], "not compiled by Vela"),
        (["compiled.tflite", "--source", "vela.txt"], "is no TensorFlow Lite model"),
        (["out/quantized_vela.tflite", "--source", "quantized.tflite"], "--source needs"),
    ],
)
def test_what_can_not_be_listed_is_said_in_a_sentence(
    result: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    problem: str,
) -> None:
    monkeypatch.chdir(result)

    assert disassemble.main(arguments) == 1

    captured = capsys.readouterr()
    assert problem in captured.err
    assert "Traceback" not in captured.err


def test_another_model_is_no_source(result: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    other = tmp_path / "other.tflite"
    other.write_bytes(made("gru").quantize(3))

    assert disassemble.main([str(result / "compiled.tflite"), "--source", str(other)]) == 1

    assert "gives another file than" in capsys.readouterr().err


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Return a compiled model of two graphs, the first of which has operators on the CPU."""
    quantized = tmp_path / "two.tflite"
    quantized.write_bytes(packed(two_signatures()))
    path, _ = compiler.compile_model(quantized, tmp_path / "out", target("ethos-u55-128", "Shared_Sram"))
    return path


def test_every_command_stream_of_every_graph_is_listed_with_the_cpus_operators_between(
    two: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = listed(capsys, two)

    assert output.startswith("2 command streams and 3 operators on the CPU, in 2 graphs\n")
    headings = re.findall(r"^(?:command stream|on the CPU|input  |output  ).*$", output, re.MULTILINE)
    assert [re.sub(" +", " ", heading) for heading in headings] == [
        "command stream (graph collect)",
        "input samples: int8 1 x 16 at scratch 0x0",
        "output gathered: int8 1 x 8 at scratch 0x20",
        "on the CPU (graph collect): DEQUANTIZE real",
        "on the CPU (graph collect): CUMSUM summed",
        "on the CPU (graph collect): QUANTIZE stored",
        "command stream (graph decode)",
        "input codes: int8 1 x 8 at scratch 0x10",
        "output decoded: int8 1 x 4 at scratch 0x0",
    ]
    assert len(re.findall(r"^0x.{6}  CONV ", output, re.MULTILINE)) == 2


def test_of_several_command_streams_the_source_of_a_command_is_not_guessed(
    two: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert disassemble.main([str(two), "--source", str(two)]) == 1
    assert "has 2 command streams" in capsys.readouterr().err
