"""What kernels read, and how large their tables are."""

from dataclasses import replace

import pytest

from pipeline.emulator.stream.arithmetic import IDENTITY
from pipeline.emulator.stream.operations import Activation, Binary, Elementwise, Lookup, Operand, Pool, Pooling, Window
from tests.pipeline.emulator.machine.test_kernels import COMMAND, INT8
from tests.pipeline.emulator.stream.test_feature_maps import ROWS

OTHER = replace(ROWS, region=2)
MAP, NUMBER = Operand(feature_map=ROWS), Operand(scalar=3)


@pytest.mark.parametrize(
    ("a", "b", "reads"),
    [
        (MAP, Operand(feature_map=OTHER), (ROWS, OTHER)),
        (MAP, MAP, (ROWS, ROWS)),
        (MAP, NUMBER, (ROWS,)),
        (NUMBER, MAP, (ROWS,)),
        (MAP, None, (ROWS,)),
    ],
)
def test_an_elementwise_operation_reads_its_feature_maps_and_no_number(
    a: Operand, b: Operand | None, reads: tuple[object, ...]
) -> None:
    operation = Binary(command=COMMAND, mode=Elementwise.ADD, a=a, b=b, ofm=OTHER, scale=IDENTITY, activation=INT8)
    assert operation.inputs == reads


def test_a_pooling_reads_its_one_input() -> None:
    window = Window(height=1, width=1)
    pool = Pool(command=COMMAND, mode=Pooling.MAX, ifm=ROWS, ofm=OTHER, window=window, scale=IDENTITY, activation=INT8)
    assert pool.inputs == (ROWS,)


@pytest.mark.parametrize(
    ("lookup", "bits", "size"), [(Lookup.DIRECT, 8, 256), (Lookup.DIRECT, 32, 1024), (Lookup.INTERPOLATED, 32, 2048)]
)
def test_a_table_has_an_entry_for_every_number_or_for_every_128th(lookup: Lookup, bits: int, size: int) -> None:
    assert Activation(low=-128, high=127, table=0, table_bits=bits, lookup=lookup).table_bytes == size
