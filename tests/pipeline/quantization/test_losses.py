"""A line of the table says what quantizing did to the values that were seen."""

import json

import msgspec
import numpy as np
import pytest

from pipeline.quantization import losses
from pipeline.quantization.ranges import Range, Seen, choose
from pipeline.quantization.role_loss import METHODS, RoleLoss
from pipeline.quantization.ties import Tie
from pipeline.tflite.quantization import Quantization

MOVE = Tie(
    name="gru_1/move",
    given=False,
    put_out=False,
    makers=frozenset({"MUL"}),
    readers=frozenset({"ADD"}),
    within=None,
)
VALUES = np.sort(np.random.default_rng(0).normal(0, 1, 50_000).astype(np.float32))


def judge(
    values: np.ndarray[tuple[int], np.dtype[np.float32]], half: float, basis: str = "min_max", bits: int = 8
) -> RoleLoss:
    """Judge a range of -half to half."""
    seen = Seen(low=float(values[0]), high=float(values[-1]), values=values)
    parameters = Quantization.single(2 * half / (2**bits - 1), 0)
    return losses.judge("gru_1/cell", seen, Range(low=-half, high=half, basis=basis), parameters, bits)


@pytest.mark.parametrize("bits", [8, 16])
def test_rounding_alone_makes_the_root_of_a_twelfth(bits: int) -> None:
    loss = judge(VALUES, 6, bits=bits)

    assert loss.rounding_error == pytest.approx(12**-0.5, rel=0.02)
    assert loss.saturated == 0
    assert loss.noise == pytest.approx(loss.rounding_error * loss.scale / VALUES.std(), rel=1e-6)


def test_values_on_the_steps_have_no_error() -> None:
    loss = losses.judge(
        "input",
        Seen(low=-1, high=1, values=np.array([-1, -0.5, 0, 1], np.float32)),
        Range(low=-1, high=1, basis="min_max"),
        Quantization.single(0.5, 7),
        8,
    )

    assert (loss.rounding_error, loss.saturated, loss.noise) == (0, 0, 0)


def test_what_saturates_is_counted_and_costs_its_distance() -> None:
    loss = judge(VALUES, 1)
    clipped = np.clip(VALUES, -1, 1)

    assert loss.saturated == pytest.approx(np.mean(np.abs(VALUES) > 1 + loss.scale / 2), abs=0.005)
    assert loss.rounding_error * loss.scale == pytest.approx(np.sqrt(np.mean((VALUES - clipped) ** 2)), rel=0.02)
    assert not loss.harmless


def test_what_the_function_ignores_is_no_error() -> None:
    loss = judge(VALUES, 1, basis="mse, bounded by its function")

    assert loss.saturated == 0
    assert loss.rounding_error < 0.5
    assert loss.harmless


@pytest.mark.parametrize(
    ("basis", "harmless"), [("min_max", False), ("percentile", False), ("mse", False), ("tanh", True)]
)
def test_saturation_is_harmless_where_the_function_saturates_itself(basis: str, harmless: bool) -> None:  # noqa: FBT001
    assert judge(VALUES, 1, basis=basis).harmless is harmless


def test_values_that_are_all_the_same_have_no_noise() -> None:
    assert judge(np.full(4, 0.3, np.float32), 1).noise == 0


def test_a_line_is_json() -> None:
    line = msgspec.to_builtins(judge(VALUES, 6))

    assert json.loads(json.dumps(line, allow_nan=False)) == line
    assert {"tie", "scale", "zero_point", "seen_low", "seen_high", "rounding_error", "saturated"} <= set(line)


@pytest.mark.parametrize("method", METHODS)
def test_a_chosen_range_is_json_too(method: str) -> None:
    seen = Seen(low=float(VALUES.min()), high=float(VALUES.max()), values=np.sort(VALUES))
    chosen = choose(MOVE, seen, method, 99.9, 8)

    line = msgspec.to_builtins(losses.judge("gru_1/move", seen, chosen, Quantization.single(0.1, 3), 8))

    assert {type(value) for value in line.values()} == {str, int, float}
