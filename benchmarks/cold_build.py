"""A cold build of mnist-gru against the guide's single script doing the same steps in one process."""

import argparse
import json
import os
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.side_by_side import DOIT, ROOT, accuracy, alternate, compare, project, run, show

EXPERIMENT = "mnist-gru"
TARGET_RATIO = 1.0
GUIDE, OURS = "the guide's script", f"doit build:{EXPERIMENT}"
QUIET = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "1"}
"""What our stages set for themselves, given to the guide's script too."""

Document = dict[str, Any]


def main() -> int:
    """Compare; return 0 when ours is as fast and as accurate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    if "UNROLL_DATA" not in os.environ:
        sys.exit("set UNROLL_DATA: this compares builds from local MNIST, not downloads or stand-ins")
    guides: list[Document] = []
    builds: list[dict[str, Document]] = []
    times = alternate({GUIDE: lambda: _guide(guides), OURS: lambda: _build(builds)}, rounds)
    fast = compare("cold build", times, {OURS: TARGET_RATIO})
    _show_guide([guide["seconds"] for guide in guides])
    _show_stages(builds)
    accuracies = [build[f"{EXPERIMENT}/accuracy"]["metrics"] for build in builds]
    show(
        "accuracy over the test set, median",
        ["", "float", "int8"],
        [[GUIDE, *_accuracy(guides)], [OURS, *_accuracy(accuracies)]],
    )
    accurate = _median_accuracy(accuracies, "quantized") >= _median_accuracy(guides, "quantized")
    return 0 if fast and accurate else 1


def _guide(found: list[Document]) -> float:
    done = run([sys.executable, str(ROOT / "benchmarks" / "guide.py")], ROOT, **QUIET)
    found.append(json.loads(done.output.splitlines()[-1]))
    return done.seconds


def _build(found: list[dict[str, Document]]) -> float:
    with project() as folder:
        done = run([*DOIT, f"build:{EXPERIMENT}"], folder)
        found.append(_records(folder / "build"))
    return done.seconds


def _records(build: Path) -> dict[str, Document]:
    """Read ``stage.json`` of every stage, in the order in which they ended."""
    files = [*build.glob(f"{EXPERIMENT}/*/stage.json"), *build.glob(f"{EXPERIMENT}/vela/*/stage.json")]
    records = {file.parent.relative_to(build).as_posix(): json.loads(file.read_bytes()) for file in files}
    return dict(sorted(records.items(), key=lambda item: float(item[1]["finished"])))


def _show_guide(laps: Sequence[Document]) -> None:
    rows = [[step, f"{_median(laps, step):.1f} s"] for step in laps[0]]
    show("the guide's script, median by step", ["step", "seconds"], rows)


def _show_stages(builds: Sequence[dict[str, Document]]) -> None:
    rows = []
    for name in builds[0]:
        records = [build[name] for build in builds]
        seconds, importing = _median(records, "seconds"), _median(records, "seconds_importing")
        memory = f"{_median(records, 'peak_memory_bytes') / 1e6:,.0f} MB"
        rows.append([name, f"{seconds:.1f} s", f"{importing:.1f} s", f"{seconds - importing:.1f} s", memory])
    total, loading = (
        sum(_median([build[name] for build in builds], key) for name in builds[0])
        for key in ("seconds", "seconds_importing")
    )
    rows.append(["all stages", f"{total:.1f} s", f"{loading:.1f} s", f"{total - loading:.1f} s", ""])
    show("our stages, median", ["result", "process", "importing", "the rest", "peak memory"], rows)


def _accuracy(found: Sequence[Document]) -> list[str]:
    return [f"{100 * _median_accuracy(found, form):.2f} %" for form in ("float", "quantized")]


def _median_accuracy(documents: Sequence[Document], form: str) -> float:
    return statistics.median(accuracy(document, form) for document in documents)


def _median(documents: Sequence[Document], key: str) -> float:
    return statistics.median(float(document[key]) for document in documents)


if __name__ == "__main__":
    sys.exit(main())
