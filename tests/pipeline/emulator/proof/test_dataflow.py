"""What every command is said to compute is what TensorFlow Lite Micro has there; what it should not read is said."""

from dataclasses import replace
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from tflite_micro import runtime

from pipeline.emulator.errors import StreamError
from pipeline.emulator.machine.kernels import Numbers
from pipeline.emulator.machine.machine import Machine
from pipeline.emulator.machine.planning import Planned
from pipeline.emulator.proof import dataflow
from pipeline.emulator.proof.codes import INSIDE
from pipeline.emulator.stream.commands import KERNELS, ONE_WORD, Kind
from pipeline.emulator.stream.operations import Binary
from tests.pipeline.emulator.compiled import Compile, Compiled
from tests.pipeline.networks import Network, made


def all_tensors(quantized: Path, given: Numbers) -> dict[int, Numbers]:
    """Return every tensor that TensorFlow Lite Micro computes, by its number, put out by a model changed for that."""
    model = schema.ModelT.InitFromPackedBuf(quantized.read_bytes(), 0)
    graph = model.subgraphs[0]
    graph.outputs = [int(number) for operator in graph.operators for number in operator.outputs]
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    interpreter = runtime.Interpreter.from_bytes(bytes(builder.Output()), arena_size=1 << 20)
    interpreter.set_input(given, 0)
    interpreter.invoke()
    return {number: interpreter.get_output(place).ravel().copy() for place, number in enumerate(graph.outputs)}


@pytest.mark.parametrize(
    ("cell", "accelerator", "memory_mode"),
    [
        ("gru", "ethos-u55-64", "Shared_Sram"),
        ("lstm", "ethos-u65-512", "Dedicated_Sram"),
        ("simple_rnn", "ethos-u85-128", "Sram_Only"),
    ],
)
def test_every_result_is_the_elements_that_it_is_said_to_be(
    compile_network: Compile, cell: str, accelerator: str, memory_mode: str
) -> None:
    compiled = compile_network(Network(cell, 1, features=5, units=13), 3, accelerator, memory_mode)
    (place,) = compiled.machine.program.inputs
    given = np.random.default_rng(0).integers(-128, 128, place.shape).astype(np.int8)
    tensors, compared = all_tensors(compiled.quantized, given), []

    flow = dataflow.follow(compiled.machine, compiled.model, compiled.origins)

    def compare(planned: Planned, result: Numbers) -> None:
        codes = flow.computes.get(planned.command.offset)
        if codes is None or (codes & INSIDE == INSIDE).any():
            return
        numbers, elements = (codes >> 32) - 1, codes & INSIDE
        computed = np.isin(numbers, list(tensors))  # the others are inputs and constants, moved
        wanted = [
            tensors[number][element] for number, element in zip(numbers[computed], elements[computed], strict=True)
        ]
        assert result.ravel()[computed].tolist() == wanted, str(planned.command)
        compared.append(planned)

    compiled.machine.run({place.name: given[None]}, compare)

    assert not flow.check.failed
    assert len(compared) > len(flow.matches)
    assert {match.planned.command.offset for match in flow.matches} < {one.command.offset for one in compared}


@pytest.fixture(scope="module")
def gru(compile_network: Compile) -> Compiled:
    return compile_network(made("gru"), 2)


def test_every_operator_of_a_known_formula_has_its_commands(gru: Compiled) -> None:
    flow = dataflow.follow(gru.machine, gru.model, gru.origins)

    matched = {operator.index for match in flow.matches for operator in match.operators}
    wanted = {index for origin in gru.origins.values() for index in origin.operators}
    assert [operator.kind for operator in flow.by_samples] == ["SOFTMAX"]
    kinds = {gru.model.operators[index].kind for index in wanted - matched}
    assert kinds <= {"SOFTMAX", "CONCATENATION", "RESHAPE", "PACK", "STRIDED_SLICE", "SPLIT", "UNPACK"}


def test_a_command_without_an_origin_is_named(gru: Compiled) -> None:
    first = next(one.command for one in gru.machine.planned if one.command.kind in KERNELS)
    origins = {offset: origin for offset, origin in gru.origins.items() if offset != first.offset}

    check = dataflow.follow(gru.machine, gru.model, origins).check

    assert check.failed
    assert check.first == f"{first}: Vela's debug database does not say which operator it is for"


def test_outputs_that_lie_elsewhere_are_named(gru: Compiled) -> None:
    (output,) = gru.program.outputs
    elsewhere = replace(gru.program, outputs=(replace(output, offset=gru.program.inputs[0].offset),))

    check = dataflow.follow(Machine(elsewhere), gru.model, gru.origins).check

    assert check.failed == 1
    assert check.first == f"output {output.name}: it is not what the quantized model puts out"


def test_another_number_of_inputs_or_outputs_is_not_of_the_same_model(gru: Compiled) -> None:
    program, model = gru.program, gru.model

    with pytest.raises(StreamError, match="it has 1 inputs, the quantized model 2"):
        dataflow.follow(gru.machine, replace(model, inputs=model.inputs * 2), gru.origins)
    with pytest.raises(StreamError, match="it has 2 outputs, the quantized model 1"):
        dataflow.follow(Machine(replace(program, outputs=program.outputs * 2)), model, gru.origins)


def with_register(compiled: Compiled, offset: int, register: str, bits: int) -> Machine:
    """Return the compiled model with some bits of a register flipped, of one command and those behind it."""
    words, program = compiled.program.words.copy(), compiled.program
    opcode = next(code for code, name in ONE_WORD[program.npu.family].items() if name == register)
    place = np.flatnonzero(words[: offset // 4] & 0xC3FF == opcode)[-1]
    words[place] ^= np.uint32(bits << 16)
    return Machine(replace(program, words=words))


@pytest.mark.parametrize("register", ["IFM_PRECISION", "IFM2_PRECISION", "OFM_PRECISION"])
def test_numbers_taken_for_unsigned_are_noticed(gru: Compiled, register: str) -> None:
    """Their addresses are right, and where a zero point is 0 or above so is that."""
    flow = dataflow.follow(gru.machine, gru.model, gru.origins)
    for match in flow.matches:
        operation = match.planned.operation
        if register == "IFM2_PRECISION" and (not isinstance(operation, Binary) or match.scalar is not None):
            continue
        machine = with_register(gru, match.planned.command.offset, register, 1)

        assert dataflow.follow(machine, gru.model, gru.origins).check.failed


def test_a_copy_of_more_than_it_reads_is_an_error_that_names_it(gru: Compiled) -> None:
    copy = next(one.command for one in gru.machine.planned if one.command.kind is Kind.POOL)

    with pytest.raises(StreamError, match=f"{copy}: its output has 8 channels instead of 7"):
        with_register(gru, copy.offset, "IFM_DEPTH_M1", 1)
