"""Tables of 16 bits, against TensorFlow Lite Micro and the tables that Vela writes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.machine.lookup import built_in, look_up
from pipeline.emulator.stream.operations import Lookup
from tests.pipeline.emulator.against_micro import Vela, machine, unlike


@pytest.mark.parametrize(
    "target",
    [
        ("ethos-u55-128", "Ethos_U55_High_End_Embedded", "Shared_Sram"),
        pytest.param(("ethos-u65-512", "Ethos_U65_High_End", "Dedicated_Sram"), marks=pytest.mark.slow),
        ("ethos-u85-256", "Ethos_U85_SYS_DRAM_Mid", "Sram_Only"),
    ],
    ids=" ".join,
)
def test_a_model_of_16_bits_has_the_bytes_of_tensorflow_lite_micro(
    models: Path, vela_once: Vela, target: tuple[str, str, str]
) -> None:
    compiled = machine(vela_once, "sixteen", *target)

    how = {planned.operation.activation.lookup for planned in compiled.planned if planned.lookup is not None}  # type: ignore[union-attr] # transfers look nothing up
    assert how == {Lookup.SIGMOID, Lookup.TANH, Lookup.INTERPOLATED}
    assert unlike(models / "sixteen.tflite", compiled) == 0


def test_the_table_built_into_u55_and_u65_is_the_one_that_the_u85_is_given(vela_once: Vela) -> None:
    compiled = machine(vela_once, "sixteen", "ethos-u85-256", "Ethos_U85_SYS_DRAM_Mid", "Sram_Only")
    given = [
        planned.lookup
        for planned in compiled.planned
        if planned.lookup is not None and planned.operation.activation.lookup in {Lookup.SIGMOID, Lookup.TANH}  # type: ignore[union-attr] # as above
    ]

    assert len(given) == 2
    for table in given:
        assert table[1:].tolist() == built_in()[1:].tolist()  # the first is beyond what we look up


@pytest.mark.parametrize(
    ("how", "function"), [(Lookup.SIGMOID, lambda x: 1 / (1 + np.exp(-x))), (Lookup.TANH, np.tanh)]
)
def test_sigmoid_and_tanh_are_close_to_the_real_ones(how: Lookup, function: Callable[[Any], Any]) -> None:
    units = np.arange(-65_000, 65_001)

    found = look_up(how, units, built_in(), signed=True)

    assert np.abs(found / 2**15 - function(units / 12_288)).max() < 2**-14


@pytest.mark.parametrize(("how", "most"), [(Lookup.SIGMOID, 130_559), (Lookup.TANH, 65_279)])
def test_beyond_the_table_nothing_is_guessed(how: Lookup, most: int) -> None:
    look_up(how, np.array([most, -most]), built_in(), signed=True)
    for beyond in (most + 1, -most - 1):
        with pytest.raises(NotVerifiedError, match=f"a {how.value} of a number beyond it"):
            look_up(how, np.array([0, beyond]), built_in(), signed=True)


def test_a_table_has_no_entry_for_what_was_not_cut() -> None:
    with pytest.raises(NotVerifiedError, match="a table of a number beyond it"):
        look_up(Lookup.DIRECT, np.array([0, -129]), np.zeros(256, np.int8), signed=True)


def test_between_two_entries_lies_a_line() -> None:
    table = np.zeros(512, np.int32)
    table[256], table[255] = 100 & 0xFFFF | 64 << 16, -50 & 0xFFFF | -(128 << 16)

    found = look_up(Lookup.INTERPOLATED, np.array([0, 1, 64, 127, -128, -127, -1]), table, signed=True)

    assert found.tolist() == [100, 101, 132, 164, -50, -51, -177]
