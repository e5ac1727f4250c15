"""``docs/json.md`` held against documents that were really printed."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
Path = tuple[str, ...]


class Field(NamedTuple):
    """A row of a table of the page."""

    path: Path
    """Keys; ``<name>`` for any, ``[]`` for an entry of a list."""
    kind: str

    def is_at(self, path: Path) -> bool:
        """Tell whether this is the field at a path of a document."""
        return len(path) == len(self.path) and all(
            own in ("<name>", key) for own, key in zip(self.path, path, strict=True)
        )

    @property
    def is_opaque(self) -> bool:
        """Tell whether another section describes what is inside."""
        return "see " in self.kind


def fields(title: str) -> list[Field]:
    """Return the fields of a document by the page."""
    section = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    table = section.partition("| field | type |")[2]
    found = []
    for names, kind in re.findall(r"^\| (`.+?`) \| (.+?) \| .+ \|$", table, re.MULTILINE):
        for name in re.findall(r"`(.+?)`", names):
            path = tuple(re.findall(r"\[\]|<name>|[^.\[\]]+", name))
            found.append(Field(path, kind))
            if kind.startswith("list"):
                found.append(Field((*path, "[]"), "optional"))
    assert found, title
    return found


def problems(title: str, document: Any) -> list[str]:
    """Say what the page does not tell of a document, or tells wrongly."""
    told = fields(title)
    values = list(_values(document, ()))
    found = []
    for path, value in values:
        if path and not _is_inside(path, told):
            own = [field for field in told if field.is_at(path)]
            found += [] if own else [f"{title}: {_name(path)} is not on the page"]
            found += [f"{title}: {_name(path)} is null" for field in own if value is None and "null" not in field.kind]
    for field in told:
        if "optional" in field.kind or field.path[-1] in ("<name>", "[]"):
            continue
        above = Field(field.path[:-1], "")
        found += [
            f"{title}: {_name(path)} has no {field.path[-1]}"
            for path, value in values
            if isinstance(value, dict) and above.is_at(path) and field.path[-1] not in value
        ]
    return list(dict.fromkeys(found))


def _is_inside(path: Path, told: list[Field]) -> bool:
    return any(
        field.is_opaque and len(path) > len(field.path) and field.is_at(path[: len(field.path)]) for field in told
    )


def _values(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    yield path, value
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _values(part, (*path, key))
    elif isinstance(value, list):
        for part in value:
            yield from _values(part, (*path, "[]"))


def _name(path: Path) -> str:
    return ".".join(path).replace(".[]", "[]")
