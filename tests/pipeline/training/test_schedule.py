"""The schedule of the learning rate, and what is shown of training."""

from collections.abc import Callable
from typing import Any

import pytest

from pipeline.stage import Work
from pipeline.training import schedule as training
from pipeline.training.section import Training

PEAK = 0.01


def rates(steps: int, **chosen: Any) -> list[float]:
    """Return the learning rate at every step, and at one more."""
    found = training.learning_rate(Training(learning_rate=PEAK, **chosen), steps)
    return [float(found)] * (steps + 1) if isinstance(found, float) else [float(found(at)) for at in range(steps + 1)]


def test_it_warms_up_to_its_peak_and_falls_to_nothing() -> None:
    found = rates(100, warmup=0.1)

    assert found[0] == 0.0
    assert max(found) == found[10] == pytest.approx(PEAK)
    assert found[5] == pytest.approx(PEAK / 2)
    assert found[10:] == sorted(found[10:], reverse=True)
    assert found[55] == pytest.approx(PEAK / 2), "half of the cosine's way"
    assert found[100] == pytest.approx(0.0, abs=1e-9)


def test_without_a_warm_up_it_begins_at_its_peak() -> None:
    found = rates(100, warmup=0.0)
    assert found[0] == max(found) == pytest.approx(PEAK)
    assert found[100] == pytest.approx(0.0, abs=1e-9)


def test_a_constant_rate_stays() -> None:
    assert set(rates(10, schedule="constant", warmup=0.1)) == {PEAK}


def test_steps_are_told_by_epoch_and_never_beyond_its_end(work: Callable[..., Work[Any]]) -> None:
    told: list[dict[str, Any]] = []
    progress = training.Progress(work({}, {}, "into", lambda **facts: told.append(facts)), epochs=2, steps_per_epoch=10)
    progress.on_epoch_begin(1)
    progress.on_train_batch_end(15, {"loss": 0.5})  # Keras counts executions of eight steps

    assert told == [{"done": 20, "total": 20, "epoch": "2/2", "step": "10/10", "loss": 0.5}]
