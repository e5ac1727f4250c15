"""A few kills; ``python -m benchmarks.attacks`` makes many."""

from pathlib import Path

import pytest

from tests.attacks import kills


@pytest.mark.slow
@pytest.mark.parametrize(
    ("subject", "stages"),
    [("a network that is trained", 7), ("a model made elsewhere", 2)],
    ids=["trained", "imported"],
)
def test_whatever_is_killed_what_is_fresh_is_right(subject: str, stages: int, tmp_path: Path) -> None:
    tally = kills.campaign(tmp_path, subject, kills=8, changing=("accelerator",), checkouts=2)
    assert tally.wrong == tally.tracebacks == []
    assert tally.attacks == 8
    assert tally.compared >= 2 * stages, "both checkouts are whole at the end"
