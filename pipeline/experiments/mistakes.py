"""A mistake in an experiment file, in words: key, value, what is allowed, the nearest valid name."""

import re
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from pipeline.experiments.schema import Experiment
from pipeline.frontends.section import ImportedModel
from pipeline.section import Section
from pipeline.text.nearest import did_you_mean, one_of


def explain(message: str, value: Any, path: list[str], document: type[Section] = Experiment) -> str:
    """Turn msgspec's message about a value found at a path of a document into key, value and remedy."""
    problem, _, where = message.rpartition(" - at `$") if " - at `$" in message else (message, "", "")
    hint = _annotation(path, document)
    for part in filter(None, where.rstrip("`").split(".")):
        part = part.partition("[")[0]  # of a list, the whole is shown  # noqa: PLW2901
        path = [*path, part]
        hint = _below(_chosen(hint, value), part)
        value = value.get(part) if isinstance(value, dict) else None
    named = re.fullmatch(r"Object (contains unknown|missing required) field `(.*)`", problem, re.DOTALL)
    if named:
        inside = _chosen(hint, value)
        if named[1] == "missing required":
            return f"{dotted([*path, named[2]])} is missing; {_allowed(_below(inside, named[2]))}"
        return f"{dotted([*path, named[2]])}: {_unknown(named[2], path, hint, inside, document)}"
    allowed = did_you_mean(value, _choices(hint)) if isinstance(value, str) and _choices(hint) else _allowed(hint)
    return f"{dotted(path)} = {_toml(value)}: {_plain(problem)}; {allowed}"


def _unknown(key: str, path: list[str], hint: Any, inside: Any, document: type[Section]) -> str:
    """Say what to do about a key that a table does not have."""
    impossible = next((why for word, why in _NOT_POSSIBLE.items() if path == ["model"] and word in key), None)
    if impossible:
        return impossible
    instead = ImportedModel.__struct_fields__ if path == ["model"] and document is Experiment else ()
    others = [_tag(kind) for kind in _kinds(hint) if kind is not inside and key in kind.__struct_fields__]
    fields = [*_tag_field(inside), *_fields(inside), *instead]
    if others:
        return f"{_tag(inside)} has no such key, only {one_of(others)}; remove it, allowed: {one_of(fields)}"
    return f"unknown key; {did_you_mean(key, fields)}"


def dotted(path: list[str]) -> str:
    """Write a path as TOML does: keys that are no plain words in quotes, so that a line stays a line."""
    return ".".join(key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else repr(key) for key in path)


def _annotation(path: list[str], document: type[Section]) -> Any:
    """Return the type of the key a path leads to, or None for no key of ours."""
    hint: Any = document
    for part in path:
        hint = _below(hint, part)
    return hint


def _below(hint: Any, key: str) -> Any:
    """Return the type of a key of a table, or None for no key of ours; a tag is a choice of kinds."""
    hint = _bare(hint)
    if get_origin(hint) is dict:
        return get_args(hint)[1]
    kinds = _kinds(hint)
    if kinds and [key] == _tag_field(kinds[0]):
        return Literal[tuple(_tag(kind) for kind in kinds)]
    return get_type_hints(kinds[0], include_extras=True).get(key) if len(kinds) == 1 else None


def _kinds(hint: Any) -> list[type[Section]]:
    """Return the kinds of table that a key may hold: several where a tag tells them apart."""
    hint = _bare(hint)
    if get_origin(hint) is dict:
        return []
    return [kind for kind in (hint, *get_args(hint)) if isinstance(kind, type) and issubclass(kind, Section)]


def _chosen(hint: Any, value: Any) -> Any:
    """Return the kind of table that a value is by its tag, where a key may hold several."""
    kinds = _kinds(hint)
    if len(kinds) < 2:  # noqa: PLR2004 - one is no choice
        return hint
    tag = value.get(_tag_field(kinds[0])[0]) if isinstance(value, dict) else None
    return next((kind for kind in kinds if _tag(kind) == tag), hint)


def _tag(kind: type[Section]) -> str:
    return str(kind.__struct_config__.tag)


def _tag_field(hint: Any) -> list[str]:
    kinds = _kinds(hint)
    field = kinds[0].__struct_config__.tag_field if kinds else None
    return [field] if field else []


def _bare(hint: Any) -> Any:
    """Return the type that an annotation is about; of a table that may be left out, that of the table."""
    if get_origin(hint) is Annotated:
        return get_args(hint)[0]
    if get_origin(hint) is UnionType and get_args(hint)[1:] == (NoneType,):
        return get_args(hint)[0]
    return hint


def _fields(hint: Any) -> list[str]:
    kinds = _kinds(hint)
    return list(kinds[0].__struct_fields__) if len(kinds) == 1 else []


def _choices(hint: Any) -> list[str]:
    """Collect the names a key may hold: of a Literal, of an Optional Literal, or of a table of names."""
    if get_origin(hint) is Annotated:
        for meta in hint.__metadata__:
            if meta.extra:
                return list(meta.extra["names"])
        return _choices(get_args(hint)[0])
    if get_origin(hint) is Literal:
        return [str(value) for value in get_args(hint)]
    return [name for part in get_args(hint) for name in _choices(part)] if get_origin(hint) is not dict else []


def _allowed(hint: Any) -> str:
    choices = _choices(hint)
    if choices:
        return f"allowed: {one_of(choices)}"
    if kinds := _kinds(hint):
        return f"add the table with {', '.join(_tag_field(hint) or _required(kinds[0]))}"
    return next((meta.description for meta in getattr(hint, "__metadata__", ()) if meta.description), "")


def _required(section: type[Section]) -> list[str]:
    return [field.name for field in msgspec.structs.fields(section) if field.required]


_NOT_POSSIBLE = {
    "bidirectional": "a backward layer needs the end of the sequence before it begins; only forward ones are built",
    "backward": "a backward layer needs the end of the sequence before it can begin; turn the data round instead",
    "mask": "the NPU can't leave out time steps; pad or cut the sequences in the data, and train on them so",
    "dropout": "dropout only matters in training, and is not built in; remove the key",
}
"""What a ``[model]`` may be asked for under these names, and why not."""

_WORDS = {
    "`str | null`": "text",
    "`int | null`": "a whole number",
    "`float | null`": "a number",
    "`str`": "text",
    "`int`": "a whole number",
    "`float`": "a number",
    "`object`": "a table",
    "array": "a list",
    "null": "nothing",
}


def _plain(problem: str) -> str:
    """Put msgspec's words for types into those of TOML."""
    problem = re.sub(r"^Invalid enum value.*", "not one of the allowed values", problem)
    for theirs, ours in _WORDS.items():
        problem = problem.replace(theirs, ours)
    return problem[0].lower() + problem[1:].replace("`", "")


def _toml(value: Any) -> str:
    """Show a value as it stands in the file."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{...}"
    return repr(value)
