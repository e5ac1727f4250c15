"""What a change costs: another accelerator, other units, and returning to each earlier setting."""

import argparse
import json
import re
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.side_by_side import DOIT, project, run, show

VELA_SECONDS = 3.0
"""How long the work after a change of ``[vela]`` may take."""

VELA, VELA_BACK = "another accelerator", "back to the first one"
UNITS, UNITS_BACK = "other units", "back to the first units"
BACK = (VELA_BACK, UNITS_BACK)


@dataclass(frozen=True)
class Cost:
    """What one build after a change came to."""

    wall: float
    """Seconds of the whole doit process."""
    work: float
    """Seconds of the stages that ran."""
    made: tuple[str, ...]
    restored: tuple[str, ...]


def main() -> int:
    """Measure; return 0 when a change of ``[vela]`` is cheap and returning runs nothing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--experiment", default="tiny")
    options = parser.parse_args()
    costs: dict[str, list[Cost]] = {name: [] for name in (VELA, VELA_BACK, UNITS, UNITS_BACK)}
    with project() as folder:
        _keep_only(folder, options.experiment)
        _build(folder)
        for _ in range(options.rounds):
            for name, cost in _one_round(folder, options.experiment).items():
                costs[name].append(cost)
    rows = [_row(name, found) for name, found in costs.items()]
    title = f"{options.experiment}: build after a change, {options.rounds} rounds, medians"
    show(title, ["change to", "wall", "work", "made", "restored", "target"], rows)
    return 0 if all(_met(name, found) for name, found in costs.items()) else 1


def _keep_only(folder: Path, experiment: str) -> None:
    for file in (folder / "experiments").glob("*.toml"):
        if file.stem != experiment:
            file.unlink()


def _one_round(folder: Path, experiment: str) -> dict[str, Cost]:
    """Change and return twice, each change to something the store does not remember."""
    file = folder / "experiments" / f"{experiment}.toml"
    before = file.read_text("utf-8")
    other = "ethos-u55-128" if "ethos-u55-256" in before else "ethos-u55-256"
    changes = {
        VELA: re.sub(r'^accelerator = ".*"', f'accelerator = "{other}"', before, flags=re.MULTILINE),
        VELA_BACK: before,
        UNITS: re.sub(r"^units = (\d+)", lambda found: f"units = {int(found[1]) + 8}", before, flags=re.MULTILINE),
        UNITS_BACK: before,
    }
    run([*DOIT, "prune", "--keep", "0B"], folder)
    costs = {}
    for name, text in changes.items():
        file.write_text(text, "utf-8")
        costs[name] = _build(folder)
    return costs


def _build(folder: Path) -> Cost:
    file = folder / "build" / "events.jsonl"
    known = file.stat().st_size if file.exists() else 0
    done = run([*DOIT, "build"], folder)
    events: list[dict[str, Any]] = [json.loads(line) for line in file.read_bytes()[known:].splitlines()]
    made = [event for event in events if event["event"] == "stage_done"]
    restored = [event for event in events if event["event"] == "stage_restored"]
    return Cost(
        wall=done.seconds,
        work=sum(event["seconds"] for event in made),
        made=tuple(event["stage"] for event in made),
        restored=tuple(event["stage"] for event in restored),
    )


def _met(name: str, costs: list[Cost]) -> bool:
    if name == VELA:
        return _work(costs) < VELA_SECONDS and all(cost.made == ("vela",) for cost in costs)
    return all(bool(cost.restored) and not cost.made for cost in costs) if name in BACK else True


def _row(name: str, costs: list[Cost]) -> list[str]:
    wall = statistics.median(cost.wall for cost in costs)
    target = f"under {VELA_SECONDS:g} s of work: " if name == VELA else "restored only: " if name in BACK else ""
    verdict = ("met" if _met(name, costs) else "MISSED") if target else ""
    stages = [_named(costs[0].made), _named(costs[0].restored)]
    return [name, f"{wall:.2f} s", f"{_work(costs):.2f} s", *stages, target + verdict]


def _named(stages: tuple[str, ...]) -> str:
    return f"{len(stages)} stages" if len(stages) > 1 else "".join(stages) or "nothing"


def _work(costs: list[Cost]) -> float:
    return statistics.median(cost.work for cost in costs)


if __name__ == "__main__":
    sys.exit(main())
