"""Write the table of metrics into docs/json.md from what the stages declare: ``python docs/metrics.py``."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from pipeline.stages.catalogue import STAGES  # noqa: E402 - found through the line above

PAGE = ROOT / "docs" / "json.md"
MARKED = re.compile(r"(?<=<!-- metrics, by docs/metrics\.py -->\n).*?(?=<!-- end of metrics -->)", re.DOTALL)


def rows() -> Iterator[str]:
    """Yield the table, a row for each metric that a stage declares."""
    yield "| module of the stage | metric | what it is | unit | better | basis | `[budget]` |"
    yield "|---|---|---|---|---|---|---|"
    for module, stage in STAGES.items():
        for metric in stage.metrics:
            unit = metric.noun if metric.noun and metric.detail else metric.quantity.stored
            budget = f"`{metric.budget}`" if metric.budget else ""
            cells = (f"`{module}`", f"`{metric.name}`", metric.title, unit, metric.better or "", metric.basis, budget)
            yield f"| {' | '.join(cells)} |"


def table() -> str:
    """Return the table as Markdown."""
    return "\n".join(rows()) + "\n"


if __name__ == "__main__":
    PAGE.write_text(MARKED.sub(lambda _: table(), PAGE.read_text(encoding="utf-8")), encoding="utf-8")
