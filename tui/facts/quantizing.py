"""What quantizing costs each role of a tied deployment graph, from ``roles.json`` of the quantized stage."""

from pathlib import Path

import msgspec

from tui.facts.accuracy import read_json

ROLES = "roles.json"


class RoleFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One role of one layer; its numbers are explained in ``pipeline.deployment.rungs``."""

    tie: str
    scale: float
    zero_point: int
    seen_low: float
    seen_high: float
    low: float
    high: float
    basis: str
    rounding_error: float
    saturated: float
    noise: float


def roles(folder: Path) -> list[RoleFacts]:
    """Read the roles, the one that loses most first; a graph whose tensors aren't tied has none.

    Raises:
        UnreadableError: the file is damaged.

    """
    if not (folder / ROLES).exists():
        return []
    found: list[RoleFacts] = read_json(folder / ROLES, list[RoleFacts])
    return sorted(found, key=lambda role: -role.noise)
