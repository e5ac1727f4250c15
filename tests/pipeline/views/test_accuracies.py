"""The ladder of accuracies: every rung with its name and basis, and why one is missing."""

from typing import Any

from pipeline.engine.job_graph import Job
from pipeline.engine.results.record import Record
from pipeline.views import accuracies
from pipeline.views.accuracies import Rung
from tests.pipeline.records import a_record, scores

ACCURACY = {"test_samples": 10_000, **scores(float=0.98, quantized=0.97, micro=0.975)}
VERIFY = {
    **scores(compiled=0.975),
    "emulated_samples": 10_000,
    "identical_samples": 10_000,
    "max_difference": 0,
    "only_by_samples": ["SOFTMAX output"],
    "not_verified": [],
    "failures": [],
    "verdict": "proved",
    "checks": [
        {"name": "whole tables", "unit": "input pairs", "checked": 65_536, "failed": 0},
        {"name": "weights", "unit": "weights", "checked": 0, "failed": 0},
    ],
}


def record(job: Job, metrics: dict[str, Any], **facts: Any) -> Record:
    basis = "emulated" if job.stage.name == "verify" else "measured"
    return a_record(
        stage=job.stage.name, target=job.target, metrics=metrics, basis=dict.fromkeys(metrics, basis), **facts
    )


def rungs(jobs: dict[str, Job], accuracy: dict[str, Any], verify: dict[str, Any] | None, **facts: Any) -> list[Rung]:
    made = {"accuracy": record(jobs["accuracy"], accuracy, **facts)}
    if verify:
        made["verify"] = record(jobs["verify"], verify, **facts)
    return accuracies.ladder((job, made.get(stage)) for stage, job in jobs.items())


def test_every_rung_has_its_name_its_basis_and_its_difference(jobs: dict[str, Job]) -> None:
    found = rungs(jobs, ACCURACY, VERIFY)

    assert [(rung.name, rung.score, rung.basis) for rung in found] == [
        ("float", 0.98, "measured"),
        ("int8", 0.97, "measured"),
        ("TFLite Micro", 0.975, "measured"),
        ("compiled", 0.975, "emulated"),
    ]
    assert [rung.beside(found[0]) for rung in found] == ["", "-1.00 points", "-0.50 points", "-0.50 points"]


def test_int16_has_a_rung_of_its_name(jobs: dict[str, Job]) -> None:
    accuracy = {"test_samples": 10, **scores("int16", float=0.9, quantized=0.8)}
    assert [rung.name for rung in rungs(jobs, accuracy, VERIFY)][:2] == ["float", "int16"]


def test_a_rung_that_could_not_be_had_says_why(jobs: dict[str, Job]) -> None:
    verify = {**scores(compiled=None), "emulated_samples": None}
    why = {"scores.micro": "no package", "scores.compiled": "weights of another format"}
    accuracy = {"test_samples": 10_000, **scores(float=0.98, quantized=0.97, micro=None)}
    found = rungs(jobs, accuracy, verify, unavailable=why)

    assert [(rung.name, rung.score, rung.reason) for rung in found[2:]] == [
        ("TFLite Micro", None, "no package"),
        ("compiled", None, "weights of another format"),
    ]


def test_what_was_not_verified_yet_is_said(jobs: dict[str, Job]) -> None:
    last = rungs(jobs, ACCURACY, None)[-1]
    assert (last.name, last.score, last.reason) == ("compiled", None, "not verified yet")


def test_accuracies_over_other_samples_are_not_compared(jobs: dict[str, Job]) -> None:
    found = rungs(jobs, ACCURACY, {**VERIFY, "emulated_samples": 500})
    assert found[-1].samples == 500
    assert found[-1].beside(found[0]) == ""


def test_each_of_several_targets_has_a_rung(jobs: dict[str, Job]) -> None:
    both = [jobs["accuracy"], jobs["verify"], jobs["verify"]]
    made = [record(job, ACCURACY if job.target is None else VERIFY) for job in both]
    names = [rung.name for rung in accuracies.ladder(zip(both, made, strict=True))]
    assert names[3:] == ["compiled for u55-128"] * 2


def test_nothing_built_has_no_ladder(jobs: dict[str, Job]) -> None:
    assert accuracies.ladder((job, None) for job in jobs.values()) == []
