"""Operators that stay on the CPU, as the record of a compile lists them, and in words."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

NO_REASON = "Vela gave no reason by its name"
NAMELESS = ""


def reason(
    key: tuple[str, str], on_cpu: Counter[tuple[str, str]], refusals: Mapping[tuple[str, str], Collection[str]]
) -> str:
    """Return why Vela left an operator on the CPU, where its messages tell that without doubt.

    Args:
        key: kind and name of the operator; without an output it has no name.
        on_cpu: how many operators of each kind and name stay there: Vela does not say which of two namesakes it means.
        refusals: kind and name -> the reasons that Vela gave.

    """
    kind, name = key
    if name == NAMELESS:  # Vela makes up a name for it: only what it says of all that kind is sure
        reasons = {reason for (of, _), several in refusals.items() if of == kind for reason in several}
    else:
        reasons = set(refusals.get(key, ())) if on_cpu[key] == 1 else set()
    return next(iter(reasons)) if len(reasons) == 1 else NO_REASON


def line(row: Mapping[str, Any], step: int | None = None) -> str:
    """Say of a row of ``cpu_operators_by_name`` what, where and why; a model of several graphs has a graph to say."""
    places = [f"graph {row['graph']}"] * bool(row.get("graph")) + [f"time step {step}"] * bool(step)
    place = f" ({', '.join(places)})" if places else ""
    what = f"{row['operator']} {row['name']}".rstrip()
    return f"{what}{place}: {row['reason']}"
