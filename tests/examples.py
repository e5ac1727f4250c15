"""The examples of ``docs/extending.md``, by the file that each of them is."""

import re

from tests.conftest import ROOT

_EXAMPLE = re.compile(r"<!-- file: (\S+?)(?:, in part)? -->\n```\w+\n(.*?)```\n", re.DOTALL)


def examples() -> dict[str, str]:
    """Return the content of every example, by its path from the project's root."""
    page = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    return dict(_EXAMPLE.findall(page))


def example(path: str) -> str:
    """Return the content of one."""
    return examples()[path]
