"""What was proved of a compiled file, in words."""

from typing import Any

import pytest

from pipeline.engine.job_graph import Job
from pipeline.views import verified
from tests.pipeline.views.test_accuracies import VERIFY, record


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({}, "10,000 of 10,000 samples byte-identical to TFLite Micro"),
        (
            {"identical_samples": 9_990, "max_difference": 2},
            "9,990 of 10,000 samples byte-identical to TFLite Micro, difference at most 2",
        ),
        ({"identical_samples": None, "max_difference": None}, "not compared: no package"),
    ],
)
def test_what_was_proved_in_words(jobs: dict[str, Job], found: dict[str, Any], words: str) -> None:
    made = record(jobs["verify"], {**VERIFY, **found}, unavailable={"identical_samples": "no package"})
    assert verified.identity(made) == words
    assert verified.result(made) == f"proved; {words}"


def test_what_holds_for_every_input_is_counted() -> None:
    assert verified.for_every_input(VERIFY) == "65,536 input pairs"
    assert verified.for_every_input({"checks": []}) == "nothing"


def test_samples_are_called_what_they_are_and_what_is_lacking_is_told(jobs: dict[str, Job]) -> None:
    found = {
        "samples_are": "random inputs",
        "verdict": "partly proved",
        "not_verified": ["ADD x: why"],
        "failures": ["a byte"],
    }
    made = record(jobs["verify"], {**VERIFY, **found})

    assert verified.result(made) == "partly proved; 10,000 of 10,000 random inputs byte-identical to TFLite Micro"
    assert verified.lacking(made) == ["a byte", "ADD x: why"]


def test_of_a_result_of_before_there_were_verdicts_none_is_made_up(jobs: dict[str, Job]) -> None:
    before = {name: value for name, value in VERIFY.items() if name not in {"verdict", "failures"}}

    assert verified.result(record(jobs["verify"], before)).startswith("not known; 10,000 of 10,000")
