"""What quantizing costs each role of a tied deployment graph, from ``roles.json`` of the quantized stage."""

from pathlib import Path

from pipeline.quantization.role_loss import RoleLoss
from tui.facts.accuracy import read_json

ROLES = "roles.json"


def roles(folder: Path) -> list[RoleLoss]:
    """Read the roles, the one that loses most first; a graph whose tensors aren't tied has none.

    Raises:
        UnreadableError: the file is damaged.

    """
    if not (folder / ROLES).exists():
        return []
    found: list[RoleLoss] = read_json(folder / ROLES, list[RoleLoss])
    return sorted(found, key=lambda role: -role.noise)
