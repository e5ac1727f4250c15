"""What a checkout shows, read byte by byte, to be compared with what a clean one made."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import Project


@dataclass(frozen=True)
class Result:
    """A result as a reader of its folder sees it."""

    artefacts: Mapping[str, str]
    """File name -> sha256 of what was read just now."""
    metrics: Mapping[str, Any]


@dataclass
class Tally:
    """What a campaign did and saw."""

    attacks: int = 0
    compared: int = 0
    """Results that were called fresh, or lay in the store under a key, and were held against a clean reference."""
    refused: int = 0
    """Builds that ended because something changed under them."""
    wrong: list[str] = field(default_factory=list)
    """Those that were not what they should be."""
    tracebacks: list[str] = field(default_factory=list)
    """What was printed with a traceback in it."""

    def listen(self, printed: str) -> str:
        """Take what a command printed; return it."""
        if "Traceback" in printed:
            self.tracebacks.append(printed)
        return printed


def total(tallies: Sequence[Tally]) -> Tally:
    """Sum up."""
    return Tally(
        attacks=sum(each.attacks for each in tallies),
        compared=sum(each.compared for each in tallies),
        refused=sum(each.refused for each in tallies),
        wrong=[sentence for each in tallies for sentence in each.wrong],
        tracebacks=[printed for each in tallies for printed in each.tracebacks],
    )


def read_result(folder: Path) -> Result:
    """Read a result and its record."""
    record = json.loads((folder / "stage.json").read_bytes())
    artefacts = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "stage.json"
    }
    return Result(artefacts, record["metrics"])


def stored(project: Project) -> dict[str, list[Result]]:
    """Return every result of a checkout's store by its key."""
    results: dict[str, list[Result]] = {}
    for folder in (project.folder / "build" / ".store").glob("*.*"):
        results.setdefault(folder.name.partition(".")[0], []).append(read_result(folder))
    return results


def fresh(project: Project, tally: Tally, *names: str) -> dict[str, Result]:
    """Return the results that ``doit status`` calls fresh, by task."""
    printed = project.run("status", "--json", *names)
    rows = json.loads(tally.listen(printed))["stages"]
    return {row["task"]: read_result(project.folder / row["result"]) for row in rows if row["state"] == "fresh"}
