"""Each cell's formula against the file that is written of it, and how few operations a step takes."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline.lowering.lower import lower
from pipeline.network.graph import Network
from pipeline.network.layers.gru import GRU
from pipeline.network.recurrent import Recurrent
from pipeline.network.values import Value
from pipeline.tflite.roles import Graph
from tests.pipeline.networks import drawn as with_weights
from tests.pipeline.networks import load, made

UNITS, FEATURES = 4, 6
KINDS = ("gru", "gru, reset before", "lstm", "simple_rnn")


def drawn(kind: str, *, bias: bool = True) -> Recurrent:
    """Return a recurrent layer alone."""
    layer = made(kind.partition(",")[0], reset_after="before" not in kind).network.layers[0]
    redrawn = with_weights(layer, np.random.default_rng(3), bias=bias)
    assert isinstance(redrawn, Recurrent)
    return redrawn


def write(layer: Recurrent, time_steps: int, *, state: bool) -> tuple[bytes, Graph]:
    """Write a layer and nothing else."""
    network = Network((Value("input", (FEATURES,), 8),), (layer,), (layer.output,))
    return lower(network, time_steps, state=state)


@pytest.mark.parametrize("time_steps", [1, 2, 5])
@pytest.mark.parametrize("state", [False, True], ids=["stateless", "with state"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_computes_its_formula(kind: str, state: bool, time_steps: int) -> None:  # noqa: FBT001
    layer, random = drawn(kind), np.random.default_rng(4)
    x = random.normal(0, 1, (1, time_steps, FEATURES)).astype(np.float32)
    begin = {each.role: random.normal(0, 0.5, (1, UNITS)).astype(np.float32) * state for each in layer.STATE}

    output, after = layer.run([x.astype(np.float64)], {role: given.astype(np.float64) for role, given in begin.items()})

    given: dict[str, Any] = {f"{layer.name}_{role}": values for role, values in begin.items()} if state else {}
    computed = load(write(layer, time_steps, state=state)[0]).interpreter.get_signature_runner()(input=x, **given)
    np.testing.assert_allclose(computed[layer.output], output, atol=1e-5)
    for role, values in after.items() if state else ():
        np.testing.assert_allclose(computed[f"{layer.name}_{role}"], values, atol=1e-5)


OPERATIONS: Mapping[str, Mapping[str, int]] = {
    "gru": {"FULLY_CONNECTED": 1, "STRIDED_SLICE": 6, "ADD": 3, "SUB": 1, "MUL": 2, "LOGISTIC": 1, "TANH": 1},
    "gru, reset before": {
        "FULLY_CONNECTED": 2,
        "STRIDED_SLICE": 4,
        "ADD": 3,
        "SUB": 1,
        "MUL": 2,
        "LOGISTIC": 1,
        "TANH": 1,
    },
    "lstm": {"FULLY_CONNECTED": 1, "STRIDED_SLICE": 7, "ADD": 3, "MUL": 3, "LOGISTIC": 1, "TANH": 2},
    "simple_rnn": {"FULLY_CONNECTED": 1, "STRIDED_SLICE": 1, "ADD": 1, "TANH": 1},
}
"""What a step may cost: one product, one sigmoid over all gates; another decomposition must not take more passes."""


@pytest.mark.parametrize("kind", OPERATIONS)
def test_a_step_takes_no_more_passes_over_the_data_than_it_has_to(kind: str) -> None:
    _, graph = write(drawn(kind), 3, state=True)

    counted = Counter(tensor.operation for tensor in graph.tensors if tensor.step == 3)
    assert counted == OPERATIONS[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_a_first_step_without_state_has_no_recurrent_product(kind: str) -> None:
    _, graph = write(drawn(kind), 3, state=False)

    roles = {tensor.role for tensor in graph.tensors if tensor.step == 1}

    assert not roles & {"recurrent_product", "kept_cell", "distance", "forget_gate", "candidate_product"}


def test_a_first_step_of_a_gru_needs_its_reset_gate_only_for_a_bias() -> None:
    with_bias, without = (set(write(drawn("gru", bias=bias), 3, state=False)[1].ties) for bias in (True, False))

    assert "gru_1/reset_product_1" in with_bias
    assert "gru_1/reset_product_1" not in without
    assert "gru_1/reset_product_2" in without


def test_only_the_last_step_is_put_out_unless_sequences_are_asked_for() -> None:
    layer = drawn("gru")
    assert isinstance(layer, GRU)
    last, all_steps = (
        load(write(replace(layer, return_sequences=sequences), 3, state=False)[0]) for sequences in (False, True)
    )

    assert [port.shape for port in last.outputs.values()] == [(1, UNITS)]
    assert [port.shape for port in all_steps.outputs.values()] == [(3, UNITS)]
