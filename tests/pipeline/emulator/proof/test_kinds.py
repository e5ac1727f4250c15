"""What is known of kinds of operators is composed; what is not known is named."""

from pathlib import Path

import pytest

from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.proof.kinds import composed
from tests.pipeline.emulator import single
from tests.pipeline.emulator.proof.against_kernels import table
from tests.pipeline.emulator.proof.described import read
from tests.pipeline.emulator.single import Stored


def test_operators_in_a_row_make_one_table(tmp_path: Path) -> None:
    add = read(single.binary("ADD", Stored(0.05, 3), Stored(0.02, -9), Stored(0.06, 5)), tmp_path)
    tanh = read(single.model("TANH", [Stored(0.06, 5)], Stored(1 / 128, 0), [(256,)] * 2), tmp_path)
    both = composed([add, tanh])
    assert both[3 + 128, 100 + 128] == table(tanh)[int(table(add)[3 + 128, 100 + 128]) + 128]


def test_what_has_no_formula_is_named(tmp_path: Path) -> None:
    softmax = read(single.model("SOFTMAX", [Stored(0.1)], Stored(1 / 256, -128), [(1, 4)] * 2), tmp_path)
    with pytest.raises(NotVerifiedError, match="SOFTMAX output: no formula"):
        table(softmax)
