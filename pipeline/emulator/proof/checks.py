"""What a check of a compiled file found."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Check:
    """A check, as plain data."""

    name: str
    unit: str
    """What was counted: ``commands``, ``input pairs``, ``weights``, ..."""
    checked: int
    failed: int
    first: str | None = None
    """A sentence on the first that failed: operator, offset, and what is wrong."""


class Tally:
    """Counts what a check looks at, and keeps the first failure."""

    def __init__(self, name: str, unit: str) -> None:
        """Begin with nothing checked."""
        self._name, self._unit = name, unit
        self._checked = self._failed = 0
        self._first: str | None = None

    def add(self, checked: int, failed: int = 0, why: str | None = None) -> None:
        """Count; ``why`` is the sentence on the first of those that failed."""
        self._checked += checked
        self._failed += failed
        if failed and self._first is None:
            self._first = why

    @property
    def check(self) -> Check:
        """Return what was found."""
        return Check(name=self._name, unit=self._unit, checked=self._checked, failed=self._failed, first=self._first)
