"""The emulated compiled file of mnist-gru against TensorFlow Lite Micro, per sample; the checks' time and memory."""

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.side_by_side import DOIT, alternate, compare, project, run
from pipeline.data import arrays
from pipeline.emulator.machine.machine import Machine
from pipeline.emulator.stream import program
from pipeline.experiments import experiment
from pipeline.runtime import emulated, micro
from pipeline.stage import Work
from pipeline.verification import proving

EXPERIMENT = "mnist-gru"
RATIO, PEAK_BYTES, CHECK_SECONDS = 1 / 1.5, 1 << 30, 10.0
MICRO, EMULATED = "TensorFlow Lite Micro", "the compiled file, emulated"


def main() -> int:
    """Compare; return 0 when the targets are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=10_000)
    options = parser.parse_args()
    with project() as folder:
        _build(folder)
        build = folder / "build" / EXPERIMENT
        quantized, compiled = (
            build / "quantized" / proving.QUANTIZED,
            next((build / "vela").iterdir()) / proving.COMPILED,
        )
        x, labels = arrays.load_part(build / "dataset", "test")
        x = x[arrays.spread(labels, options.samples)]
        checking = _seconds_of_checks(folder, quantized, compiled)
        machine = Machine(program.load(compiled))
        times = alternate(
            {
                MICRO: lambda: _seconds(lambda: micro.outputs(quantized, x, _ignore)),
                EMULATED: lambda: _seconds(lambda: emulated.outputs(quantized, machine, x, _ignore)),
            },
            options.rounds,
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {len(x):,} samples")
    print(f"checks of one target: {checking:.1f} s (at most {CHECK_SECONDS:.0f} s)")
    print(f"most memory: {peak / 2**20:,.0f} MiB (at most {PEAK_BYTES / 2**20:,.0f} MiB)")
    met = compare(f"{len(x):,} samples of {EXPERIMENT}", times, {EMULATED: RATIO})
    return 0 if met and peak < PEAK_BYTES and checking < CHECK_SECONDS else 1


def _build(folder: Path) -> None:
    """Build the model from few samples: the time of an inference does not depend on how well it was trained."""
    file = folder / "experiments" / f"{EXPERIMENT}.toml"
    text = file.read_text("utf-8").replace("[dataset]", "[dataset]\ntrain_samples = 2000", 1)
    file.write_text(text, "utf-8")
    run([*DOIT, f"vela:{EXPERIMENT}"], folder)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _ignore(done: int) -> None:
    """Take progress that nobody looks at."""


def _seconds_of_checks(folder: Path, quantized: Path, compiled: Path) -> float:
    """Time everything but the samples: planning, compiling once more, and every check."""
    (target,) = experiment.load(EXPERIMENT, folder / "experiments").vela.targets.values()
    with tempfile.TemporaryDirectory() as scratch:
        into = Path(scratch, "into")
        into.mkdir()
        work = Work(
            config=None,
            inputs={"quantized": quantized.parent, "compiled": compiled.parent},
            into=into,
            report=lambda **_: None,
        )
        return _seconds(lambda: proving.check(work, target, Machine(program.load(compiled))))


if __name__ == "__main__":
    sys.exit(main())
