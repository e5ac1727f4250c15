"""Tests go to workers by their groups, so that what takes long to make is made once."""

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="there are no workers (-n 0)")
@pytest.mark.xdist_group("of one")
def test_a_worker_knows_the_group_of_a_test(request: pytest.FixtureRequest) -> None:
    """Else each worker makes everything: with pytest 9.2, pytest-xdist 3.8 ignores groups and does not say so."""
    assert request.node.nodeid.endswith("@of one")
