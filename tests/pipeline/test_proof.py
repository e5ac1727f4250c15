"""What was proved of a compiled file, in words."""

from typing import Any

import pytest

from pipeline import proof
from pipeline.graph import Job
from tests.pipeline.test_ladder import VERIFY, record


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
    assert proof.identity(made) == words


def test_what_holds_for_every_input_is_counted() -> None:
    assert proof.for_every_input(VERIFY) == "65,536 input pairs"
    assert proof.for_every_input({"checks": []}) == "nothing"
