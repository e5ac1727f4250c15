"""A multiplier that Vela computed in single precision is known, to the last bit; any other is none."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from pipeline.emulator.machine.machine import Machine
from pipeline.emulator.proof import dataflow, known_differences
from pipeline.emulator.proof.known_differences import recognised
from pipeline.emulator.proof.matches import Match
from pipeline.emulator.stream.operations import Binary, Elementwise, Substitution
from tests.pipeline.emulator import single
from tests.pipeline.emulator.compiled import Compile, CompileModel
from tests.pipeline.emulator.proof.one_input import check_that_it_differs_as_known, failures
from tests.pipeline.emulator.single import EVERY, Stored
from tests.pipeline.networks import Network

ROUNDED = (Stored(0.014084975509844373, -65), Stored(0.006142901224091169, 33), Stored(0.0097229385004649, 125))
"""A product whose multiplier rounds to another one in single precision."""
RELU = ("RELU", Stored(2166.7759049636534, 0), Stored(456.1633484134007, -127))
SINGLE = "Vela rounds multipliers of {} to single precision"


@pytest.mark.parametrize("accelerator", ["ethos-u55-128", "ethos-u85-256"])
def test_the_rounding_of_a_relus_multiplier_is_known_and_said(compile_model: CompileModel, accelerator: str) -> None:
    sentence = "at most 1 at 13 of 256 inputs", SINGLE.format("RELU"), 13
    check_that_it_differs_as_known(compile_model, accelerator, RELU, sentence)


def test_the_rounding_of_a_multiplier_is_a_warning_and_no_failure(compile_model: CompileModel) -> None:
    compiled = compile_model(single.model("MUL", ROUNDED[:2], ROUNDED[2], [(1, 64)] * 3, schema.MulOptionsT()))

    found = compiled.check()

    assert not failures(found)
    (warning,) = found.warnings
    assert warning == (
        "MUL output: the NPU differs from TensorFlow Lite Micro by at most 1 at 5 of 65,536 input pairs, because"
        " Vela rounds multipliers of MUL to single precision; 5 of these pairs can come up"
    )
    a, b = (pairs.reshape(-1, 1, 64) for pairs in np.meshgrid(EVERY, EVERY, indexing="ij"))
    kernels = single.pairs(single.binary("MUL", *ROUNDED))
    emulated = compiled.machine.run({"input_0": a, "input_1": b})["output"].reshape(256, 256)
    assert (emulated != kernels).sum() == 5
    substituted = Machine(compiled.program, known_differences.substitutions(found.known))
    assert np.array_equal(substituted.run({"input_0": a, "input_1": b})["output"].reshape(256, 256), kernels)


@pytest.fixture(scope="module")
def products(compile_network: Compile) -> Mapping[int, Match]:
    """Return every MUL of a network of 16 bits by its offset."""
    compiled = compile_network(Network("gru", units=13), 2, bits=16)
    flow = dataflow.follow(compiled.machine, compiled.model, compiled.origins)
    return {
        match.planned.command.offset: match
        for match in flow.matches
        if isinstance(match.planned.operation, Binary) and match.planned.operation.mode is Elementwise.MUL
    }


def product(match: Match) -> Binary:
    assert isinstance(match.planned.operation, Binary)
    return match.planned.operation


def scales(differences: Sequence[known_differences.KnownDifference]) -> Mapping[int, Substitution]:
    return known_differences.substitutions(differences)


def test_double_precision_is_close_by_and_not_the_same(products: Mapping[int, Match]) -> None:
    found = scales(recognised(products.values()))

    assert found
    for offset, substitution in found.items():
        single, double = product(products[offset]).scale, substitution.scale
        assert double is not None
        assert single.shift == double.shift
        assert 0 < abs(single.multiplier - double.multiplier) < 2**8


def test_a_multiplier_that_is_neither_is_left_to_the_samples(products: Mapping[int, Match]) -> None:
    offset = next(iter(scales(recognised(products.values()))))
    match = products[offset]
    operation = product(match)
    wrong = replace(operation, scale=replace(operation.scale, multiplier=operation.scale.multiplier ^ 1))

    assert not recognised([replace(match, planned=replace(match.planned, operation=wrong))])
