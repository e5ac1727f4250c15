"""The whole matrix of mnist-gru against one Vela run of the same model, and a second time against a no-op."""

import argparse
import os
import shutil
import sys
from pathlib import Path

from benchmarks.side_by_side import DOIT, alternate, compare, project, run

COLD_RATIO, WARM_RATIO = 12.0, 1.6
EXPERIMENT = "mnist-gru"
VELA = (sys.executable, "-m", "ethosu.vela")
TARGET = ("--accelerator-config", "ethos-u55-128", "--system-config", "Ethos_U55_High_End_Embedded")
ONE, ALL, AGAIN, NO_OP = "one Vela run", "doit matrix (cold)", "doit matrix (again)", "doit quantized (a no-op)"


def main() -> int:
    """Compare; return 0 when the targets are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with project() as folder:
        _build(folder)
        cold = alternate({ONE: lambda: _one_vela(folder), ALL: lambda: _cold(folder)}, rounds)
        doit = [*DOIT, f"matrix:{EXPERIMENT}"]
        warm = alternate(
            {
                NO_OP: lambda: run([*DOIT, f"quantized:{EXPERIMENT}"], folder).seconds,
                AGAIN: lambda: run(doit, folder).seconds,
            },
            3 * rounds,
        )
    load = f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(f"{load}; the matrix needs all of them, one Vela run only one")
    met = compare("every point of the matrix", cold, {ALL: COLD_RATIO})
    return 0 if compare("a second time", warm, {AGAIN: WARM_RATIO}) and met else 1


def _build(folder: Path) -> None:
    """Build the model from few samples: Vela's work depends on shapes, not on how well it was trained."""
    file = folder / "experiments" / f"{EXPERIMENT}.toml"
    text = file.read_text("utf-8").replace("[dataset]", "[dataset]\ntrain_samples = 2000\ntest_samples = 100", 1)
    file.write_text(text, "utf-8")
    run([*DOIT, f"quantized:{EXPERIMENT}"], folder)


def _one_vela(folder: Path) -> float:
    model = folder / "build" / EXPERIMENT / "quantized" / "quantized.tflite"
    shutil.rmtree(folder / "vela", ignore_errors=True)
    arguments = [str(model), "--config", "Arm/vela.ini", "--memory-mode", "Shared_Sram", "--output-dir", "vela"]
    return run([*VELA, *arguments, *TARGET, "--verbose-performance", "--show-cpu-operations"], folder).seconds


def _cold(folder: Path) -> float:
    """Compile every point with nothing of it remembered."""
    shutil.rmtree(folder / "build" / EXPERIMENT / "matrix", ignore_errors=True)
    for layers in (folder / "build" / ".store").glob("*/layers.json"):
        shutil.rmtree(layers.parent)
    return run([*DOIT, f"matrix:{EXPERIMENT}"], folder).seconds


if __name__ == "__main__":
    sys.exit(main())
