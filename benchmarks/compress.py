"""The guide's path, our graph and the experiments with fewer cycles, side by side; how long compressing takes."""

import argparse
import os
import shutil
import sys
from pathlib import Path

from benchmarks.side_by_side import DOIT, accuracy, alternate, compare, project, run, show, stage_metrics

GUIDE, PLAIN, FAST, SMALL = "mnist-gru-keras", "mnist-gru", "mnist-gru-fast", "mnist-gru-small"
"""The first is made here: the second with the guide's graph, hence the same trained weights."""
FOLDED = "mnist-gru-fast-folded"
"""Made here, too: the third with two rows a step, which halves the floor that computing sets to its cycles."""
TARGET = "u55-128"
FAST_TIMES_FEWER = 7.0
LEAST_ACCURACY = {FAST: 0.980, SMALL: 0.982}
MOST_CYCLES = {SMALL: 235_000}
TUNING_RATIO = 1.5


def main() -> int:
    """Build and compare; return 0 when all figures are reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of training and fine-tuning in turn")
    rounds = parser.parse_args().rounds
    if "UNROLL_DATA" not in os.environ:
        sys.exit("set UNROLL_DATA: the figures are of real MNIST, not of a stand-in")
    with project() as folder:
        names = _experiments(folder)
        run([*DOIT, *(f"{stage}:{name}" for name in names for stage in ("accuracy", "vela"))], folder)
        met = _costs(folder, names)
        met &= _seconds(folder, rounds) if rounds else True
    return 0 if met else 1


def _experiments(folder: Path) -> list[str]:
    """Add those that are made here; return the names of those that there are."""
    experiments = folder / "experiments"
    text = (experiments / f"{PLAIN}.toml").read_text("utf-8")
    (experiments / f"{GUIDE}.toml").write_text(f'{text}\n[deployment]\ngraph = "keras"\n', "utf-8")
    text = (experiments / f"{FAST}.toml").read_text("utf-8").partition("[budget]")[0]
    (experiments / f"{FOLDED}.toml").write_text(text.replace("units = 256", "units = 256\nrows_per_step = 2"), "utf-8")
    return [GUIDE, PLAIN, FAST, FOLDED, SMALL]


def _costs(folder: Path, names: list[str]) -> bool:
    found = {
        name: stage_metrics(folder, name, f"vela/{TARGET}") | stage_metrics(folder, name, "accuracy") for name in names
    }
    guide = found[GUIDE]
    rows, met = [], []
    for name, metrics in found.items():
        times_fewer = guide["cycles_total"] / metrics["cycles_total"]
        failed = []
        if name == FAST and times_fewer < FAST_TIMES_FEWER:
            failed.append(f"{FAST_TIMES_FEWER:g}x fewer cycles")
        if name == FAST and accuracy(metrics, "quantized") < accuracy(guide, "quantized"):
            failed.append("the guide's accuracy")
        if accuracy(metrics, "quantized") < LEAST_ACCURACY.get(name, 0):
            failed.append(f"{LEAST_ACCURACY[name]:.1%}")
        if metrics["cycles_total"] > MOST_CYCLES.get(name, metrics["cycles_total"]):
            failed.append(f"{MOST_CYCLES[name]:,} cycles")
        met.append(not failed)
        rows.append(
            [
                name,
                f"{metrics['cycles_total']:,.0f}",
                f"{times_fewer:.1f}x",
                f"{metrics['flash_bytes'] / 1024:,.1f} KiB",
                f"{guide['flash_bytes'] / metrics['flash_bytes']:.1f}x",
                f"{accuracy(metrics, 'float'):.2%}",
                f"{accuracy(metrics, 'quantized'):.2%}",
                f"MISSED: {', '.join(failed)}" if failed else "met" if name in LEAST_ACCURACY else "",
            ]
        )
    columns = ["", "cycles, estimated", "fewer", "flash", "smaller", "float", "int8", "target"]
    show(f"on {TARGET}, against the guide's path", columns, rows)
    return all(met)


def _seconds(folder: Path, rounds: int) -> bool:
    """Time one epoch of training against compressing with one epoch of fine-tuning, without imports."""

    def seconds(stage: str) -> float:
        run([*DOIT, "clean", f"{stage}:{FAST}"], folder)
        run([*DOIT, "prune", "--keep", "0B"], folder)  # else the same bytes keep the times of their first making
        run([*DOIT, f"{stage}:{FAST}"], folder)
        return float(stage_metrics(folder, FAST, stage)["seconds"])

    # The other experiments show the same trained weights, which the store would bring back.
    for file in (folder / "experiments").glob("*.toml"):
        if file.stem != FAST:
            file.unlink()
    for results in (folder / "build").glob("mnist-*"):
        if results.name != FAST:
            shutil.rmtree(results)
    compressing = f"compressed:{FAST}"
    times = alternate(
        {f"network:{FAST}": lambda: seconds("network"), compressing: lambda: seconds("compressed")}, rounds
    )
    return compare("one epoch", times, {compressing: TUNING_RATIO})


if __name__ == "__main__":
    sys.exit(main())
