"""What quantizing costs each role of a tied deployment graph, from ``roles.json`` of the quantized stage."""

from pathlib import Path

from pipeline.quantization.role_loss import RoleLoss
from tui.data.artefacts import read_json

ROLES = "roles.json"


def read_role_losses(folder: Path) -> list[RoleLoss]:
    """Read the roles, the one that loses most first; a graph whose tensors aren't tied has none.

    Raises:
        UnreadableError: the file is damaged.

    """
    if not (folder / ROLES).exists():
        return []
    losses: list[RoleLoss] = read_json(folder / ROLES, list[RoleLoss])
    return sorted(losses, key=lambda loss: -loss.noise)
