"""Ranges: fixed by a function, bounded by one, or chosen from what was seen; none is made up."""

import math

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.deployment import ranges
from pipeline.deployment.ranges import RangeError, Seen
from pipeline.deployment.rung import METHODS
from pipeline.errors import UnrollError
from tests.pipeline.deployment.networks import choose, made, readers


def seen(values: npt.ArrayLike) -> Seen:
    ordered = np.sort(np.asarray(values, np.float32).ravel())
    return Seen(low=float(ordered.min()), high=float(ordered.max()), values=ordered)


def drawn(shape: str, seed: int = 0) -> Seen:
    random = np.random.default_rng(seed)
    return seen(
        {
            "normal": random.normal(0, 1, 20_000),
            "heavy tails": random.standard_t(2, 20_000),
            "one far off": np.append(random.normal(0, 1, 20_000), 1000),
            "uniform": random.uniform(-3, 1, 20_000),
            "positive": random.exponential(2, 20_000),
            "negative": -random.exponential(2, 20_000),
            "few": random.normal(0, 1, 3),
        }[shape]
    )


SHAPES = ("normal", "heavy tails", "one far off", "uniform", "positive", "negative", "few")


def squared_error(values: npt.NDArray[np.float32], low: float, high: float, bits: int) -> float:
    """Quantize with 2^bits - 1 steps between low and high, and return the mean squared error."""
    scale = (high - low) / (2**bits - 1)
    stored = np.clip(np.round((values.astype(np.float64) - low) / scale), 0, 2**bits - 1)
    return float(np.mean((stored * scale + low - values) ** 2))


def measure(values: npt.NDArray[np.float32], low: float, high: float, bits: int) -> float:
    """Return the mean squared error as the choice takes it: even rounding within, the distance to the edge beyond."""
    beyond = values.astype(np.float64) - np.clip(values, low, high)
    within = ((high - low) / (2**bits - 1)) ** 2 / 12
    return float(np.mean(np.where(beyond == 0, within, beyond**2)))


def parameters(low: float, high: float, bits: int) -> tuple[float, float]:
    """Return scale and zero point of a range."""
    scale = (high - low) / (2**bits - 1)
    return scale, -(2 ** (bits - 1)) - low / scale


@pytest.mark.parametrize(
    ("role", "scale", "zero_point"),
    [
        ("gates", 1 / 256, -128),
        ("output", 1 / 256, -128),
        ("hidden", 1 / 128, 0),
        ("candidate", 1 / 128, 0),
        ("cell_tanh", 1 / 128, 0),
    ],
)
def test_in_int8_a_function_fixes_the_range_of_what_it_returns(role: str, scale: float, zero_point: int) -> None:
    fixed = ranges.fixed(role, 8)

    assert fixed is not None
    assert parameters(fixed.low, fixed.high, 8) == (scale, zero_point)


@pytest.mark.parametrize("role", ["gates", "output", "hidden", "candidate", "cell_tanh"])
def test_in_int16_the_scale_of_a_functions_output_is_two_to_the_minus_15(role: str) -> None:
    fixed = ranges.fixed(role, 16)

    assert fixed is not None
    assert max(-fixed.low, fixed.high) / 32767 == 2.0**-15


@pytest.mark.parametrize("role", ["input", "recurrent_product", "gate_sum", "cell", "distance", "logits", "move"])
def test_other_roles_have_no_fixed_range(role: str) -> None:
    assert ranges.fixed(role, 8) is ranges.fixed(role, 16) is None


def test_what_a_function_fixes_is_chosen_whatever_was_seen() -> None:
    for values in ([0.0], [-5.0, 99.0], [float("nan")]):
        chosen = ranges.choose("gru_1/hidden", seen(values), "min_max", 99.9, 8)
        assert (chosen.low, chosen.high, chosen.basis) == (-1.0, 127 / 128, "tanh")


@pytest.mark.parametrize(
    ("role", "bits", "limit"), [("gate_sum", 8, 5.541), ("candidate_sum", 8, 3.118), ("sum", 8, 3.118)]
)
def test_what_only_a_function_reads_is_bounded_where_the_function_ends(role: str, bits: int, limit: float) -> None:
    chosen = ranges.choose(f"gru_1/{role}", seen([-100, 0.5, 200]), "min_max", 99.9, bits)

    assert [chosen.low, chosen.high] == pytest.approx([-limit, limit], abs=1e-3)
    assert chosen.basis == "min_max, bounded by its function"


@pytest.mark.parametrize("bits", [8, 16])
def test_beyond_a_bound_a_function_returns_what_it_returns_at_the_bound(bits: int) -> None:
    sigmoid, tanh = ranges.sigmoid_bound(bits), ranges.tanh_bound(bits)

    assert 1 / (1 + math.exp(sigmoid)) == pytest.approx(2.0**-8 if bits == 8 else 2.0**-15)
    step = 2.0 ** (1 - bits)
    assert round(math.tanh(tanh) / step) == round(1 / step)
    assert math.tanh(tanh) == pytest.approx(1 - step / 2)


@pytest.mark.parametrize("role", ["input_product", "recurrent_product", "cell", "logits", "distance"])
def test_what_others_read_too_is_not_bounded(role: str) -> None:
    chosen = ranges.choose(f"gru_1/{role}", seen([-100, 200]), "min_max", 99.9, 8)

    assert (chosen.low, chosen.high, chosen.basis) == (-100, 200, "min_max")


def test_a_bound_does_not_widen_a_narrow_range() -> None:
    chosen = ranges.choose("gru_1/gate_sum", seen([-0.5, 1.5]), "min_max", 99.9, 8)

    assert (chosen.low, chosen.high, chosen.basis) == (-0.5, 1.5, "min_max")


@pytest.mark.parametrize("shape", SHAPES)
def test_min_max_is_all_that_was_seen_and_zero(shape: str) -> None:
    values = drawn(shape)

    chosen = ranges.choose("gru_1/cell", values, "min_max", 99.9, 8)

    assert (chosen.low, chosen.high) == (min(values.low, 0), max(values.high, 0))


@pytest.mark.parametrize("percentile", [90.0, 99.0, 99.9])
@pytest.mark.parametrize("shape", ["normal", "heavy tails", "one far off", "uniform"])
def test_a_percentile_keeps_its_share_within(shape: str, percentile: float) -> None:
    values = drawn(shape)

    chosen = ranges.choose("gru_1/cell", values, "percentile", percentile, 8)

    within = np.mean((values.values >= chosen.low) & (values.values <= chosen.high))
    assert 100 * within == pytest.approx(percentile, abs=0.05)
    assert chosen.basis == "percentile"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", SHAPES)
def test_zero_can_always_be_stored(shape: str, method: str) -> None:
    chosen = ranges.choose("gru_1/cell", drawn(shape), method, 60.0, 8)

    assert chosen.low <= 0 <= chosen.high
    assert chosen.low < chosen.high


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_least_squares_are_never_worse_than_all_that_was_seen(shape: str, bits: int) -> None:
    values = drawn(shape)
    whole, least = (ranges.choose("gru_1/cell", values, method, 99.9, bits) for method in ("min_max", "mse"))

    for mean, slack in (
        (measure, 1e-6),
        (squared_error, 0.05),
    ):  # what is rounded is not quite even, as it is taken to be
        error, most = (mean(values.values, chosen.low, chosen.high, bits) for chosen in (least, whole))
        assert error <= most * (1 + slack)
    assert whole.low <= least.low <= least.high <= whole.high


def test_in_int8_the_least_squares_give_up_rare_values_for_finer_steps() -> None:
    values = seen(np.random.default_rng(0).normal(0, 1, 400_000))
    whole, least = (ranges.choose("gru_1/cell", values, method, 99.9, 8) for method in ("min_max", "mse"))

    error, most = (squared_error(values.values, chosen.low, chosen.high, 8) for chosen in (least, whole))

    assert error < 0.85 * most
    assert 3.5 < least.high < 4.3, "the optimum of 255 steps over a normal distribution is near 4 standard deviations"


@pytest.mark.parametrize("method", METHODS)
def test_the_input_is_taken_whole(method: str) -> None:
    chosen = ranges.choose("input", drawn("one far off"), method, 60.0, 8)

    assert (chosen.high, chosen.basis) == (1000, "min_max")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_a_number_is_an_error_that_names_the_role(value: float) -> None:
    with pytest.raises(RangeError) as caught:
        ranges.choose("lstm_2/cell", seen([-1, value, 1]), "mse", 99.9, 8)

    said = str(caught.value)
    assert said.startswith("lstm_2/cell was ")
    assert said.endswith("on the representative samples: check the data for NaN and infinity")


@pytest.mark.parametrize("method", METHODS)
def test_nothing_but_zero_is_an_error_that_names_the_role_and_the_remedy(method: str) -> None:
    with pytest.raises(RangeError) as caught:
        ranges.choose("gru_1/recurrent_product", seen([0, 0, 0]), method, 99.9, 8)

    said = str(caught.value)
    assert said.startswith("gru_1/recurrent_product was 0 in every representative sample, so it has no range: ")
    assert "raise quantization.representative_samples" in said
    assert isinstance(caught.value, UnrollError)


def test_almost_nothing_but_zeros_has_a_range_or_is_an_error_with_the_remedy() -> None:
    """Of 10,000 zeros and one number, 99.9 % lie between 0 and 0."""
    values = seen([*[0.0] * 10_000, 0.5])

    for method in ("mse", "min_max"):
        assert ranges.choose("dense_1/relu", values, method, 99.9, 8).high > 0
    with pytest.raises(RangeError) as caught:
        ranges.choose("dense_1/relu", values, "percentile", 99.9, 8)
    assert str(caught.value).startswith("dense_1/relu was 0 in 99.9 % of what the representative samples show, ")
    assert 'raise quantization.percentile, or set quantization.ranges = "min_max"' in str(caught.value)


def test_what_is_collected_is_what_every_tensor_of_a_tie_held() -> None:
    network = made("lstm")
    model, x = network.build(3), network.samples(4, 3)
    ties = {f"lstm_1/gate_sum_{step}": "gates of both" for step in (2, 3)} | {"input": "input"}

    found = ranges.collect(ties, readers(model, x), len(x))

    held = np.concatenate([read(name).ravel() for read in readers(model, x) for name in list(ties)[:2]])
    assert set(found) == {"gates of both", "input"}
    np.testing.assert_array_equal(found["gates of both"].values, np.sort(held))
    assert (found["gates of both"].low, found["gates of both"].high) == (held.min(), held.max())
    np.testing.assert_array_equal(found["input"].values, np.sort(x.ravel()))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("run", [0, 2, 4])
def test_what_is_not_a_number_in_one_of_many_inferences_is_not_overlooked(run: int, value: float) -> None:
    blocks = np.random.default_rng(0).normal(0, 1, (5, 4)).astype(np.float32)
    blocks[run, 2] = value

    found = ranges.collect({"tensor": "lstm_1/cell"}, [lambda _, block=block: block for block in blocks], len(blocks))  # type: ignore[misc]

    with pytest.raises(RangeError, match="lstm_1/cell was"):
        ranges.choose("lstm_1/cell", found["lstm_1/cell"], "min_max", 99.9, 8)


def test_too_many_values_are_thinned_out_evenly_but_their_ends_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "MOST_VALUES", 1000)
    blocks = np.random.default_rng(0).normal(0, 1, (50, 200)).astype(np.float32)
    blocks[7, 3] = 99

    found = ranges.collect({"tensor": "tie"}, [lambda _, block=block: block for block in blocks], len(blocks))["tie"]  # type: ignore[misc]

    assert len(found.values) == 1000
    assert (found.low, found.high) == (blocks.min(), 99)
    assert found.values.mean() == pytest.approx(blocks.mean(), abs=0.1)
    assert (np.diff(found.values) >= 0).all()


def test_values_of_every_unit_are_kept_even_where_the_units_are_a_multiple_of_the_thinning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ranges, "MOST_VALUES", 1000)
    block = np.tile(np.arange(10, dtype=np.float32), 20)  # 20 time steps of 10 units; every tenth value is kept

    kept = [ranges.collect({"tensor": "tie"}, [lambda _: block] * 50, 50)["tie"].values for _ in range(2)]

    assert np.unique(kept[0]).tolist() == list(range(10))
    np.testing.assert_array_equal(kept[0], kept[1])


@pytest.mark.parametrize("cell", ["gru", "lstm", "simple_rnn"])
def test_every_tie_of_a_network_gets_a_range(cell: str) -> None:
    network = made(cell, 2)

    found = choose(network.build(4, state=True), network.samples(10, 4), method="mse")

    assert all(chosen.low < chosen.high for chosen in found.values())
    assert {"input", "logits", "output", f"{cell}_1/hidden", f"{cell}_2/hidden", f"{cell}_2/input_product"} <= set(
        found
    )
