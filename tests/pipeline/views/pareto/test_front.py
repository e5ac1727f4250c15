import pytest

from pipeline.views.pareto import front

PARETO: dict[str, tuple[list[tuple[float, float]], set[int]]] = {
    "nothing": ([], set()),
    "one": ([(1, 0.9)], {0}),
    "one beats all": ([(1, 0.9), (2, 0.8), (1, 0.8), (2, 0.9)], {0}),
    "each has its point": ([(1, 0.8), (2, 0.9), (3, 0.95)], {0, 1, 2}),
    "twins": ([(1, 0.9), (1, 0.9), (2, 0.8)], {0, 1}),
    "dominated between two that are not": ([(1, 0.8), (2, 0.79), (3, 0.9)], {0, 2}),
}


@pytest.mark.parametrize(("points", "best"), PARETO.values(), ids=PARETO)
def test_the_front_holds_what_nothing_else_beats(points: list[tuple[float, float]], best: set[int]) -> None:
    assert front.front(points) == best
