"""MUL's multiplier in single and in double precision."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from pipeline.npu.stream import dataflow
from pipeline.npu.stream.arithmetic import Scale
from pipeline.npu.stream.matches import Match
from pipeline.npu.stream.multipliers import in_double_precision
from pipeline.npu.stream.operations import Binary, Elementwise
from tests.pipeline.networks import Network
from tests.pipeline.npu.stream.compiled import Compile


@pytest.fixture(scope="module")
def matches(compile_network: Compile) -> Mapping[int, Match]:
    """Return every MUL of a network of 16 bits by its offset."""
    compiled = compile_network(Network("gru", units=13), 2, bits=16)
    flow = dataflow.follow(compiled.machine, compiled.model, compiled.origins)
    return {
        match.planned.command.offset: match
        for match in flow.matches
        if isinstance(match.planned.operation, Binary) and match.planned.operation.mode is Elementwise.MUL
    }


def scale(match: Match) -> Scale:
    assert isinstance(match.planned.operation, Binary)
    return match.planned.operation.scale


def test_double_precision_is_close_by_and_not_the_same(matches: Mapping[int, Match]) -> None:
    found = in_double_precision(matches.values())

    assert found
    for offset, double in found.items():
        single = scale(matches[offset])
        assert single.shift == double.shift
        assert 0 < abs(single.multiplier - double.multiplier) < 2**8


def test_a_multiplier_that_is_neither_is_left_to_the_samples(matches: Mapping[int, Match]) -> None:
    offset = next(iter(in_double_precision(matches.values())))
    match = matches[offset]
    operation = match.planned.operation
    assert isinstance(operation, Binary)
    wrong = replace(operation, scale=replace(operation.scale, multiplier=operation.scale.multiplier ^ 1))

    assert not in_double_precision([replace(match, planned=replace(match.planned, operation=wrong))])
