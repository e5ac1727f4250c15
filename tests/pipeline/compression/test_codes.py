"""Few int8 codes for a matrix: that a quantizer finds them again, and that they are near what was trained."""

import numpy as np
import pytest

from pipeline.compression import codes
from pipeline.compression.codes import Floats, Shared


@pytest.fixture
def weights() -> Floats:
    return np.random.default_rng(0).normal(0, np.linspace(0.01, 3, 24), (64, 24)).astype(np.float32)


def _matrix(shared: Shared) -> Floats:
    """Return the weights of few values as they are after training: values are multiples of 1/127."""
    rounded = np.rint(shared.values * codes.LARGEST) / codes.LARGEST
    return (shared.scales * rounded[shared.places]).astype(np.float32)


def test_each_channel_of_a_quantized_matrix_reaches_the_largest_code(weights: Floats) -> None:
    found = codes.quantized(weights)
    assert found.dtype == np.int8
    assert (np.abs(found.astype(int)).max(axis=0) == 127).all()


def test_a_channel_of_zeros_is_quantized_to_zeros(weights: Floats) -> None:
    weights[:, 3] = 0
    assert not codes.quantized(weights)[:, 3].any()


def test_to_quantize_what_codes_stand_for_gives_the_same_codes(weights: Floats) -> None:
    on_grid = codes.on_grid(weights)
    assert np.array_equal(codes.quantized(on_grid), codes.quantized(weights))
    assert np.abs(on_grid - weights).max() <= np.abs(weights).max() / 127 / 2 + 1e-6


@pytest.mark.parametrize("count", [4, 16, 32])
@pytest.mark.parametrize("sparsity", [0.0, 0.5, 0.9])
def test_a_matrix_of_few_values_is_quantized_to_exactly_so_many_codes(
    weights: Floats, count: int, sparsity: float
) -> None:
    kept = np.abs(weights) >= np.quantile(np.abs(weights / np.abs(weights).max(axis=0)), sparsity)
    kept[np.abs(weights).argmax(axis=0), np.arange(24)] = True

    found = codes.quantized(_matrix(codes.share(weights, count, kept)))

    assert np.unique(found).size == count
    assert (found[~kept] == 0).all()
    assert not kept.all() or (found == 0).sum() < found.size // 4
    if not kept.all():
        assert (found[kept] != 0).all()


def test_more_values_are_nearer_to_what_was_trained(weights: Floats) -> None:
    kept = np.ones(weights.shape, bool)
    errors = [np.square(_matrix(codes.share(weights, count, kept)) - weights).sum() for count in (4, 8, 16, 32)]
    assert errors == sorted(errors, reverse=True)
    assert errors[2] < 0.02 * np.square(weights).sum()


def test_few_values_are_the_same_every_time(weights: Floats) -> None:
    kept = np.ones(weights.shape, bool)
    one, other = (codes.share(weights, 8, kept) for _ in range(2))
    assert np.array_equal(one.values, other.values)
    assert np.array_equal(one.places, other.places)


@pytest.mark.parametrize(("numbers", "count", "expected"), [([1, 1, 1, 9], 2, [1, 9]), ([3, 3, 5], 4, [3, 5])])
def test_centres_of_clusters(numbers: list[int], count: int, expected: list[int]) -> None:
    assert codes.centres(np.array(numbers), count).tolist() == expected


def test_the_nearest_value() -> None:
    assert codes.nearest(np.array([-9, 0.4, 0.6, 7]), np.array([0.0, 1.0, 5.0])).tolist() == [0, 0, 1, 2]
