"""Opening compiled files, and files that are none."""

from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from pipeline.emulator.errors import NotVerifiedError, StreamError
from pipeline.emulator.stream.driver_actions import FOURCC
from pipeline.emulator.stream.program import load, programs
from tests.pipeline.emulator.compiled import Compile, Compiled
from tests.pipeline.networks import Network


@pytest.fixture(scope="module")
def compiled(compile_network: Compile) -> Compiled:
    return compile_network(Network("lstm", units=8), 2, state=True)


def test_inputs_and_outputs_have_their_places_in_the_arena(compiled: Compiled) -> None:
    program = compiled.program

    assert [place.name for place in program.inputs] == ["input", "lstm_1/hidden_0", "lstm_1/cell_0"]
    assert {place.name for place in program.outputs} == {"output", "lstm_1/hidden_2", "lstm_1/cell_2"}
    assert all(0 <= place.offset <= program.scratch_bytes - place.size for place in (*program.inputs, *program.outputs))


def elsewhere(model: Any, change: str) -> None:
    """Let a part of a compiled model be outside the one operator of the NPU."""
    graph = model.subgraphs[0]
    match change:
        case "an operator on the CPU":
            on_cpu: Any = schema.OperatorT()
            on_cpu.opcodeIndex, on_cpu.inputs, on_cpu.outputs = len(model.operatorCodes), graph.inputs, graph.outputs
            model.operatorCodes.append(schema.OperatorCodeT())
            graph.operators = [*graph.operators, on_cpu]
        case "all on the CPU":
            model.operatorCodes[0].customCode = None
        case "another command stream":
            graph.operators = [*graph.operators, graph.operators[0]]
        case "another graph":
            model.subgraphs = [graph, graph]


def changed(compiled: Compiled, tmp_path: Path, change: str) -> Path:
    """Write a compiled file that is wrong in one way."""
    model = schema.ModelT.InitFromPackedBuf(compiled.path.read_bytes(), 0)
    graph = model.subgraphs[0]
    stream = model.buffers[graph.tensors[graph.operators[0].inputs[0]].buffer]
    words = np.array(stream.data, np.uint8).view(np.uint32)
    elsewhere(model, change)
    match change:
        case "another operator":
            model.operatorCodes[0].customCode = b"vendor-npu"
        case "no metadata":
            model.metadata = []
        case "fourcc":
            words[0] += 1
        case "product":
            words[2] |= 0xF << 28
        case "length":
            words[np.flatnonzero((words & 0xFF) == 2)[0]] += 1 << 16
        case "scratch":
            graph.tensors[graph.operators[0].inputs[2]].shape = [1 << 30]
    stream.data = words.view(np.uint8)
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    path = tmp_path / "changed.tflite"
    path.write_bytes(bytes(builder.Output()))
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("another operator", r"no operator of it is ethos-u \(there are vendor-npu\)"),
        ("no metadata", "it has no metadata OfflineMemoryAllocation"),
        ("fourcc", rf"the command tensor begins with b'\w+', not {FOURCC!r}"),
        ("product", "an unknown product 15"),
        ("length", "its length says"),
        ("scratch", "its scratch memory has 1,073,741,824 bytes"),
    ],
)
def test_a_file_that_contradicts_itself_is_an_error_in_words(
    compiled: Compiled, tmp_path: Path, change: str, message: str
) -> None:
    with pytest.raises(StreamError, match=message):
        load(changed(compiled, tmp_path, change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("an operator on the CPU", "1 operator runs on the CPU beside the NPU"),
        ("all on the CPU", "none of its 1 operators runs on the NPU"),
    ],
)
def test_operators_on_the_cpu_are_not_covered(compiled: Compiled, tmp_path: Path, change: str, message: str) -> None:
    with pytest.raises(NotVerifiedError, match=message):
        load(changed(compiled, tmp_path, change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("another command stream", "it has 2 command streams in 1 graph, not one"),
        ("another graph", "it has 2 command streams in 2 graphs, not one"),
    ],
)
def test_several_command_streams_are_not_covered(compiled: Compiled, tmp_path: Path, change: str, message: str) -> None:
    with pytest.raises(NotVerifiedError, match=message):
        load(changed(compiled, tmp_path, change))


def test_every_command_stream_of_a_file_is_opened(compiled: Compiled, tmp_path: Path) -> None:
    (alone,) = programs(compiled.path)
    assert np.array_equal(alone.words, load(compiled.path).words)
    for operators_besides, count in (("an operator on the CPU", 1), ("another command stream", 2)):
        assert len(programs(changed(compiled, tmp_path, operators_besides))) == count


def test_the_quantized_model_itself_is_no_compiled_file(compiled: Compiled) -> None:
    with pytest.raises(StreamError, match="it was not compiled by Vela for an Ethos-U"):
        load(compiled.quantized)


@pytest.mark.parametrize("content", [b"", b"TFL3", b"PK\3\4, a zip", b"\0\0\0\0TFL3"])
def test_a_foreign_file_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "foreign.tflite"
    path.write_bytes(content)

    with pytest.raises(StreamError, match=r"foreign\.tflite is (no TensorFlow Lite model|truncated or damaged: )"):
        load(path)


def test_a_file_that_is_cut_short_is_an_error_wherever_it_is_cut(compiled: Compiled, tmp_path: Path) -> None:
    content, path = compiled.path.read_bytes(), tmp_path / "short.tflite"
    for length in np.linspace(8, len(content) - 64, 40).astype(int):
        path.write_bytes(content[:length])
        with pytest.raises(StreamError):
            load(path)
