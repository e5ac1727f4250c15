"""Multipliers are the kernel's, commands make the operator whole, and a table behind it is counted."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from pipeline.emulator.proof import dataflow, gemmlowp, known_differences
from pipeline.emulator.proof.known_differences import recognised
from pipeline.emulator.proof.operators import fully_connected
from pipeline.emulator.proof.operators.sigmoid_and_tanh import Logistic
from pipeline.emulator.stream.operations import Convolution
from tests.pipeline.emulator import single
from tests.pipeline.emulator.compiled import Compile, CompileModel
from tests.pipeline.emulator.proof.described import read
from tests.pipeline.emulator.proof.one_input import SIGMOID, of_one
from tests.pipeline.emulator.single import Stored
from tests.pipeline.networks import Network, made


@pytest.mark.parametrize("scales", [[0.004], [0.01, 0.003, 0.0007, 0.00013]])
def test_a_fully_connected_layer_of_the_multipliers_equals_the_kernels(scales: list[float], tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    weights = random.integers(-127, 128, (4, 9)).astype(np.int8)
    bias = random.integers(-9000, 9000, 4).astype(np.int32)
    options: Any = schema.FullyConnectedOptionsT()
    x, output = Stored(0.02, 7), Stored(0.031, -9)
    stored = [x, Stored(0, 0, weights, scales), Stored(0, 0, bias, [0.02 * scale for scale in scales])]
    content = single.model("FULLY_CONNECTED", stored, output, [(64, 9), (4, 9), (4,), (64, 4)], options)
    given = random.integers(-128, 128, (64, 9)).astype(np.int8)
    total = (given.astype(np.int64) - 7) @ weights.T.astype(np.int64) + bias
    multipliers = fully_connected.multipliers(read(content, tmp_path))
    found = np.stack([gemmlowp.multiply(total[:, c], by) for c, by in enumerate(multipliers)], axis=-1) - 9
    assert np.array_equal(np.clip(found, -128, 127), single.run(content, given))


def test_the_parts_of_a_product_make_it_whole(compile_network: Compile) -> None:
    compiled = compile_network(Network("gru", units=160), 1, "ethos-u65-256", "Dedicated_Sram")

    flow = dataflow.follow(compiled.machine, compiled.model, compiled.origins)

    channels: dict[int, list[int]] = {}
    parts = Counter(match.operators[0].index for match in flow.matches if match.channels.start)
    for match in flow.matches:
        if isinstance(match.planned.operation, Convolution):
            first = match.operators[0]
            whole = range(first.outputs[0].shape[-1])
            channels.setdefault(first.index, []).extend(whole[match.channels])
    assert parts, "no product is in parts"
    for index, found in channels.items():
        assert found == list(range(compiled.model.operators[index].outputs[0].shape[-1]))


def test_a_table_fused_behind_a_product_is_counted_by_its_entries(
    compile_model: CompileModel, compile_network: Compile
) -> None:
    compiled = compile_network(made("gru"), 2)
    matches = dataflow.follow(compiled.machine, compiled.model, compiled.origins).matches
    match = next(each for each in matches if isinstance(each.planned.operation, Convolution))
    sigmoid = compile_model(of_one("LOGISTIC", Stored(12.35, 5), SIGMOID)).model.operators[0]
    exact = np.clip(np.rint(Logistic().exact(sigmoid)), -128, 127).astype(np.int8)
    fused = replace(match, operators=(match.operators[0], sigmoid), planned=replace(match.planned, lookup=exact))

    (difference,) = recognised([fused])

    lookup = difference.substitution.lookup
    assert lookup is not None
    assert np.array_equal(lookup, Logistic().table(sigmoid))
    as_micro = replace(fused, planned=replace(fused.planned, lookup=lookup))
    (sentence,) = known_differences.sentences([difference], [as_micro], compiled.model)
    assert "by 128 at 1 of 256 entries of its table, because" in sentence
