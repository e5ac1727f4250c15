"""``verify`` of shipped experiments on every accelerator and memory mode: how many samples are byte-identical."""

import argparse
import os
import sys
from pathlib import Path

from benchmarks.side_by_side import DOIT, Metrics, project, run, show, stage_metrics
from pipeline.npu import points


def main() -> int:
    """Verify; return 0 when every sample is identical."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiments", nargs="*", default=["mnist-gru"])
    parser.add_argument("--samples", type=int, default=1000)
    options = parser.parse_args()
    if "UNROLL_DATA" not in os.environ:
        sys.exit("set UNROLL_DATA: the samples are of real MNIST, not of a stand-in")
    missed = 0
    with project() as folder:
        for name in options.experiments:
            targets = _everywhere(folder, name, options.samples)
            run([*DOIT, "-n", str(os.cpu_count()), f"verify:{name}"], folder)
            found = {target: stage_metrics(folder, name, f"verify/{target}") for target in targets}
            missed += sum(metrics["identical_samples"] != options.samples for metrics in found.values())
            show(
                f"{name}, emulated",
                ["target", "identical to TFLite Micro", "difference", "accuracy", "verdict"],
                _rows(found),
            )
    return 1 if missed else 0


def _everywhere(folder: Path, name: str, samples: int) -> list[str]:
    """Give an experiment a target of every accelerator and usual memory mode; return their names."""
    file = folder / "experiments" / f"{name}.toml"
    text = file.read_text("utf-8")
    text = text[: text.index("[vela.targets.")]
    text += f"[verify]\nsamples = {samples}\n"
    names = []
    for point in points.points(every=False):
        target = point.name.replace(".", "-")
        settings = "".join(f'{key} = "{value}"\n' for key, value in point.as_config().items())
        text += f"\n[vela.targets.{target}]\n{settings}"
        names.append(target)
    file.write_text(text, "utf-8")
    return names


def _rows(found: dict[str, Metrics]) -> list[list[str]]:
    return [
        [
            target,
            f"{metrics['identical_samples']:,} of {metrics['emulated_samples']:,}",
            str(metrics["max_difference"]),
            f"{metrics['scores']['compiled']['accuracy']:.2%}",
            "; ".join([metrics["verdict"], *metrics["not_verified"]]),
        ]
        for target, metrics in found.items()
    ]


if __name__ == "__main__":
    sys.exit(main())
