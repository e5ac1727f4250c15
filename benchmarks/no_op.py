"""doit with nothing to do, against a process that only imports doit; and what it must not import.

Nothing is built: the results are laid down as a build leaves them (``benchmarks/recorded.py``).
"""

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.side_by_side import DOIT, ROOT, Run, alternate, compare, project, run, show

SHIPPED_RATIO, MANY_RATIO = 1.6, 2.5
MANY = 200
FORBIDDEN = ("tensorflow", "numpy", "textual")

IMPORT = (sys.executable, "-c", "import doit.doit_cmd")
BARE, DEFAULT, ALL = "import doit.doit_cmd", "doit (the default experiment)", "doit build (all that are shipped)"
OWN = f"doit build ({MANY} with results of their own)"
TARGETS = {DEFAULT: SHIPPED_RATIO, ALL: SHIPPED_RATIO, OWN: MANY_RATIO}


def main() -> int:
    """Compare; return 0 when the targets are met and nothing heavy is imported."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with project() as shipped, project() as many:
        _lay_down(shipped)
        _lay_down(many, "--copies", str(MANY))
        runs = alternate(
            {
                BARE: lambda: run(IMPORT, shipped),
                DEFAULT: _no_op([*DOIT], shipped),
                ALL: _no_op([*DOIT, "build"], shipped),
                OWN: _no_op([*DOIT, "build"], many),
            },
            rounds,
        )
        light = _show_imports(shipped)
    wall = {name: [each.seconds for each in measured] for name, measured in runs.items()}
    processor = {name: [each.processor_seconds for each in measured] for name, measured in runs.items()}
    met = [compare("nothing to do, wall time", wall, TARGETS), compare("processor time", processor, TARGETS)]
    return 0 if all(met) and light else 1


def _lay_down(folder: Path, *options: str) -> None:
    """Lay down results in a project with that project's code, whose digests are part of them."""
    run([sys.executable, str(ROOT / "benchmarks" / "recorded.py"), *options], folder, PYTHONPATH=f".:{ROOT}")


def _no_op(command: Sequence[str], folder: Path) -> Callable[[], Run]:
    """Return what measures a command; its first run, which still writes bytecode, does not count."""

    def measure() -> Run:
        done = run(command, folder)
        if "up to date" not in done.output:
            sys.exit(f"{' '.join(command)} found something to do:\n{done.output}")
        return done

    measure()
    return measure


def _show_imports(folder: Path) -> bool:
    """Print what a no-op imports; return whether none of it is forbidden."""
    done = run([sys.executable, "-X", "importtime", *DOIT[1:], "build"], folder)
    lines = re.findall(r"^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)$", done.errors, re.MULTILINE)
    packages: dict[str, list[int]] = {}
    for microseconds, module in lines:
        packages.setdefault(module.partition(".")[0], []).append(int(microseconds))
    rows = [[name, str(len(packages.get(name, []))), "none allowed"] for name in FORBIDDEN]
    dearest = sorted(packages, key=lambda name: -sum(packages[name]))[:8]
    rows += [[name, str(len(packages[name])), f"{sum(packages[name]) / 1e3:.1f} ms"] for name in dearest]
    show("modules imported by a no-op", ["package", "modules", "own time under -X importtime"], rows)
    return not any(name in packages for name in FORBIDDEN)


if __name__ == "__main__":
    sys.exit(main())
