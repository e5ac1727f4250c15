"""One table of an experiment file: what every table of every room has in common.

Each room keeps its own table in its ``section.py`` (a data source, a frontend: in its own file), so that whoever adds a
key touches nothing else; ``pipeline.experiments.schema`` puts the tables together.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import msgspec


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One table of an experiment file."""

    LATER: ClassVar[Mapping[str, Any]] = {}
    """Keys that came when there were results already, with their defaults."""
    JUDGES: ClassVar[frozenset[str]] = frozenset()
    """Keys by which results are judged and that no stage reads: nothing is rebuilt when they change."""
    PATHS: ClassVar[frozenset[str]] = frozenset()
    """Keys that say where something is found: its content alone matters, and paths differ in a container."""

    def as_dict(self) -> dict[str, Any]:
        """Return every key that a stage may read with its value, defaults included, as JSON types.

        Of ``LATER``, only what was chosen: a default that changes nothing keeps the keys of earlier results.
        """
        built: dict[str, Any] = msgspec.to_builtins(self)
        read = {name: value for name, value in built.items() if name not in self.JUDGES}
        return {name: value for name, value in read.items() if name not in self.LATER or value != self.LATER[name]}

    def own_files(self) -> Mapping[str, str]:
        """Return what each of the user's own files is called in results -> the key that names it."""
        return {}

    def problem(self) -> str | None:
        """Say what is wrong that no single key shows, key first, in one line; None where nothing is."""
        return None

    def at_hand(self, root: Path) -> str | None:  # noqa: ARG002 - of the project, for who looks there
        """Name what a stand-in took the place of, if it can be had now."""
        return None


class OwnFile(msgspec.Struct, frozen=True):
    """A file of the user's own that a section names."""

    name: str
    """What it is called in results: where it lies does not matter."""
    section: str
    key: str
    path: Path
    """As the user wrote it."""
    place: Path
    """Where it is: paths start from the project's root."""


def own_files(sections: Mapping[str, Section], root: Path = Path()) -> list[OwnFile]:
    """Return the user's own files that some sections name, by name of the section, of a project."""
    return [
        OwnFile(name, title, key, path := Path(str(getattr(section, key))), root / path)
        for title, section in sections.items()
        for name, key in section.own_files().items()
    ]
