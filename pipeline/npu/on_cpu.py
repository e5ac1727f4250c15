"""Operators that stay on the CPU in words, as the record of a compile lists them."""

from collections.abc import Mapping
from typing import Any

from pipeline.text import tables


def line(row: Mapping[str, Any], step: int | None = None) -> str:
    """Say of a row of ``cpu_operators_by_name`` what, where and why; a model of several graphs has a graph to say."""
    graph = row.get("graph")  # what an earlier version wrote has none
    places = [f"graph {graph}"] * bool(graph) + [f"time step {step}"] * bool(step)
    place = f" ({', '.join(places)})" if places else ""
    what = f"{row['operator']} {row['name']}".rstrip()
    return tables.printable(f"{what}{place}: {row['reason']}")
