"""Write the experiment reference into README.md from the schema: ``python docs/reference.py``."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from pipeline.data.sources import SOURCES  # noqa: E402 - found through the line above
from pipeline.experiments.schema import Experiment, Imported  # noqa: E402
from pipeline.npu.section import Target  # noqa: E402
from pipeline.section import Section  # noqa: E402
from pipeline.stages.catalogue import STAGES  # noqa: E402

README = ROOT / "README.md"
MARKED = re.compile(r"(?<=<!-- reference, by docs/reference\.py -->\n).*?(?=<!-- end of reference -->)", re.DOTALL)
JUDGED = {
    "verify": "; `require` by the proof gate",
    "budget": "`doit check`, the placement gate and the dashboard",
    "grid": "`doit pareto`",
}
"""Section -> who reads it beside the stages."""


def tables() -> Iterator[tuple[str, str, type[Section]]]:
    """Yield the title, the name and the kind of every section, as they stand in an experiment file."""
    yield from ((f'[dataset] name = "{name}"', "dataset", source) for name, source in SOURCES.items())
    imported = get_type_hints(Imported)
    for name, hint in get_type_hints(Experiment).items():
        if name == "vela":
            yield "[vela.targets.<name>]", "target", Target
            continue
        kinds = [kind for kind in (hint, *get_args(hint)) if isinstance(kind, type) and issubclass(kind, Section)]
        if name != "dataset" and kinds:
            yield f"[{name}]", name, kinds[0]
            if imported.get(name, kinds[0]) is not kinds[0]:
                beside = '[model] tflite = "..."' if name == "model" else f"[{name}] beside [model] tflite"
                yield beside, name, imported[name]


def _readers(name: str, kind: type[Section]) -> str:
    """Return the stages that read a section of this kind, and who else does."""
    stages = [stage.name for stage in STAGES.values() if _reads(get_type_hints(stage.config).get(name), kind)]
    return ", ".join(dict.fromkeys(stages)) + JUDGED.get(name, "")


def _reads(hint: Any, kind: type[Section]) -> bool:
    return kind in (hint, *get_args(hint))


def reference() -> str:
    """Return a Markdown table for each section, with the stages that read it."""
    parts = [
        f"`{title}`, read by {_readers(name, section)}: {(section.__doc__ or '').strip()}\n\n{_table(section)}\n"
        for title, name, section in tables()
    ]
    return "\n" + "\n".join(parts) + "\n"


def _table(section: type[Section]) -> str:
    hints = get_type_hints(section, include_extras=True)
    rows = ["| key | value | default | |", "|---|---|---|---|"]
    for field in msgspec.structs.fields(section):
        default = "required" if field.required else f"`{_toml(_default(field))}`"
        rows.append(f"| `{field.name}` | {_kind(hints[field.name])} | {default} | {_description(hints[field.name])} |")
    return "\n".join(rows)


def _default(field: Any) -> Any:
    return field.default_factory() if field.default is msgspec.NODEFAULT else field.default


def _description(hint: Any) -> str:
    description = next(meta.description for meta in hint.__metadata__ if meta.description)
    names = [f"`{name}`" for meta in hint.__metadata__ if meta.extra for name in meta.extra["names"]]
    return f"{description}: {', '.join(names)}" if names else str(description)


def _kind(hint: Any) -> str:
    if get_origin(hint) is Annotated:
        bounds = " and ".join(filter(None, (_bounds(meta) for meta in hint.__metadata__)))
        return f"{_kind(get_args(hint)[0])} {bounds}".strip()
    if get_origin(hint) is Literal:
        return " or ".join(f"`{value!r}`".replace("'", '"') for value in get_args(hint))
    if get_origin(hint) is list:
        return f"list of {_kind(get_args(hint)[0])}"
    if get_args(hint):
        return " or ".join(_kind(part) for part in get_args(hint) if part is not type(None))
    return {str: "text", bool: "`true` or `false`", int: "whole number", float: "number"}[hint]


def _bounds(meta: msgspec.Meta) -> str:
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    bounds = {sign: getattr(meta, name) for name, sign in signs.items()}
    return " and ".join(f"{sign} {bound:,}" for sign, bound in bounds.items() if bound is not None)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return "none" if value is None else f'"{value}"' if isinstance(value, str) else str(value)


if __name__ == "__main__":
    README.write_text(MARKED.sub(lambda _: reference(), README.read_text(encoding="utf-8")), encoding="utf-8")
