"""``doit report``: fill the templates and write the two files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from doit.exceptions import TaskFailed

from pipeline.experiments.schema import Budget
from pipeline.npu.boards import BoardError
from pipeline.text import tables
from pipeline.views.matrix import answer
from pipeline.views.matrix.answer import Asked
from pipeline.views.report import facts

TEMPLATES = Path(__file__).parent
FORMATS = ("html", "md")


def answer_report(asked: Asked, description: str, budget: Budget) -> TaskFailed | None:
    """Write ``build/<experiment>/report.html`` and ``report.md``."""
    try:
        found = answer.make_matrix(asked, every=False, strategies=("Performance",))
    except BoardError as error:
        return TaskFailed(str(error))
    document = facts.collect(asked, description, budget, found)
    for kind in FORMATS:
        path = asked.build.project.build / asked.experiment / f"report.{kind}"
        write_whole(path, render(kind, document))
        print(asked.build.project.shown(path))  # noqa: T201 - what was asked for
    return TaskFailed("", report=False) if found.failed else None


def write_whole(path: Path, text: str) -> None:
    """Write a file in one step, so that a reader never sees half of it."""
    scratch = path.with_name(f".{path.name}")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(path)


def render(kind: str, document: dict[str, Any]) -> str:
    """Fill the template of ``html`` or ``md``; whatever comes from outside is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape  # noqa: PLC0415 - only the report needs it

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html.jinja"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"cell": _cell, "shares": _shares, "counted": _counted, "percent": tables.percent}
    return environment.get_template(f"report.{kind}.jinja").render(document)


def _cell(value: object) -> str:
    """Keep a value inside its cell of a Markdown table."""
    return str(value).replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def _shares(row: tuple[str, float, str]) -> tuple[str, str, str]:
    return (row[0], tables.percent(row[1], 1), row[2])


def _counted(confusion: Sequence[Sequence[tuple[int, float]]]) -> list[list[int]]:
    return [[number, *(count for count, _ in row)] for number, row in enumerate(confusion)]
