"""What planning finds of each command: its bytes, its tables and weights, and what nothing is known of."""

from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from pipeline.emulator.errors import StreamError
from pipeline.emulator.machine.memory import CONSTANTS, LOOKUP, SCRATCH, Access
from pipeline.emulator.machine.planning import Planner
from pipeline.emulator.stream.commands import Kind
from pipeline.emulator.stream.npu import Family, Npu
from pipeline.emulator.stream.operations import Binary, Convolution, Pool
from tests.pipeline.emulator import single
from tests.pipeline.emulator.compiled import Compile, CompileModel
from tests.pipeline.emulator.single import Stored
from tests.pipeline.networks import made

A, B, OUTPUT = Stored(0.05, 3), Stored(0.02, -9), Stored(0.06, 5)
NPU = Npu(family=Family.U55, macs=128, shram_bytes=24 * 1024)


def bytes_of(accesses: tuple[Access, ...]) -> dict[int, int]:
    found: dict[int, int] = {}
    for access in accesses:
        found[access.region] = found.get(access.region, 0) + access.stop - access.start
    return found


@pytest.mark.parametrize("macs", [32, 128])
def test_a_sum_reads_its_operands_and_writes_its_result(compile_model: CompileModel, macs: int) -> None:
    """Without a table of its own, it uses the memory of the tables on a small U55."""
    content = single.model("ADD", (A, B), OUTPUT, [(1, 16)] * 3, schema.AddOptionsT())
    compiled = compile_model(content, f"ethos-u55-{macs}")
    into, out = compiled.program.inputs, compiled.program.outputs

    (add, _) = compiled.machine.planned

    assert set(add.reads) == {Access(SCRATCH, place.offset, place.offset + 16) for place in into}
    written = {Access(SCRATCH, place.offset, place.offset + 16) for place in out}
    tables = {Access(LOOKUP, 0, compiled.program.npu.shram_bytes)} if macs < 128 else set()
    assert set(add.writes) == written | tables


def test_a_table_is_brought_and_looked_up_where_it_was_brought(compile_model: CompileModel) -> None:
    content = single.model("TANH", [A], Stored(1 / 128), [(1, 16)] * 2)
    planned = compile_model(content).machine.planned

    (brought,) = [one for one in planned if one.command.kind is Kind.DMA_START]
    (tanh,) = [one for one in planned if isinstance(one.operation, Pool | Binary)]

    assert bytes_of(brought.reads) == {CONSTANTS: 256}
    assert set(brought.writes) < set(tanh.reads)
    assert bytes_of(tanh.reads) == {SCRATCH: 16, LOOKUP: 256}
    assert tanh.lookup is not None
    wanted = single.run(single.model("TANH", [A], Stored(1 / 128), [(256,)] * 2), single.EVERY)
    assert np.array_equal(np.sort(tanh.lookup), np.sort(wanted))


def test_a_convolution_has_the_weights_biases_and_multipliers_of_the_model(compile_model: CompileModel) -> None:
    random = np.random.default_rng(0)
    weights, bias = random.integers(-127, 128, (5, 9)).astype(np.int8), np.array([7, -300, 0, 1, 2**20], np.int32)
    scales = [0.01, 0.02, 0.03, 0.04, 0.05]
    stored = (A, Stored(0, 0, weights, scales), Stored(0, 0, bias, [A.scale * scale for scale in scales]))
    options: Any = schema.FullyConnectedOptionsT()
    content = single.model("FULLY_CONNECTED", stored, Stored(0.3), [(1, 9), (5, 9), (5,), (1, 5)], options)

    (planned,) = [one for one in compile_model(content).machine.planned if isinstance(one.operation, Convolution)]

    assert planned.product is not None
    assert np.array_equal(planned.product.matrix.T, weights)
    assert np.array_equal(planned.product.scales.bias, bias)
    real = planned.product.scales.multiplier / 2.0**planned.product.scales.shift
    assert real == pytest.approx(0.05 * np.array(scales) / 0.3, rel=1e-7)


def test_waits_and_the_stop_do_nothing(compile_network: Compile) -> None:
    machine = compile_network(made("gru"), 2).machine
    idle = [one for one in machine.planned if one.command.kind in {Kind.DMA_WAIT, Kind.KERNEL_WAIT, Kind.STOP}]

    assert idle
    for one in idle:
        assert (one.operation, one.reads, one.writes) == (None, (), ())
        assert one.run({}) is None


def test_what_is_read_before_it_is_written_is_an_error(compile_model: CompileModel) -> None:
    content = single.model("TANH", [A], Stored(1 / 128), [(1, 16)] * 2)
    compiled = compile_model(content)
    (tanh,) = (one.command for one in compiled.machine.planned if one.lookup is not None)

    with pytest.raises(StreamError, match="of look-up memory, which was never written"):
        Planner(compiled.program, {}).plan(tanh)
