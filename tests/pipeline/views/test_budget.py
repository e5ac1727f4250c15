"""Budgets: what is allowed, what it is, what is left, and which one was not kept."""

import dataclasses
from typing import Any

import msgspec
import pytest

from pipeline.engine.job_graph import Job
from pipeline.engine.results.record import Record
from pipeline.experiments.schema import Budget
from pipeline.views import budget
from pipeline.views.budget import Verdict
from tests.pipeline.records import scores
from tests.pipeline.views.test_summary import _records


def verdicts(jobs: dict[str, Job], of: Budget, **changed: Any) -> list[Verdict]:
    """Hold a budget against the numbers of test_summary, with some of those of Vela changed."""
    records = [_with(record, changed if record.stage == "vela" else {}) for record in _records(jobs)]
    return budget.verdicts(of, list(jobs.values()), records)


def _budget(name: str, allowed: float) -> Budget:
    return msgspec.convert({name: allowed}, Budget)


def _with(record: Record, changed: dict[str, Any]) -> Record:
    return msgspec.structs.replace(record, metrics={**record.metrics, **changed})


def test_every_key_of_the_schema_is_held_against_a_value() -> None:
    assert set(budget.LIMITS) == {field.name for field in msgspec.structs.fields(Budget)}
    assert not Budget().limits_something
    assert Budget(cpu_operators_max=0).limits_something


@pytest.mark.parametrize(
    ("name", "allowed", "value", "margin"),
    [
        ("accuracy_min", 0.98, 0.9825, 0.0025),
        ("accuracy_drop_max", 0.5, -0.06, 0.56),
        ("cycles_max", 7_000_000, 6_218_057, 781_943),
        ("inference_ms_max", 20.0, 12.436, 7.564),
        ("sram_max", 4096, 3088, 1008),
        ("flash_max", 700_000, 674_112, 25_888),
        ("cpu_operators_max", 1, 1, 0),
    ],
)
def test_a_budget_that_is_kept_tells_what_is_left(
    jobs: dict[str, Job], name: str, allowed: float, value: float, margin: float
) -> None:
    (found,) = verdicts(jobs, _budget(name, allowed))
    assert (found.budget, found.allowed) == (name, allowed)
    assert found.value == pytest.approx(value)
    assert found.margin == pytest.approx(margin)
    assert found.passed
    assert found.target == (None if name.startswith("accuracy") else "u55-128")
    assert "ok" in budget.cells(found)


@pytest.mark.parametrize(
    ("name", "allowed", "says"),
    [
        ("accuracy_min", 0.99, "accuracy_min: 98.25 %, at least 99.00 % allowed"),
        ("cycles_max", 6_000_000, "cycles_max on u55-128: 6,218,057 cycles, at most 6,000,000 cycles allowed"),
        ("inference_ms_max", 12.0, "inference_ms_max on u55-128: 12.436 ms, at most 12 ms allowed"),
        ("sram_max", 3087, "sram_max on u55-128: 3,088 B, at most 3,087 B allowed"),
        ("flash_max", 1, "flash_max on u55-128: 674,112 B, at most 1 B allowed"),
        ("cpu_operators_max", 0, "cpu_operators_max on u55-128: 1 on the CPU, at most 0 on the CPU allowed"),
    ],
)
def test_a_budget_that_is_not_kept_is_named(jobs: dict[str, Job], name: str, allowed: float, says: str) -> None:
    (found,) = verdicts(jobs, _budget(name, allowed))
    assert not found.passed
    assert found.margin is not None
    assert found.margin < 0
    assert budget.sentence(found) == says


def test_a_value_exactly_at_the_budget_is_kept(jobs: dict[str, Job]) -> None:
    allowed = Budget(sram_max=3088, accuracy_min=0.9825, accuracy_drop_max=0.0, cycles_max=6_218_057)
    assert all(found.passed for found in verdicts(jobs, allowed))


def test_the_drop_is_free_of_the_rounding_of_shares(jobs: dict[str, Job]) -> None:
    records = [
        msgspec.structs.replace(record, metrics=scores(float=0.9819, quantized=0.9769))
        if record.stage == "accuracy"
        else record
        for record in _records(jobs)
    ]
    (found,) = budget.verdicts(Budget(accuracy_drop_max=0.5), list(jobs.values()), records)
    assert found.value == 0.5
    assert found.passed


def test_a_value_that_can_not_be_had_fails_and_says_why(jobs: dict[str, Job]) -> None:
    (found,) = verdicts(jobs, Budget(cycles_max=1), cycles_total=None)
    assert not found.passed
    assert budget.sentence(found) == "cycles_max on u55-128 can't be checked: the result has no cycles_total"
    (of_model,) = budget.verdicts(Budget(accuracy_min=0.5), [], [])
    assert not of_model.passed
    assert budget.sentence(of_model) == "accuracy_min can't be checked: the result has no accuracy"
    assert budget.cells(of_model)[3:6] == ("-", "-", "NOT KNOWN")


@pytest.mark.parametrize(("name", "allowed"), [("accuracy_min", 0.5), ("accuracy_drop_max", 1.0)])
def test_an_accuracy_that_is_unavailable_fails_and_says_why(jobs: dict[str, Job], name: str, allowed: float) -> None:
    record = msgspec.structs.replace(
        next(record for record in _records(jobs) if record.stage == "quantized"),
        metrics=scores(float=None, quantized=None),
        unavailable={"scores.quantized": "no test set"},
    )
    (found,) = budget.verdicts(_budget(name, allowed), [jobs["quantized"]], [record])
    assert not found.passed
    assert budget.sentence(found) == f"{name} can't be checked: no test set"


def test_what_vela_does_not_tell_is_not_kept_and_says_why(jobs: dict[str, Job]) -> None:
    vela = next(record for record in _records(jobs) if record.stage == "vela")
    unknown = msgspec.structs.replace(
        vela, metrics={**vela.metrics, "sram_bytes": None}, unavailable={"sram_bytes": "it has 2 graphs"}
    )
    (found,) = budget.verdicts(Budget(sram_max=10**9), [jobs["vela"]], [unknown])
    assert not found.passed
    assert budget.cells(found)[3:] == ("-", "-", "NOT KNOWN", "it has 2 graphs")
    assert budget.sentence(found) == "sram_max on u55-128 can't be checked: it has 2 graphs"


@pytest.mark.parametrize("name", ["cycles_max", "inference_ms_max"])
def test_cycles_that_leave_out_the_cpu_are_told_so(jobs: dict[str, Job], name: str) -> None:
    (alone,) = verdicts(jobs, _budget(name, 10**9), cpu_operators=0)
    (found,) = verdicts(jobs, _budget(name, 10**9), cpu_operators=2)
    assert alone.not_counted is None
    assert budget.cells(alone)[-1] == "estimated"
    assert budget.cells(found)[-1] == "estimated, without the 2 on the CPU"


def test_a_number_is_told_as_exactly_as_it_exceeds_its_budget(jobs: dict[str, Job]) -> None:
    (found,) = verdicts(jobs, Budget(inference_ms_max=0.0042), inference_ms=0.00421)
    assert budget.sentence(found) == "inference_ms_max on u55-128: 0.00421 ms, at most 0.0042 ms allowed"


def test_what_compressing_loses_is_held_against_the_same_experiment_without_it(jobs: dict[str, Job]) -> None:
    records = _records(jobs)
    dense = [_with(record, scores(float=0.99, quantized=0.9875)) for record in records if record.stage == "accuracy"]
    kept, broken = (
        budget.verdicts(Budget(compression_drop_max=allowed), list(jobs.values()), records, dense)[0]
        for allowed in (0.5, 0.4)
    )
    assert (kept.value, kept.passed) == (0.5, True)
    assert budget.sentence(broken) == "compression_drop_max: 0.50 points, at most 0.40 points allowed"
    (alone,) = budget.verdicts(Budget(compression_drop_max=0.5), list(jobs.values()), records)
    assert not alone.passed
    assert "there is no result without [compress] to compare with" in budget.sentence(alone)


def test_every_target_is_held_against_the_budget_by_itself(jobs: dict[str, Job]) -> None:
    vela = jobs["vela"]
    other = dataclasses.replace(vela, target="u85-256")
    record = next(record for record in _records(jobs) if record.stage == "vela")
    smaller = msgspec.structs.replace(record, metrics={**record.metrics, "sram_bytes": 10})
    found = budget.verdicts(Budget(sram_max=1000), [vela, other], [record, smaller])
    assert [(verdict.target, verdict.passed) for verdict in found] == [("u55-128", False), ("u85-256", True)]


def test_the_margin_is_shown_in_its_unit_and_as_a_share(jobs: dict[str, Job]) -> None:
    allowed = Budget(accuracy_min=0.98, sram_max=2000, cpu_operators_max=1)
    margins = {found.budget: budget.cells(found)[4] for found in verdicts(jobs, allowed)}
    assert margins == {"accuracy_min": "+0.25 points", "sram_max": "-1,088 B (-54 %)", "cpu_operators_max": "+0 (+0 %)"}
