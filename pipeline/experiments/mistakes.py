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
    for part in filter(None, where.rstrip("`").split(".")):
        part = part.partition("[")[0]  # of a list, the whole is shown  # noqa: PLW2901
        path = [*path, part]
        value = value.get(part) if isinstance(value, dict) else None
    named = re.fullmatch(r"Object (contains unknown|missing required) field `(.*)`", problem, re.DOTALL)
    if named:
        key = dotted([*path, named[2]])
        if named[1] == "missing required":
            return f"{key} is missing; {_allowed(_annotation([*path, named[2]], document))}"
        impossible = next((why for word, why in _NOT_POSSIBLE.items() if path == ["model"] and word in named[2]), None)
        return (
            f"{key}: {impossible}"
            if impossible
            else f"{key}: unknown key; {did_you_mean(named[2], _fields(path, document))}"
        )
    hint = _annotation(path, document)
    allowed = did_you_mean(value, _choices(hint)) if isinstance(value, str) and _choices(hint) else _allowed(hint)
    return f"{dotted(path)} = {_toml(value)}: {_plain(problem)}; {allowed}"


def dotted(path: list[str]) -> str:
    """Write a path as TOML does: keys that are no plain words in quotes, so that a line stays a line."""
    return ".".join(key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else repr(key) for key in path)


def _annotation(path: list[str], document: type[Section]) -> Any:
    """Return the type of the key a path leads to, or None for no key of ours."""
    hint: Any = document
    for part in path:
        hint = _bare(hint)
        if get_origin(hint) is dict:
            hint = get_args(hint)[1]
        elif isinstance(hint, type) and issubclass(hint, Section):
            hint = get_type_hints(hint, include_extras=True).get(part)
        else:
            return None
    return hint


def _bare(hint: Any) -> Any:
    """Return the type that an annotation is about; of a table that may be left out, that of the table."""
    if get_origin(hint) is Annotated:
        return get_args(hint)[0]
    if get_origin(hint) is UnionType and get_args(hint)[1:] == (NoneType,):
        return get_args(hint)[0]
    return hint


def _fields(path: list[str], document: type[Section]) -> list[str]:
    section = _bare(_annotation(path, document))
    is_section = isinstance(section, type) and issubclass(section, Section)
    instead = ImportedModel.__struct_fields__ if path == ["model"] and document is Experiment else ()
    return [*(section.__struct_fields__ if is_section else ()), *instead]


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
    if isinstance(_bare(hint), type) and issubclass(_bare(hint), Section):
        return f"add the table with {', '.join(_required(_bare(hint)))}"
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
