"""LOGISTIC and TANH equal the kernels over every input; where Vela's table is exact and they are not, it is known."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.machine.machine import Machine
from pipeline.emulator.proof import static_checks
from pipeline.emulator.proof.operators.sigmoid_and_tanh import Logistic, Tanh
from pipeline.emulator.proof.static_checks import Findings
from pipeline.emulator.stream.operations import Transfer
from tests.pipeline.emulator import single
from tests.pipeline.emulator.compiled import Compiled, CompileModel
from tests.pipeline.emulator.proof import against_kernels
from tests.pipeline.emulator.proof.against_kernels import EDGES, ZERO_POINTS, some_stored
from tests.pipeline.emulator.proof.described import read
from tests.pipeline.emulator.proof.one_input import (
    SIGMOID,
    TANH,
    check_that_it_differs_as_known,
    failures,
    micro,
    of_one,
)
from tests.pipeline.emulator.single import Stored

FUNCTIONS = {"LOGISTIC": Logistic(), "TANH": Tanh()}


def every_scale(output: Stored) -> Iterator[tuple[Stored, Stored]]:
    random = np.random.default_rng(5)
    inputs = [Stored(scale, ZERO_POINTS[place % 5]) for place, scale in enumerate(EDGES)]
    inputs += [Stored(scale, zero_point) for scale in (1.0, 2.0, 4.0, 7.9, 8.0, 16.0) for zero_point in ZERO_POINTS]
    inputs += [some_stored(random, 1e-4, 1e4) for _ in range(80)]
    for x in inputs:
        yield x, output


@pytest.mark.parametrize(("kind", "output"), [("LOGISTIC", SIGMOID), ("TANH", TANH)])
def test_every_input_of_every_scale(kind: str, output: Stored, tmp_path: Path) -> None:
    against_kernels.of_one_input(kind, every_scale(output), tmp_path)


def test_what_would_overflow_in_the_kernel_is_not_guessed(tmp_path: Path) -> None:
    operator = read(single.model("TANH", [Stored(2.0**-29)], TANH, [(256,)] * 2), tmp_path)
    with pytest.raises(NotVerifiedError, match=r"TANH output: .* 32 bits, and .* depends on its C\+\+ compiler"):
        against_kernels.table(operator)


def test_a_table_is_within_one_of_the_real_function_and_flat_far_out(tmp_path: Path) -> None:
    x = Stored(0.09, -11)
    real = (np.arange(-128, 128) - x.zero_point) * x.scale

    sigmoid = Logistic().table(read(of_one("LOGISTIC", x, SIGMOID), tmp_path))
    tanh = Tanh().table(read(of_one("TANH", x, TANH), tmp_path))

    assert np.abs(sigmoid - np.clip(256 / (1 + np.exp(-real)) - 128, -128, 127)).max() < 1
    assert np.abs(tanh - np.clip(128 * np.tanh(real), -128, 127)).max() < 1
    assert (sigmoid[0], sigmoid[-1], tanh[0], tanh[-1]) == (-128, 127, -128, 127)


CUT = "TensorFlow Lite Micro cuts {} from an input scale of {} on, where Vela's table is exact"
FIXED = "TensorFlow Lite Micro computes {} in fixed point, where Vela's table is exact"
ONE_INPUT = [
    (("LOGISTIC", Stored(8.0, -3), SIGMOID), ("128 at 1 of 256 inputs", CUT.format("LOGISTIC", 2), 1)),
    (("LOGISTIC", Stored(12.35, 5), SIGMOID), ("128 at 1 of 256 inputs", CUT.format("LOGISTIC", 2), 1)),
    (("LOGISTIC", Stored(4.3, 5), SIGMOID), ("at most 3 at 2 of 256 inputs", CUT.format("LOGISTIC", 2), 2)),
    (("TANH", Stored(16.0, 0), TANH), ("128 at 1 of 256 inputs", CUT.format("TANH", 8), 1)),
    (("TANH", Stored(2.0**-8, 0), TANH), ("at most 1 at 2 of 256 inputs", FIXED.format("TANH"), 2)),
]
"""Kind, input and output; what differs, why, and how many of these can come up."""


@pytest.mark.parametrize(
    ("accelerator", "operator", "sentence"),
    [("ethos-u55-128", *case) for case in ONE_INPUT] + [("ethos-u85-256", *case) for case in ONE_INPUT[::4]],
)
def test_what_differs_is_known_and_said(
    compile_model: CompileModel, accelerator: str, operator: tuple[str, Stored, Stored], sentence: tuple[str, str, int]
) -> None:
    check_that_it_differs_as_known(compile_model, accelerator, operator, sentence)


@pytest.mark.parametrize(("kind", "output"), [("LOGISTIC", SIGMOID), ("TANH", TANH)])
def test_nothing_is_said_where_nothing_differs(compile_model: CompileModel, kind: str, output: Stored) -> None:
    found = compile_model(of_one(kind, Stored(0.09, 7), output)).check()

    assert not failures(found)
    assert (found.known, found.warnings) == ((), ())


class Table:
    """The entries of the one table that a compiled operator looks up, of which some may be changed."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        transfer = next(each for each in compiled.machine.planned if isinstance(each.operation, Transfer))
        self.start = transfer.reads[0].start
        self.constants = bytearray(compiled.program.constants)
        self.entries = np.frombuffer(self.constants, np.int8, 256, self.start)

    def check(self) -> Findings:
        program = replace(self.compiled.program, constants=bytes(self.constants))
        return static_checks.check(Machine(program), self.compiled.model, self.compiled.origins)


@pytest.mark.parametrize("scale", [12.35, 4.3, 0.09])
def test_any_entry_that_is_changed_is_a_failure_that_names_it_alone(compile_model: CompileModel, scale: float) -> None:
    x = Stored(scale, 5)
    compiled, expected = compile_model(of_one("LOGISTIC", x, SIGMOID)), micro("LOGISTIC", x, SIGMOID)
    for place in (0, 100, 132, 133, 134, 255):  # the zero point is at 133
        for by in (-1, 1, 64):
            table = Table(compiled)
            changed = int(table.entries[place]) + by
            if not -128 <= changed <= 127:
                continue
            table.entries[place] = changed

            (failure,) = failures(table.check())

            sentence = f"of {place - 128} it makes {changed} instead of {expected[place]}; 1 of 256 differ"
            assert failure.endswith(sentence)


def test_a_table_that_is_already_micros_is_no_difference(compile_model: CompileModel) -> None:
    x = Stored(12.35, 5)
    table = Table(compile_model(of_one("LOGISTIC", x, SIGMOID)))
    table.entries[:] = micro("LOGISTIC", x, SIGMOID)

    found = table.check()

    assert not failures(found)
    assert (found.known, found.warnings) == ((), ())


def test_a_table_for_another_output_scale_is_not_known(compile_model: CompileModel) -> None:
    """TensorFlow Lite Micro has 1/128 in its kernel whatever the model says; Vela has what the model says."""
    found = compile_model(of_one("TANH", Stored(0.05), Stored(1 / 64))).check()

    (failure,) = failures(found)
    assert failure.startswith("TANH output")


@pytest.mark.parametrize(("kind", "output"), [("LOGISTIC", SIGMOID), ("TANH", TANH)])
def test_fixed_point_is_off_by_one_of_small_scales_and_by_more_of_large_ones(
    kind: str, output: Stored, tmp_path: Path
) -> None:
    """How far a kernel is from the real function: what README and rules say of it."""
    function = FUNCTIONS[kind]
    for scale in np.exp(np.linspace(np.log(1e-4), np.log(1e4), 300)):
        operator = read(of_one(kind, Stored(float(scale), 5), output), tmp_path)
        distance = np.abs(np.clip(function.exact(operator), -128, 127) - function.table(operator))
        assert (distance.max() < 0.5001) if scale < function.CUT_FROM else (distance.max() <= 128)
        assert (distance.max() == 128) == (scale >= 8)
