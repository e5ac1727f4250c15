"""Why a model costs what it costs, in words: a room for each thing that may bound it.

Every claim is computed from compiles that were run, and names them; their cycles are Vela's estimates.
"""

from collections.abc import Callable, Iterator

from pipeline.views.matrix.compiling import Matrix, Row
from pipeline.views.matrix.explain import choices, compute, memory, placement
from pipeline.views.matrix.explain.compiled import Claim, Compiled, read
from pipeline.views.matrix.explain.memory import CLUSTERS

__all__ = ["CLUSTERS", "Claim", "claims", "read"]

_EXPLANATIONS: tuple[Callable[[Compiled, Matrix], Iterator[Claim]], ...] = (
    placement.placement,
    placement.unknown,
    compute.bound,
    memory.rereading,
    compute.roles,
    compute.utilization,
    compute.macs,
    memory.memory_mode,
    choices.strategy,
    memory.clustering,
    choices.fastest,
)
"""In the order in which they are said."""


def claims(matrix: Matrix, about: Row) -> list[Claim]:
    """Explain one row of the matrix, by its own layers and by the other rows."""
    here = read(about)
    return [claim for explain in _EXPLANATIONS for claim in explain(here, matrix)]
