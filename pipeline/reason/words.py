"""Numbers as the reason writes them."""

from collections.abc import Mapping
from typing import Any


def against(cycles: float, here: float) -> str:
    """Compare cycles with those of here."""
    change = cycles / here - 1
    if abs(change) < 0.0005:  # noqa: PLR2004 - less than what one decimal shows
        return "as many cycles"
    return f"{abs(change):.1%} {'fewer' if change < 0 else 'more'} cycles".replace("%", " %")


def need(found: Mapping[str, Any]) -> str:
    """Say which memories a compile needs."""
    dram = f" and {size(found['dram_bytes'])} of DRAM" if found["dram_bytes"] else ""
    return f"{size(found['sram_bytes'])} of SRAM{dram}"


def percent(share: float) -> str:
    """Show a share of 1."""
    return f"{100 * share:.1f} %"


def times(factor: float) -> str:
    """Show a factor."""
    return f"{factor:.1f}x" if factor < 10 else f"{factor:.0f}x"  # noqa: PLR2004 - two digits are enough


def operators(count: int) -> str:
    """Count operators."""
    return f"{count:,} operator{'s' if count != 1 else ''}"


def size(count: float) -> str:
    """Show bytes of a memory."""
    return f"{count / 1024:,.0f} KiB"


def megabytes(count: float) -> str:
    """Show bytes that are moved."""
    return f"{count / 1e6:.2f} MB" if count >= 1e5 else f"{count:,.0f} bytes"  # noqa: PLR2004 - below, MB hides it
