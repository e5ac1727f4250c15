"""The gate of ``[verify] require``: what is proved less than that fails with a code of its own, and stays in place."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.engine.build import Build
from pipeline.engine.job_graph import Job
from pipeline.engine.project import Project
from pipeline.engine.running.process import Outcome, Processes
from pipeline.verification import verdicts
from pipeline.views.gates import proof
from tests.pipeline.engine.test_build import REPORT

LACKING = {
    verdicts.PROVED: {},
    verdicts.PARTLY: {"not_verified": ["no sample is compared: no package"]},
    verdicts.NOTHING: {"not_verified": ["it has 2 subgraphs; one is covered"]},
    verdicts.FAILED: {"failures": ["output[1] of random input 7 is 3"]},
}


@pytest.fixture
def verified(jobs: dict[str, Job], monkeypatch: pytest.MonkeyPatch, workplace: Project) -> Any:
    """Make all results, those of verifying with a verdict; what stands for the stages' processes says so."""

    def make(verdict: str) -> Build:
        found = {"verdict": verdict, "not_verified": [], "failures": [], **LACKING[verdict]}

        def run(job: Job, order: dict[str, Any], *_: object) -> Outcome:
            (Path(order["into"]) / "artefact").touch()
            report = {**REPORT, "metrics": found} if job.verifies else REPORT
            return Outcome(report, None, 0.1, "exit code 0")

        monkeypatch.setattr(Processes, "run", staticmethod(run))
        build = Build(workplace)
        for job in jobs.values():
            build.make(job)
        return build

    return make


CODES = {
    (verdicts.PROVED, "full"): None,
    (verdicts.PROVED, "partly"): None,
    (verdicts.PROVED, "nothing"): None,
    (verdicts.PARTLY, "full"): 4,
    (verdicts.PARTLY, "partly"): None,
    (verdicts.PARTLY, "nothing"): None,
    (verdicts.NOTHING, "full"): 5,
    (verdicts.NOTHING, "partly"): 5,
    (verdicts.NOTHING, "nothing"): None,
    (verdicts.FAILED, "full"): 1,
    (verdicts.FAILED, "partly"): 1,
    (verdicts.FAILED, "nothing"): None,
}


@pytest.mark.parametrize(("verdict", "require", "code"), [(*key, code) for key, code in CODES.items()])
def test_less_than_is_required_fails_with_a_code_of_its_own_and_leaves_the_result(
    verified: Any, jobs: dict[str, Job], verdict: str, require: str, code: int | None
) -> None:
    build = verified(verdict)

    failed = proof.gate(build, [jobs["verify"]], require)

    assert (failed.code if failed else None) == code
    assert bool(proof.short(build, [jobs["verify"]], require)) == bool(failed)
    assert build.known(jobs["verify"]).fresh, "a requirement makes nothing stale"
    assert (jobs["verify"].link / "artefact").exists()


def test_the_sentence_says_what_is_not_proved_of_which_target_and_what_to_do(
    verified: Any, jobs: dict[str, Job]
) -> None:
    failed = proof.gate(verified(verdicts.PARTLY), [jobs["verify"]], "full")

    assert failed is not None
    assert failed.get_msg().strip() == (
        'verify.require = "full" is not met: partly proved for u55-128 (no sample is compared: no package). Change the'
        ' model or the target, or allow it with [verify] require = "partly"; what was made is in place'
    )


@pytest.mark.parametrize("verdict", [verdicts.NOTHING, verdicts.FAILED])
def test_the_remedy_allows_as_little_as_helps(verified: Any, jobs: dict[str, Job], verdict: str) -> None:
    failed = proof.gate(verified(verdict), [jobs["verify"]], "full")

    assert failed is not None
    assert '[verify] require = "nothing"' in failed.get_msg()


def test_of_several_codes_the_one_that_says_most_is_doits() -> None:
    assert proof.severest([4, 5]) == 5
    assert proof.severest([4, 1, 5]) == 1
    assert proof.severest([4]) == 4
