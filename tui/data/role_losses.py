"""What quantizing costs each role of a tied deployment graph, from ``roles.json`` of the quantized stage."""

from pathlib import Path

from pipeline.deployment.rung import Rung
from tui.data.accuracy import read_json

ROLES = "roles.json"


def roles(folder: Path) -> list[Rung]:
    """Read the roles, the one that loses most first; a graph whose tensors aren't tied has none.

    Raises:
        UnreadableError: the file is damaged.

    """
    if not (folder / ROLES).exists():
        return []
    found: list[Rung] = read_json(folder / ROLES, list[Rung])
    return sorted(found, key=lambda role: -role.noise)
