"""doit with nothing to do, against a process that only imports doit; and what it must not import."""

import argparse
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.side_by_side import DOIT, ROOT, alternate, compare, project, run, show

SHIPPED_RATIO, MANY_RATIO = 1.6, 3.0
MANY = 200
FORBIDDEN = ("tensorflow", "numpy", "textual")

IMPORT = (sys.executable, "-c", "import doit.doit_cmd")
BARE, DEFAULT, ALL = "import doit.doit_cmd", "doit (the default experiment)", "doit build (all that are shipped)"
SAME, DISTINCT = f"doit build ({MANY} of equal content)", f"doit build ({MANY} with results of their own)"


def main() -> int:
    """Compare; return 0 when the targets are met and nothing heavy is imported."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with project() as shipped, project() as same, project() as distinct:
        _build_shipped(shipped)
        for folder in (same, distinct):
            _build_tiny(folder)
        for number in range(1, MANY):
            shutil.copy2(same / "experiments" / "tiny.toml", same / "experiments" / f"tiny-{number:03d}.toml")
        run([sys.executable, str(ROOT / "benchmarks" / "many.py"), "tiny", str(MANY - 1)], distinct, PYTHONPATH=".")
        for folder in (same, distinct):
            run([*DOIT, "build"], folder)
            _expect_only_restored(folder)
        times = alternate(
            {
                BARE: lambda: run(IMPORT, shipped).seconds,
                DEFAULT: _no_op([*DOIT], shipped),
                ALL: _no_op([*DOIT, "build"], shipped),
                SAME: _no_op([*DOIT, "build"], same),
                DISTINCT: _no_op([*DOIT, "build"], distinct),
            },
            rounds,
        )
        light = _show_imports(shipped)
    targets = {DEFAULT: SHIPPED_RATIO, ALL: SHIPPED_RATIO, SAME: MANY_RATIO, DISTINCT: MANY_RATIO}
    return 0 if compare("nothing to do", times, targets) and light else 1


def _build_shipped(folder: Path) -> None:
    """Build what is shipped, from few samples: a no-op does not look at how many there were."""
    file = folder / "experiments" / "mnist-gru.toml"
    text = file.read_text("utf-8").replace("[dataset]", "[dataset]\ntrain_samples = 2000\ntest_samples = 100", 1)
    file.write_text(text, "utf-8")
    run([*DOIT, "build"], folder)


def _build_tiny(folder: Path) -> None:
    (folder / "experiments" / "mnist-gru.toml").unlink()
    run([*DOIT, "build"], folder)


def _expect_only_restored(folder: Path) -> None:
    """End the benchmark unless the last build of a folder restored every stage it looked at."""
    last = (folder / "build" / "events.jsonl").read_text("utf-8").rpartition('"run_started"')[2]
    if '"stage_started"' in last or '"stage_restored"' not in last:
        sys.exit("the many experiments were not restored from the store")


def _no_op(command: Sequence[str], folder: Path) -> Callable[[], float]:
    """Return what measures a command; its first run, which still writes bytecode, does not count."""

    def measure() -> float:
        done = run(command, folder)
        if "up to date" not in done.output:
            sys.exit(f"{' '.join(command)} found something to do:\n{done.output}")
        return done.seconds

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
