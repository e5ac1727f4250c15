"""Why Vela left an operator on the CPU, where its messages tell that without doubt."""

from collections import Counter
from collections.abc import Collection, Mapping

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
