"""Numbers as the reason writes them."""

from collections.abc import Mapping
from typing import Any

from pipeline.text import tables
from pipeline.text.tables import memory as size
from pipeline.text.tables import times

__all__ = ["against", "megabytes", "need", "operators", "percent", "size", "times"]


def against(cycles: float, here: float) -> str:
    """Compare cycles with those of here."""
    if cycles == here:
        return "as many cycles"
    change = tables.change(here, cycles)
    return f"{change[1:]} {'fewer' if cycles < here else 'more'} cycles"


def need(lead: str, found: Mapping[str, Any]) -> str:
    """Say behind the lead which memories a compile needs; nothing where that is not known."""
    if found["sram_bytes"] is None or found["dram_bytes"] is None:
        return ""
    dram = f" and {size(found['dram_bytes'])} of DRAM" if found["dram_bytes"] else ""
    return f"{lead} {size(found['sram_bytes'])} of SRAM{dram}"


def percent(share: float) -> str:
    """Show a share of 1."""
    return tables.percent(share, 1)


def operators(count: int) -> str:
    """Count operators."""
    return f"{count:,} operator{'s' if count != 1 else ''}"


def megabytes(count: float) -> str:
    """Show bytes that are moved."""
    return f"{count / 1e6:.2f} MB" if count >= 1e5 else f"{count:,.0f} bytes"  # noqa: PLR2004 - below, MB hides it
