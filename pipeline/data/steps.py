"""How a sequence is cut: rows of the data set into time steps, and time steps into inferences."""

from pipeline.errors import UnrollError


class StepsError(UnrollError):
    """Parts of equal size that don't make up the whole."""


def parts(key: str, size: int, total: int, what: str) -> int:
    """Return how many parts of ``size`` make up ``total``.

    Args:
        key: the experiment's key that chose the size.
        size: of one part, at least 1.
        total: of the whole, at least 1.
        what: names what is counted: "time steps of the data set".

    Raises:
        StepsError: the size does not divide the total; the sentence lists those that do.

    """
    if total % size:
        possible = ", ".join(str(number) for number in range(1, total + 1) if total % number == 0)
        message = f"{key} = {size} does not divide the {total} {what}; possible: {possible}"
        raise StepsError(message)
    return total // size
