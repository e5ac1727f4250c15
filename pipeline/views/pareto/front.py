"""The Pareto front: what no other choice beats."""

from collections.abc import Sequence


def front(points: Sequence[tuple[float, float]]) -> set[int]:
    """Return the indices of the (cost, accuracy) points that no other point beats: costs as little, is as accurate."""
    return {
        index
        for index, (cost, accuracy) in enumerate(points)
        if not any(
            other_cost <= cost and other_accuracy >= accuracy and (other_cost, other_accuracy) != (cost, accuracy)
            for other_cost, other_accuracy in points
        )
    }
