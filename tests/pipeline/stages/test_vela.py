"""Compiling with the real Vela: its numbers under the field's names, and one sentence when it fails."""

import copy
import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from pipeline.npu import totals
from pipeline.npu.compiler import CompileError
from pipeline.npu.refusals import NO_REASON
from pipeline.npu.targets import ACCELERATORS, SYSTEM_CONFIGS
from pipeline.stage import Found, Work
from pipeline.stages import vela
from tests.models import chain as chain_of
from tests.models import packed, several_graphs, two_signatures, with_a_variable
from tests.pipeline.making import make_stage

pytestmark = pytest.mark.smoke

Chain = Callable[..., tuple[Mapping[str, Path], Mapping[str, Found]]]
Compile = Callable[..., tuple[Path, Mapping[str, Any]]]
FoundOf = Callable[..., Found]


@pytest.fixture
def compile_(work: Callable[..., Work[Any]], chain: Chain, target: Mapping[str, Any]) -> Compile:
    """Compile a small GRU, or another model, for a target with some settings changed; return folder and metrics."""

    def run(into: str = "into", quantized: Path | None = None, **changed: str) -> tuple[Path, Mapping[str, Any]]:
        inputs = {"quantized": quantized or chain("gru")[0]["quantized"]}
        job = work({"target": {**target, **changed}}, inputs, into)
        found = make_stage("vela", job)
        assert set(found.basis) == set(found.metrics)
        json.dumps(found.metrics, allow_nan=False)
        return job.into, found.metrics

    return run


@pytest.fixture
def found_of(work: Callable[..., Work[Any]], target: Mapping[str, Any]) -> FoundOf:
    """Compile a model for a target with some settings changed; return all that the stage found."""

    def run(quantized: Path, **changed: str) -> Found:
        found = make_stage(
            "vela", work({"target": {**target, **changed}}, {"quantized": quantized}, f"compiled {quantized.name}")
        )
        assert set(found.basis) == set(found.metrics)
        assert set(found.unavailable) == {name for name, value in found.metrics.items() if value is None}
        return found

    return run


def model_folder(folder: Path, content: bytes) -> Path:
    folder.mkdir()
    (folder / "quantized.tflite").write_bytes(content)
    return folder


def program(folder: Path, script: str) -> str:
    """Write a program that stands where Python is, and return its path."""
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def tensor_bytes(compiled: Path) -> dict[str, int]:
    """Return the bytes of the tensors that Vela put into a compiled model, as LiteRT sees them."""
    return {
        tensor["name"]: int(np.prod(tensor["shape"]))
        for tensor in Interpreter(model_path=str(compiled)).get_tensor_details()
    }


def test_the_numbers_are_those_of_velas_summary(compile_: Compile, chain: Chain, tmp_path: Path) -> None:
    _, metrics = compile_()
    model = chain("gru")[0]["quantized"] / "quantized.tflite"
    command = [sys.executable, "-m", "ethosu.vela", str(model), "--output-dir", str(tmp_path / "by-hand")]
    command += ["--config", "Arm/vela.ini", "--accelerator-config", "ethos-u55-128"]
    command += ["--system-config", "Ethos_U55_High_End_Embedded", "--memory-mode", "Shared_Sram"]
    subprocess.run(command, check=True, capture_output=True)
    (path,) = (tmp_path / "by-hand").glob("*_summary_*.csv")
    with path.open(encoding="utf-8", newline="") as file:
        (summary,) = csv.DictReader(file)

    for name in ("total", "npu", "sram_access", "dram_access", "on_chip_flash_access", "off_chip_flash_access"):
        assert metrics[f"cycles_{name}"] == int(summary[f"cycles_{name}"])
    assert metrics["cycles_total"] > metrics["cycles_npu"] > 0
    assert metrics["inference_ms"] == pytest.approx(1000 * float(summary["inference_time"]))
    assert metrics["core_clock_hz"] == float(summary["core_clock"]) == 500e6
    assert metrics["sram_bytes"] == round(1024 * float(summary["sram_memory_used"]))
    assert metrics["dram_bytes"] == 0
    assert metrics["macs"] == int(summary["nn_macs"])


def test_the_compiled_model_and_its_layers_are_kept_and_nothing_else(compile_: Compile) -> None:
    folder, metrics = compile_()

    assert {path.name for path in folder.iterdir()} == {vela.COMPILED, vela.LAYERS}
    assert metrics["flash_bytes"] == (folder / vela.COMPILED).stat().st_size
    kept = json.loads((folder / vela.LAYERS).read_text(encoding="utf-8"))
    assert sum(layer["cycles"] for layer in kept["layers"]) == metrics["cycles_total"]
    assert kept["summary"]["cycles_total"] == metrics["cycles_total"]
    assert [path for path in folder.parent.iterdir() if path.name.startswith("tmp")] == []


@pytest.mark.parametrize("cell", ["gru", "lstm", "simple_rnn"])
def test_every_operator_of_a_quantized_network_runs_on_the_npu(chain: Chain, cell: str) -> None:
    metrics = chain(cell)[1]["vela"].metrics

    assert (metrics["cpu_operators"], metrics["cpu_operators_by_name"]) == (0, [])
    assert metrics["npu_operators"] > 8


def test_estimates_are_called_so_and_the_files_size_is_measured(chain: Chain) -> None:
    basis = chain("gru")[1]["vela"].basis

    assert basis["cycles_total"] == basis["inference_ms"] == basis["sram_bytes"] == "estimated"
    assert basis["flash_bytes"] == "measured"


def test_compiling_again_gives_the_same_files(compile_: Compile, chain: Chain) -> None:
    earlier, found = chain("gru")
    folder, metrics = compile_()

    assert metrics == found["vela"].metrics
    for name in (vela.COMPILED, vela.LAYERS):
        assert (folder / name).read_bytes() == (earlier["vela"] / name).read_bytes()


@pytest.mark.parametrize("accelerator", ACCELERATORS)
def test_every_accelerator_compiles(compile_: Compile, accelerator: str) -> None:
    config = next(name for name, (family, _) in SYSTEM_CONFIGS.items() if family == ACCELERATORS[accelerator])

    folder, metrics = compile_(accelerator=accelerator, system_config=config)

    assert metrics["cycles_total"] > 0
    assert metrics["cpu_operators"] == 0
    assert metrics["constants_bytes"] < metrics["flash_bytes"] == (folder / vela.COMPILED).stat().st_size


def test_in_sram_only_the_constants_count_as_sram(compile_: Compile) -> None:
    folder, metrics = compile_(memory_mode="Sram_Only")
    tensors = tensor_bytes(folder / vela.COMPILED)

    assert metrics["constants_bytes"] == tensors["ethos_u_command_stream"] + tensors["read_only"]
    assert metrics["sram_bytes"] == tensors["scratch"] + tensors["ethos_u_command_stream"] + tensors["read_only"]


def test_in_shared_sram_the_constants_stay_in_flash(compile_: Compile) -> None:
    folder, metrics = compile_()

    assert metrics["sram_bytes"] == tensor_bytes(folder / vela.COMPILED)["scratch"]


def test_in_dedicated_sram_both_memories_are_told(compile_: Compile) -> None:
    folder, metrics = compile_(
        accelerator="ethos-u65-256", system_config="Ethos_U65_High_End", memory_mode="Dedicated_Sram"
    )
    tensors = tensor_bytes(folder / vela.COMPILED)

    assert metrics["sram_bytes"] == tensors["scratch_fast"]
    stored = tensors["read_only"] + tensors["ethos_u_command_stream"]
    assert metrics["dram_bytes"] == tensors["scratch"] + stored


def test_every_choice_of_a_target_is_told_to_vela(
    compile_: Compile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", program(tmp_path, f"echo \"$@\" > '{tmp_path}/told'; exit 1"))
    chosen = {
        "accelerator": "ethos-u85-512",
        "system_config": "Ethos_U85_SYS_DRAM_Mid",
        "memory_mode": "Dedicated_Sram_384KB",
        "optimise": "Size",
    }

    with pytest.raises(CompileError):
        compile_(quantized=tmp_path, **chosen)

    told = (tmp_path / "told").read_text(encoding="utf-8")
    assert set(chosen.values()) < set(told.split())


def test_operators_on_the_cpu_are_listed_by_name_with_the_reason(
    compile_: Compile, chain: Chain, tmp_path: Path
) -> None:
    in_float = model_folder(tmp_path / "float", (chain("gru")[0]["unrolled"] / "unrolled.tflite").read_bytes())

    _, metrics = compile_(quantized=in_float)

    listed = metrics["cpu_operators_by_name"]
    assert metrics["cpu_operators"] == len(listed) > 8
    assert {"operator", "name", "graph", "reason"} == set(listed[0])
    products = [operator for operator in listed if operator["operator"] == "FULLY_CONNECTED"]
    assert products
    assert all("Float32" in operator["reason"] for operator in products)
    assert metrics["npu_operators"] < len(listed)


U85 = {
    "accelerator": "ethos-u85-256",
    "system_config": "Ethos_U85_SYS_DRAM_Mid",
    "memory_mode": "Dedicated_Sram",
}


def on_cpu(found: Found) -> list[tuple[str, str]]:
    rows = found.metrics["cpu_operators_by_name"]
    assert len(rows) == found.metrics["cpu_operators"]
    return [(row["operator"], row["graph"]) for row in rows]


@pytest.mark.parametrize("changed", [{}, U85], ids=["u55", "u85"])
def test_operators_are_counted_in_every_graph_not_in_the_last_one(
    found_of: FoundOf, tmp_path: Path, changed: dict[str, str]
) -> None:
    found = found_of(model_folder(tmp_path / "two", packed(two_signatures())), **changed)

    assert on_cpu(found) == [("DEQUANTIZE", "collect"), ("CUMSUM", "collect"), ("QUANTIZE", "collect")]
    assert [row["reason"] for row in found.metrics["cpu_operators_by_name"]][:2] == ["Unsupported opType"] * 2
    assert (found.metrics["npu_operators"], found.metrics["command_streams"]) == (2, 2)


@pytest.mark.parametrize(
    ("changed", "of_the_variable", "streams"),
    [
        ({}, ["VAR_HANDLE", "READ_VARIABLE", "VAR_HANDLE", "ASSIGN_VARIABLE", "VAR_HANDLE", "ASSIGN_VARIABLE"], 1),
        (U85, [], 2),
    ],
    ids=["u55", "u85"],
)
def test_what_sets_a_variable_is_counted_too(
    found_of: FoundOf, tmp_path: Path, changed: dict[str, str], of_the_variable: list[str], streams: int
) -> None:
    found = found_of(model_folder(tmp_path / "variable", packed(with_a_variable())), **changed)

    kinds = ["CALL_ONCE", *of_the_variable, "DEQUANTIZE", "CUMSUM", "QUANTIZE"]
    assert sorted(kind for kind, _ in on_cpu(found)) == sorted(kinds)
    assert found.metrics["command_streams"] == streams
    assert next(row for row in found.metrics["cpu_operators_by_name"] if row["operator"] == "CALL_ONCE")["reason"] == (
        NO_REASON
    )


def test_totals_that_vela_adds_up_over_several_graphs_are_not_those_of_an_inference(
    found_of: FoundOf, tmp_path: Path
) -> None:
    sizes = ((256, 64), (64, 512))
    alone = [found_of(model_folder(tmp_path / f"{size}", packed(several_graphs(size)))).metrics for size in sizes]
    assert all(metrics["cycles_total"] and metrics["sram_bytes"] for metrics in alone)

    found = found_of(model_folder(tmp_path / "both", packed(several_graphs(*sizes))))

    assert {found.metrics[name] for name in (*totals.OF_AN_INFERENCE, *totals.OF_THE_MEMORIES)} == {None}
    assert found.unavailable["cycles_total"].startswith("Vela adds up the cycles of 2 graphs;")
    assert "the arena of the last one alone" in found.unavailable["sram_bytes"]
    assert found.metrics["flash_bytes"] > sum(size[0] * size[1] for size in sizes)


def test_with_work_for_the_npu_in_the_main_graph_alone_its_cycles_are_known(found_of: FoundOf, tmp_path: Path) -> None:
    found = found_of(model_folder(tmp_path / "variable", packed(with_a_variable())))

    assert found.metrics["cycles_total"] > 0
    assert set(found.unavailable) == {"sram_bytes", "dram_bytes"}


def test_layers_of_the_last_graph_alone_are_not_shown(compile_: Compile, tmp_path: Path) -> None:
    folder, _ = compile_(quantized=model_folder(tmp_path / "two", packed(two_signatures())))

    document = json.loads((folder / vela.LAYERS).read_text(encoding="utf-8"))
    assert document["layers"] == []
    assert document["layers_unavailable"] == (
        "the compiled file has 2 graphs, and Vela reports the operators of the last one alone"
    )


def test_of_a_model_that_stays_on_the_cpu_nothing_is_claimed(found_of: FoundOf, tmp_path: Path) -> None:
    model = chain_of(3)
    model.operatorCodes[0].builtinCode = model.operatorCodes[0].deprecatedBuiltinCode = schema.BuiltinOperator.FLOOR

    found = found_of(model_folder(tmp_path / "floor", packed(model)))

    assert (found.metrics["npu_operators"], found.metrics["cpu_operators"], found.metrics["command_streams"]) == (
        0,
        3,
        0,
    )
    assert {found.metrics[name] for name in (*totals.OF_AN_INFERENCE, *totals.OF_THE_MEMORIES)} == {None}
    assert found.unavailable["inference_ms"].startswith("nothing of the model is on the NPU")


def test_an_operator_that_takes_nothing_is_not_on_the_cpu(found_of: FoundOf, tmp_path: Path) -> None:
    model = chain_of(3)
    reshape = copy.copy(model.operatorCodes[0])
    reshape.builtinCode = reshape.deprecatedBuiltinCode = schema.BuiltinOperator.RESHAPE
    model.operatorCodes.append(reshape)
    middle = model.subgraphs[0].operators[1]
    middle.opcodeIndex, middle.builtinOptionsType = 1, schema.BuiltinOptions.ReshapeOptions
    middle.builtinOptions = schema.ReshapeOptionsT()
    middle.builtinOptions.newShape = [1, 16]

    found = found_of(model_folder(tmp_path / "reshape", packed(model)))

    assert (found.metrics["npu_operators"], found.metrics["cpu_operators"]) == (3, 0)


def test_a_custom_operator_and_names_of_any_characters_are_told(compile_: Compile, tmp_path: Path) -> None:
    model = chain_of(4)
    mine = copy.copy(model.operatorCodes[0])
    mine.builtinCode = mine.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    mine.customCode = "My,Own"
    model.operatorCodes.append(mine)
    model.subgraphs[0].operators[1].opcodeIndex = 1
    for number, tensor in enumerate(model.subgraphs[0].tensors):
        tensor.name = f"""a, "b" 'c' {number}\nd"""

    folder, metrics = compile_(quantized=model_folder(tmp_path / "custom", packed(model)))

    (row,) = metrics["cpu_operators_by_name"]
    assert row == {"operator": "My,Own", "name": "a, \"b\" 'c' 2\nd", "graph": None, "reason": "Unsupported opType"}
    assert (metrics["npu_operators"], metrics["command_streams"]) == (3, 2)
    layers = json.loads((folder / vela.LAYERS).read_text(encoding="utf-8"))["layers"]
    assert [layer["name"] for layer in layers] == [tensor.name for tensor in model.subgraphs[0].tensors[1:]]
    assert sum(layer["cycles"] for layer in layers) == metrics["cycles_total"]


def test_of_two_namesakes_velas_reason_is_not_guessed(compile_: Compile, tmp_path: Path) -> None:
    model = two_signatures()
    model.subgraphs.append(copy.deepcopy(model.subgraphs[0]))

    _, metrics = compile_(quantized=model_folder(tmp_path / "namesakes", packed(model)))

    assert metrics["cpu_operators"] == 6
    assert {row["reason"] for row in metrics["cpu_operators_by_name"]} == {NO_REASON}


def test_a_folder_with_spaces_and_letters_beyond_ascii_is_no_obstacle(
    compile_: Compile, chain: Chain, tmp_path: Path
) -> None:
    here = shutil.copytree(chain("gru")[0]["quantized"], tmp_path / "mein Prüfstand" / "模型")

    folder, metrics = compile_(into="ein Ergebnis ü/into", quantized=here)

    assert metrics == chain("gru")[1]["vela"].metrics
    assert (folder / vela.COMPILED).exists()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_a_truncated_model_is_one_sentence(compile_: Compile, chain: Chain, tmp_path: Path, share: float) -> None:
    content = (chain("gru")[0]["quantized"] / "quantized.tflite").read_bytes()

    with pytest.raises(CompileError) as caught:
        compile_(quantized=model_folder(tmp_path / "half", content[: int(len(content) * share)]))

    said = str(caught.value)
    assert said.startswith(("Vela failed (exit code 1): ", "Vela failed (signal "))
    assert len(said.splitlines()) == 1


def test_what_is_no_model_is_one_sentence_with_velas_last_words(compile_: Compile, tmp_path: Path) -> None:
    with pytest.raises(CompileError) as caught:
        compile_(quantized=model_folder(tmp_path / "text", b"no model at all, but long enough to be looked at"))

    assert str(caught.value).startswith("Vela failed (exit code 1): RuntimeError: Compilation failed")


def test_a_model_that_kills_vela_is_one_sentence(compile_: Compile, tmp_path: Path) -> None:
    model = chain_of(2)
    model.subgraphs[0].tensors[1].shape = [0, 16]
    with pytest.raises(CompileError) as caught:
        compile_(quantized=model_folder(tmp_path / "empty", packed(model)))
    assert str(caught.value).startswith("Vela failed (signal 11): ")


@pytest.mark.slow
def test_ten_thousand_operators_are_compiled_and_told_one_by_one(compile_: Compile, tmp_path: Path) -> None:
    """Half a minute, most of it Vela's: nothing of ours grows faster than the model."""
    folder, metrics = compile_(quantized=model_folder(tmp_path / "large", packed(chain_of(10_000))))
    assert metrics["npu_operators"] == 10_000
    assert metrics["cpu_operators"] == 0
    layers = json.loads((folder / vela.LAYERS).read_text(encoding="utf-8"))["layers"]
    assert sum(layer["cycles"] for layer in layers) == metrics["cycles_total"]


def test_what_vela_printed_goes_into_the_log(
    compile_: Compile, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CompileError):
        compile_(quantized=model_folder(tmp_path / "text", b"no model at all, but long enough to be looked at"))

    assert "Traceback" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo 'No module named ethosu' >&2; exit 1", "Vela failed (exit code 1): No module named ethosu"),
        ("exit 3", "Vela failed (exit code 3): (it printed nothing)"),
        ("kill -11 $$", "Vela failed (signal 11): (it printed nothing)"),
        ("printf 'one\\ntwo\\n\\n'; exit 1", "Vela failed (exit code 1): two"),
    ],
)
def test_a_broken_vela_is_one_sentence(
    compile_: Compile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, says: str
) -> None:
    monkeypatch.setattr(sys, "executable", program(tmp_path, script))

    with pytest.raises(CompileError) as caught:
        compile_(quantized=tmp_path)

    assert str(caught.value) == says


def test_nothing_is_left_behind_by_a_failure(compile_: Compile, tmp_path: Path) -> None:
    with pytest.raises(CompileError):
        compile_(quantized=model_folder(tmp_path / "text", b"no model at all, but long enough to be looked at"))

    assert {path.name for path in tmp_path.iterdir()} == {"text", "into"}
    assert list((tmp_path / "into").iterdir()) == []
