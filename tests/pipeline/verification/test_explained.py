"""Samples of features that nobody scaled differ: TensorFlow Lite Micro cuts its sigmoid, and Vela does not."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from pipeline.emulator.machine.machine import Machine
from pipeline.emulator.proof import source, static_checks
from pipeline.emulator.stream import debug_database, program
from pipeline.emulator.stream.operations import Transfer
from pipeline.npu import compiler
from pipeline.npu.section import Target
from pipeline.quantization import tied
from pipeline.runtime import emulated, litert
from pipeline.runtime.litert import Stored
from pipeline.verification import comparing
from pipeline.verification.comparing import Outputs
from pipeline.verification.differing import Compiled
from tests.pipeline.networks import FEATURES, Array, Network, choose

pytest.importorskip("tflite_micro", reason="there is no package of it for this machine")

STEPS, SAMPLES = 3, 100
COUNTS = {"between 2 and 8": (200, 300), "8 and more": (500, 800)}
"""The input scale of the first step's sigmoid, and the lowest and highest count of the sensor that makes it so."""
ENTRIES, OF_ZERO = 256, 128
"""Of a table for 8 bits."""
CUT = "TensorFlow Lite Micro cuts LOGISTIC from an input scale of 2 on, where Vela's table is exact"


@pytest.fixture(scope="module", params=list(COUNTS.values()), ids=list(COUNTS))
def raw(request: pytest.FixtureRequest) -> Array:
    low, high = request.param
    return np.random.default_rng(3).uniform(low, high, (SAMPLES, STEPS, FEATURES)).astype(np.float32)


@pytest.fixture(scope="module")
def quantized(raw: Array, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a GRU of which the first step's sigmoids see counts as they are."""
    path = tmp_path_factory.mktemp("raw") / "quantized.tflite"
    model, graph = Network("gru", seed=4, units=16).lower(STEPS)
    path.write_bytes(tied.quantize(model, graph.ties, choose((model, graph), raw), 8))
    return path


@pytest.fixture(scope="module")
def path(quantized: Path, target: Mapping[str, Any]) -> Path:
    """Return the compiled file, beside its debug database."""
    return compiler.compile_model(
        quantized, quantized.parent / "out", msgspec.convert(target, Target), debug_database.ARGUMENT
    )[0]


@pytest.fixture(scope="module")
def compiled(quantized: Path, path: Path) -> Compiled:
    machine = Machine(program.load(path))
    return Compiled(quantized=quantized, machine=machine, checked=checked(machine, quantized, path))


def checked(machine: Machine, quantized: Path, path: Path) -> static_checks.Findings:
    origins = debug_database.read(debug_database.beside(path))
    return static_checks.check(machine, source.load(quantized), origins)


@pytest.fixture(scope="module")
def expected(compiled: Compiled, raw: Array) -> Mapping[str, Stored]:
    """Return the bytes of TensorFlow Lite Micro."""
    from pipeline.runtime.micro import MicroModel  # noqa: PLC0415 - a machine may have none

    return litert.run_chunk(MicroModel(compiled.quantized), raw, reset=True)


def explained(compiled: Compiled, raw: Array, expected: Mapping[str, Stored]) -> str | None:
    """Say why samples differ from these bytes, all of them looked at."""
    outputs = Outputs(
        found={},
        expected=expected,
        what="sample",
        rerun=lambda differ, other: emulated.outputs(compiled.quantized, other, raw[differ], lambda _: None),
        first_operation=lambda _: None,
    )
    return comparing.explained(compiled, outputs, np.ones(len(raw), bool))


def test_samples_differ_and_it_is_proved_why(compiled: Compiled, raw: Array, expected: Mapping[str, Stored]) -> None:
    assert not any(check.failed for check in compiled.checked.checks)
    (warning,) = [sentence for sentence in compiled.checked.warnings if sentence.startswith("LOGISTIC")]
    assert CUT in warning

    found = emulated.outputs(compiled.quantized, compiled.machine, raw, lambda _: None)

    differ = comparing.samples_that_differ(found, expected)
    assert 0 < differ.sum() < SAMPLES
    reason = explained(compiled, raw, expected)
    assert reason is not None
    assert CUT in reason


def test_one_byte_that_the_known_differences_do_not_make_equal_is_not_explained(
    compiled: Compiled, raw: Array, expected: Mapping[str, Stored]
) -> None:
    wrong = expected["output"].copy()
    wrong[5, 1] ^= 1

    assert explained(compiled, raw, {**expected, "output": wrong}) is None


def test_one_altered_entry_of_any_table_is_a_failure_beside_the_known_ones(
    compiled: Compiled, quantized: Path, path: Path
) -> None:
    program = compiled.machine.program
    transfers = [planned for planned in compiled.machine.planned if isinstance(planned.operation, Transfer)]
    tables = {read.start for planned in transfers for read in planned.reads if read.stop - read.start == ENTRIES}
    assert len(tables) >= 3  # the first step's sigmoid, that of the other steps, a tanh
    for start in tables:
        constants = bytearray(program.constants)
        constants[start + OF_ZERO] ^= 4  # of others, nothing may come up that they are for

        found = checked(Machine(replace(program, constants=bytes(constants))), quantized, path)

        (failure,) = [check for check in found.checks if check.failed]
        assert failure.first is not None
        assert "instead of" in failure.first
