"""When int8 far below float is a warning, what it names, and what is said of a test set beyond the input's range."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from pipeline.quantization.role_loss import RoleLoss
from pipeline.scoring import degradation
from pipeline.scoring.degradation import InputRange, input_range
from pipeline.tasks.classification import CLASSIFICATION
from pipeline.tasks.task import Judged
from pipeline.tflite.quantization import Quantization

INTO = Quantization.single(0.1, 0)
"""Holds -12.8 to 12.7."""


def predictions(samples: int, lost: int, won: int = 0) -> Judged:
    """Return predictions of four classes, sorted: float misses ``won`` of the first, int8 ``lost`` of the last."""
    labels = np.arange(samples) * 4 // samples
    in_float, in_integers = labels.copy(), labels.copy()
    in_float[:won] = 1
    in_integers[samples - lost :] = 0
    return Judged(labels, in_float, in_integers)


def warnings(judged: Judged, into: InputRange | None, roles: list[RoleLoss], activations: str = "int8") -> list[str]:
    return degradation.warnings(CLASSIFICATION.degraded(judged), activations, into, roles)


def role(**changed: Any) -> RoleLoss:
    """Return a role that nothing is wrong with."""
    sound = {
        "tie": "gru_1/hidden",
        "scale": 1 / 128,
        "zero_point": 0,
        "seen_low": -1.0,
        "seen_high": 1.0,
        "low": -1.0,
        "high": 1.0,
        "basis": "mse",
        "rounding_error": 0.3,
        "saturated": 0.0,
        "noise": 0.01,
    }
    return msgspec.convert({**sound, **changed}, RoleLoss)


def within(x: npt.NDArray[Any] | None = None) -> InputRange:
    """Return how samples fit the input; by default, well."""
    return input_range(
        np.random.default_rng(0).normal(0, 3, (50, 4, 3)).astype(np.float32) if x is None else x, INTO, np.int8
    )


@pytest.mark.parametrize(
    ("samples", "lost", "won", "far"),
    [
        (200, 50, 0, True),
        (100, 5, 0, False),  # 5 points, but five samples are chance
        (10_000, 150, 0, False),  # 1.5 points: 8 bits may cost as much
        (10_000, 250, 0, True),
        (100, 25, 20, False),  # many change, for the better as for the worse
        (360, 8, 0, False),
        (100, 0, 30, False),  # better than float
    ],
)
def test_far_below_is_more_than_8_bits_and_chance_explain(samples: int, lost: int, won: int, *, far: bool) -> None:
    assert bool(CLASSIFICATION.degraded(predictions(samples, lost, won))) == far
    assert bool(warnings(predictions(samples, lost, won), within(), [role()])) == far


def test_the_warning_names_the_class_that_suffers_and_what_may_help() -> None:
    (said,) = warnings(predictions(200, 50), within(), [role()])

    assert said.startswith(
        "int8 accuracy is 25.0 points below float, more than 8 bits and chance explain; class 3 suffers most:"
        " 100.0 % -> 0.0 %, for it is never predicted; no role and no input shows why; what may help:"
    )
    assert 'quantization.ranges = "min_max"' in said


def test_saturated_and_loud_roles_are_likely_causes() -> None:
    roles = [
        role(tie="lstm_1/cell", saturated=0.04),
        role(tie="lstm_1/cell_tanh", basis="tanh", saturated=0.5),
        role(tie="logits", noise=0.2),
    ]

    (said,) = warnings(predictions(200, 40), within(), roles, "int16")

    assert said.startswith("int16 accuracy is 20.0 points below float, more than 16 bits")
    assert "class 3 suffers most: 100.0 % -> 20.0 %; likely causes: 4.0 % of the values of lstm_1/cell saturate" in said
    assert "quantizing logits, the weakest role, makes noise of 20.0 % of its spread" in said
    assert "cell_tanh" not in said


def test_features_that_the_inputs_scale_hides_are_a_likely_cause() -> None:
    x = np.random.default_rng(0).normal(size=(50, 4, 3)) * [4, 0.15, 0.01]

    (said,) = warnings(predictions(200, 50), within(x.astype(np.float32)), [])

    assert "2 of 3 features vary by less than 2 steps of the input's scale (0.1), feature 2 least: scale each" in said


def test_values_beyond_the_inputs_range_are_counted_by_feature() -> None:
    x = np.zeros((10, 5, 2), np.float32)
    x[:3, :, 1] = 13
    x[3:, :, 1] = [-12.84, 12.74, -12.8, 12.7, 0]  # rounding brings all of them back

    into = input_range(x, INTO, np.int8)

    assert (into.low, into.high) == pytest.approx((-12.8, 12.7))
    assert into.beyond.tolist() == [0, 0.3]
    (said,) = warnings(predictions(200, 0), into, [])
    assert said.startswith(
        "15.0 % of the test set's values lie beyond the input's range, -12.8 to 12.7, which the representative samples"
        " showed; of feature 1 (counted from 0) 30.0 %: raise quantization.representative_samples"
    )


def test_a_few_values_beyond_the_inputs_range_are_no_reason_to_warn() -> None:
    x = np.zeros((1_000, 1, 2), np.float32)
    x[:10, 0, 0] = 20

    assert warnings(predictions(200, 0), input_range(x, INTO, np.int8), []) == []


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_what_the_representative_samples_showed_is_within(dtype: str) -> None:
    x = np.random.default_rng(0).uniform(-3, 5, (20, 4, 3)).astype(np.float32)
    steps = 255 if dtype == "int8" else 65_535
    scale = float((x.max() - x.min()) / steps)
    into = Quantization.single(scale, round(np.iinfo(dtype).min - x.min() / scale))

    assert not input_range(x, into, dtype).beyond.any()


def test_a_folder_without_a_table_of_roles_has_none(tmp_path: Path) -> None:
    assert degradation.read_roles(tmp_path) == []

    (tmp_path / degradation.ROLES).write_bytes(msgspec.json.encode([role()]))

    assert degradation.read_roles(tmp_path) == [role()]
