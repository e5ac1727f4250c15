"""The whole tables of compiled commands, against what TensorFlow Lite Micro makes of every input."""

from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert import schema_py_generated as schema

from pipeline.emulator.machine.planning import Planned
from pipeline.emulator.proof.whole_tables import whole_table
from pipeline.emulator.stream.arithmetic import IDENTITY
from pipeline.emulator.stream.commands import Command, Kind
from pipeline.emulator.stream.operations import Activation, Convolution, Pool, Pooling, Transfer, Window
from tests.pipeline.emulator import single
from tests.pipeline.emulator.compiled import Compile, Compiled, CompileModel
from tests.pipeline.emulator.single import EVERY, Stored
from tests.pipeline.emulator.stream.test_feature_maps import ROWS
from tests.pipeline.networks import made

A, B, OUTPUT = Stored(0.05, 3), Stored(0.02, -9), Stored(0.06, 5)


def tables(compiled: Compiled) -> Iterator[npt.NDArray[np.int64]]:
    for planned in compiled.machine.planned:
        table = whole_table(planned)
        if table is not None:
            yield table


@pytest.mark.parametrize("accelerator", ["ethos-u55-64", "ethos-u85-128"])
def test_two_operands_make_a_square_in_their_order(compile_model: CompileModel, accelerator: str) -> None:
    shapes: list[tuple[int, ...]] = [(1, 16)] * 3
    compiled = compile_model(single.model("SUB", (A, B), OUTPUT, shapes, schema.SubOptionsT()), accelerator)

    (table,) = tables(compiled)

    assert np.array_equal(table, single.pairs(single.binary("SUB", A, B, OUTPUT)))


@pytest.mark.parametrize("accelerator", ["ethos-u55-64", "ethos-u85-128"])
@pytest.mark.parametrize(("kind", "output"), [("TANH", Stored(1 / 128)), ("RELU", Stored(0.04, -100))])
def test_one_operand_makes_a_row(compile_model: CompileModel, accelerator: str, kind: str, output: Stored) -> None:
    compiled = compile_model(single.model(kind, [A], output, [(1, 16)] * 2), accelerator)

    (table,) = tables(compiled)

    assert np.array_equal(table, single.run(single.model(kind, [A], output, [(256,)] * 2), EVERY))


def test_a_number_in_place_of_an_operand_leaves_a_row(compile_model: CompileModel) -> None:
    number = Stored(B.scale, B.zero_point, np.full((1, 1), 77, np.int8))
    content = single.model("ADD", (A, number), OUTPUT, [(1, 16), (1, 1), (1, 16)], schema.AddOptionsT())

    (table,) = tables(compile_model(content))

    assert np.array_equal(table, single.pairs(single.binary("ADD", A, B, OUTPUT))[:, 77 + 128])


def pooling(mode: Pooling = Pooling.AVERAGE, size: int = 1, bits: int = 16) -> Planned:
    """Return a pooling that leaves 16-bit numbers as they are."""
    command = Command(offset=0, kind=Kind.POOL, parameter=0, registers=MappingProxyType({}))
    feature_map = replace(ROWS, bits=bits, zero_point=-3)
    limits = np.iinfo(feature_map.dtype)
    operation = Pool(
        command=command,
        mode=mode,
        ifm=feature_map,
        ofm=feature_map,
        window=Window(height=size, width=1),
        scale=IDENTITY,
        activation=Activation(low=int(limits.min), high=int(limits.max)),
    )
    return Planned(command=command, operation=operation)


def test_a_copy_of_16_bits_has_the_numbers_in_their_order() -> None:
    table = whole_table(pooling())

    assert table is not None
    assert np.array_equal(table, np.arange(-32_768, 32_768))


@pytest.mark.parametrize(
    "planned", [pooling(size=2), pooling(Pooling.REDUCE_SUM), pooling(bits=32)], ids=["window", "sum", "32 bits"]
)
def test_there_is_none_where_results_depend_on_more_than_can_be_tried(planned: Planned) -> None:
    assert whole_table(planned) is None


def test_convolutions_and_what_softmax_is_made_of_have_none(compile_network: Compile) -> None:
    planned = compile_network(made("gru"), 2).machine.planned

    without = {type(one.operation) for one in planned if whole_table(one) is None}

    assert without >= {Convolution, Pool, Transfer, type(None)}
