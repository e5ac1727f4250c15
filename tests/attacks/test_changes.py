"""A few attacks of each kind; ``python -m benchmarks.attacks`` makes many."""

from pathlib import Path

import pytest

from tests.attacks import changes

QUICK = "a model of one's own"


@pytest.mark.parametrize(
    "victim", [QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in changes.VICTIMS if name != QUICK)]
)
def test_no_result_stands_under_the_key_of_what_it_was_not_made_of(victim: str, tmp_path: Path) -> None:
    tally = changes.campaign(tmp_path, victim, attacks=4)
    assert tally.wrong == tally.tracebacks == []
    assert tally.attacks == 4
    assert tally.compared + tally.refused >= tally.attacks, "each build left a result, or said why not"
