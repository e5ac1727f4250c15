"""Each cell's formula, computed by numpy from the weights alone, and how few operations a step takes."""

from collections import Counter
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.deployment import names
from pipeline.deployment.cells import CELLS
from pipeline.deployment.weights import Recurrent
from pipeline.deployment.writer import Tensor, Writer
from tests.pipeline.deployment.networks import load
from tests.pipeline.deployment.test_graph import operators

Values = npt.NDArray[np.float64]
State = Mapping[str, Values]
UNITS, FEATURES = 5, 3
GATES = {"gru": 3, "lstm": 4, "simple_rnn": 1}


def sigmoid(x: Values) -> Values:
    return np.asarray(1 / (1 + np.exp(-x)))


def simple_rnn(product: Values, weights: Recurrent, state: State) -> State:
    return {"hidden": np.tanh(product + state["hidden"] @ weights.recurrent)}


def lstm(product: Values, weights: Recurrent, state: State) -> State:
    forget, into, out, candidate = np.split(product + state["hidden"] @ weights.recurrent, 4, axis=1)
    cell = sigmoid(forget) * state["cell"] + sigmoid(into) * np.tanh(candidate)
    return {"hidden": sigmoid(out) * np.tanh(cell), "cell": cell}


def gru(product: Values, weights: Recurrent, state: State) -> State:
    update_of_x, reset_of_x, candidate_of_x = np.split(product, 3, axis=1)
    update_of_h, reset_of_h, candidate_of_h = np.split(weights.recurrent, 3, axis=1)
    hidden = state["hidden"]
    update, reset = sigmoid(update_of_x + hidden @ update_of_h), sigmoid(reset_of_x + hidden @ reset_of_h)
    if weights.recurrent_bias is None:
        kept = (reset * hidden) @ candidate_of_h
    else:
        kept = reset * (hidden @ candidate_of_h + weights.recurrent_bias[2 * UNITS :])
    return {"hidden": update * hidden + (1 - update) * np.tanh(candidate_of_x + kept)}


FORMULAS: Mapping[str, Callable[[Values, Recurrent, State], State]] = {
    "gru": gru,
    "gru, reset before": gru,
    "lstm": lstm,
    "simple_rnn": simple_rnn,
}


def drawn(kind: str, *, bias: bool = True) -> Recurrent:
    cell = kind.partition(",")[0]
    random = np.random.default_rng(3)
    columns = GATES[cell] * UNITS

    def draw(*shape: int) -> npt.NDArray[np.float32]:
        return random.normal(0, 0.7, shape).astype(np.float32)

    of_state = np.concatenate([np.zeros(2 * UNITS, np.float32), draw(UNITS) * bias]) if kind == "gru" else None
    return Recurrent(
        name=f"{cell}_1",
        cell=cell,
        kernel=draw(FEATURES, columns),
        recurrent=draw(UNITS, columns),
        input_bias=draw(columns),
        recurrent_bias=of_state,
    )


def write(weights: Recurrent, time_steps: int, *, state: bool) -> bytes:
    """Write a layer and nothing else."""
    writer = Writer()
    rows = writer.input("input", (time_steps, FEATURES))
    cell = CELLS[weights.cell](writer, weights)
    into = {role: writer.input(cell.name(role, 0), (1, UNITS)) for role in cell.STATE} if state else None
    product = cell.input_product(rows)
    carried: Mapping[str, Tensor] | None = into
    for step in range(1, time_steps + 1):
        carried = cell.step(step, product, carried)
    assert carried is not None
    return writer.finished({"input": rows, **(into or {})}, carried)


@pytest.mark.parametrize("time_steps", [1, 2, 5])
@pytest.mark.parametrize("state", [False, True], ids=["stateless", "with state"])
@pytest.mark.parametrize("kind", FORMULAS)
def test_a_layer_computes_its_formula(kind: str, state: bool, time_steps: int) -> None:  # noqa: FBT001
    weights, random = drawn(kind), np.random.default_rng(4)
    x = random.normal(0, 1, (time_steps, FEATURES)).astype(np.float32)
    roles = CELLS[weights.cell].STATE
    begin = {role: random.normal(0, 0.5, (1, UNITS)).astype(np.float32) * state for role in roles}

    expected: State = {role: values.astype(np.float64) for role, values in begin.items()}
    for row in x.astype(np.float64):
        expected = FORMULAS[kind](row[np.newaxis] @ weights.kernel + weights.input_bias, weights, expected)

    found = load(write(weights, time_steps, state=state)).interpreter.get_signature_runner()(
        input=x, **(begin if state else {})
    )
    for role, values in expected.items():
        np.testing.assert_allclose(found[role], values, atol=1e-5)


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
    written = operators(write(drawn(kind), 3, state=True))

    counted = Counter(operation for operation, text in written if (name := names.parse(text)) and name.step == 3)
    assert counted == OPERATIONS[kind]


@pytest.mark.parametrize("kind", FORMULAS)
def test_a_first_step_without_state_has_no_recurrent_product(kind: str) -> None:
    roles = {
        name.role
        for _, text in operators(write(drawn(kind), 3, state=False))
        if (name := names.parse(text)) and name.step == 1
    }

    assert not roles & {"recurrent_product", "kept_cell", "distance", "forget_gate", "candidate_product"}


def test_a_first_step_of_a_gru_needs_its_reset_gate_only_for_a_bias() -> None:
    with_bias, without = (
        {text for _, text in operators(write(drawn("gru", bias=bias), 3, state=False))} for bias in (True, False)
    )

    assert "gru_1/reset_product_1" in with_bias
    assert "gru_1/reset_product_1" not in without
    assert "gru_1/reset_product_2" in without


def test_a_cell_without_a_step_is_no_cell() -> None:
    from pipeline.deployment.cells import Cell  # noqa: PLC0415

    with pytest.raises(NotImplementedError):
        Cell(Writer(), drawn("gru")).step(1, Writer().input("input", (1, 1)), None)
