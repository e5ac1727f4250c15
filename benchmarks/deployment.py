"""Our deployment graph beside the guide's, of the same trained weights: cycles, flash, accuracy, time to convert."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.side_by_side import DOIT, Metrics, accuracy, alternate, compare, project, run, show, stage_metrics

SHIPPED = {"gru": "mnist-gru", "lstm": "mnist-lstm", "simple_rnn": "mnist-simple-rnn"}
NPUS = {
    "u55-128": ("ethos-u55-128", "Ethos_U55_High_End_Embedded"),
    "u65-512": ("ethos-u65-512", "Ethos_U65_High_End"),
    "u85-512": ("ethos-u85-512", "Ethos_U85_SYS_DRAM_Mid"),
}
FORMS = {
    "keras": 'graph = "keras"',
    "tied": "",
    "state, 7 steps": "state = true\nsteps_per_inference = 7",
    "state, 1 step": "state = true\nsteps_per_inference = 1",
    "int16": "",
    "int16, state": "state = true\nsteps_per_inference = 1",
}
CYCLES: Mapping[str, Mapping[str, int]] = {
    "gru": {
        "u55-128 Shared_Sram": 5_360_000,
        "u55-128 Sram_Only": 775_000,
        "u65-512 Shared_Sram": 1_440_000,
        "u65-512 Sram_Only": 373_000,
        "u85-512 Shared_Sram": 800_000,
        "u85-512 Sram_Only": 263_000,
    },
    "lstm": {"u55-128 Shared_Sram": 7_150_000, "u55-128 Sram_Only": 1_030_000},
    "simple_rnn": {"u55-128 Shared_Sram": 1_790_000, "u55-128 Sram_Only": 270_000},
}
"""At most so many cycles for an inference, by either of Vela's strategies."""
FLASH_KIB = {"gru": 228, "lstm": 302}
POINTS_BELOW_FLOAT = {
    "gru": {"tied": 0.10, "state": 0.10, "int16": 0.02},
    "lstm": {"tied": 0.15, "state": 0.15, "int16": 0.02},
    "simple_rnn": {"tied": 0.25, "state": 0.45, "int16": 0.02},
}
CONVERT_RATIO = 1.5


def main() -> int:
    """Build every form of every cell; return 0 when all figures are reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", nargs="+", choices=SHIPPED, default=list(SHIPPED))
    parser.add_argument("--rounds", type=int, default=3, help="of converting, ours and the guide's in turn")
    options = parser.parse_args()
    met = []
    with project() as folder:
        for cell in options.cells:
            _write(folder, cell)
            run([*DOIT, "build"], folder)
            met += [_cycles(folder, cell), _accuracy(folder, cell)]
        met.append(_converting(folder, options.cells[0], options.rounds))
    return 0 if all(met) else 1


def _name(cell: str, form: str) -> str:
    return f"{cell}-{form.replace(', ', '-').replace(' ', '-')}"


def _write(folder: Path, cell: str) -> None:
    """Replace the experiments by every form of a shipped one, which all train the same weights."""
    source = folder / "shipped" / f"{SHIPPED[cell]}.toml"
    if not source.exists():
        (folder / "experiments").rename(source.parent)
        (folder / "experiments").mkdir()
    text = source.read_text("utf-8").partition("[vela.targets")[0]
    for file in (folder / "experiments").glob("*.toml"):
        file.unlink()
    for form, deployment in FORMS.items():
        activations = "int16" if form.startswith("int16") else "int8"
        parts = [text, f"[deployment]\n{deployment}\n", f'[quantization]\nactivations = "{activations}"\n']
        parts += _targets(every=form in {"keras", "tied"})
        (folder / "experiments" / f"{_name(cell, form)}.toml").write_text("\n".join(parts), "utf-8")


def _targets(*, every: bool) -> list[str]:
    npus = list(NPUS.items()) if every else list(NPUS.items())[:1]
    return [
        f'[vela.targets.{npu}-{mode}-{strategy}]\naccelerator = "{accelerator}"\nsystem_config = "{system}"\n'
        f'memory_mode = "{mode}"\noptimise = "{strategy}"\n'
        for npu, (accelerator, system) in npus
        for mode in ("Shared_Sram", "Sram_Only")
        for strategy in ("Performance", "Size")
    ]


def _best(folder: Path, experiment: str, place: str) -> Metrics:
    """Return the result of the strategy with fewer cycles."""
    npu, mode = place.split()
    both = [stage_metrics(folder, experiment, f"vela/{npu}-{mode}-{strategy}") for strategy in ("Performance", "Size")]
    return min(both, key=lambda metrics: float(metrics["cycles_total"]))


def _flash_kib(folder: Path, experiment: str) -> float:
    """Return what Vela calls off-chip flash used: weights, biases and scales, without the command stream."""
    layers = folder / "build" / experiment / "vela" / "u55-128-Shared_Sram-Performance" / "layers.json"
    return float(json.loads(layers.read_bytes())["summary"]["off_chip_flash_memory_used"])


def _cycles(folder: Path, cell: str) -> bool:
    rows, met = [], []
    for place in (f"{npu} {mode}" for npu in NPUS for mode in ("Shared_Sram", "Sram_Only")):
        keras, tied = (_best(folder, _name(cell, form), place) for form in ("keras", "tied"))
        most = CYCLES[cell].get(place)
        on_cpu = tied["cpu_operators"]
        met.append(not on_cpu and (most is None or tied["cycles_total"] <= most))
        ratio = f"{keras['cycles_total'] / tied['cycles_total']:.2f}x"
        target = f"{most:,}: {'met' if met[-1] else 'MISSED'}" if most else ""
        rows.append(
            [place, f"{keras['cycles_total']:,.0f}", f"{tied['cycles_total']:,.0f}", ratio, f"{on_cpu}", target]
        )
    kib = [_flash_kib(folder, _name(cell, form)) for form in ("keras", "tied")]
    most = FLASH_KIB.get(cell)
    met.append(most is None or kib[1] <= most)
    target = f"{most} KiB: {'met' if met[-1] else 'MISSED'}" if most else ""
    rows.append(["flash, by Vela", f"{kib[0]:.0f} KiB", f"{kib[1]:.0f} KiB", f"{kib[0] / kib[1]:.2f}x", "", target])
    show(f"{cell}: cycles by Vela's estimate", ["", "keras", "tied", "gain", "CPU operators", "at most"], rows)
    return all(met)


def _accuracy(folder: Path, cell: str) -> bool:
    rows, met = [], []
    for form in FORMS:
        found = stage_metrics(folder, _name(cell, form), "accuracy")
        in_float, quantized = accuracy(found, "float"), accuracy(found, "quantized")
        points = 100 * (quantized - in_float)
        most = next((limit for word, limit in POINTS_BELOW_FLOAT[cell].items() if form.startswith(word)), None)
        met.append(most is None or points >= -most - 1e-9)
        target = f"{most:.2f} below: {'met' if met[-1] else 'MISSED'}" if most is not None else ""
        same = f"{found['streaming_identical']:,}" if "streaming_identical" in found else ""
        shown = [f"{in_float:.2%}", f"{quantized:.2%}"]
        rows.append([form, *shown, f"{points:+.2f}", same, target])
    show(f"{cell}: accuracy", ["", "float", "quantized", "points", "same bytes however cut", "at most"], rows)
    return all(met)


def _converting(folder: Path, cell: str, rounds: int) -> bool:
    """Time the work of both stages against the converter's, each in processes of their own, without imports."""

    def seconds(form: str, *stages: str) -> float:
        run([*DOIT, "clean", *(f"{stage}:{_name(cell, form)}" for stage in stages)], folder)
        run([*DOIT, "prune", "--keep", "0B"], folder)  # else the same bytes keep the times of their first making
        run([*DOIT, f"{stages[-1]}:{_name(cell, form)}"], folder)
        return sum(float(stage_metrics(folder, _name(cell, form), stage)["seconds"]) for stage in stages)

    _write(folder, cell)
    times = alternate(
        {
            "the guide's quantized stage, one TFLiteConverter call": lambda: seconds("keras", "quantized"),
            "ours: unrolled and quantized": lambda: seconds("tied", "unrolled", "quantized"),
        },
        rounds,
    )
    return compare("converting", times, {"ours: unrolled and quantized": CONVERT_RATIO})


if __name__ == "__main__":
    sys.exit(main())
