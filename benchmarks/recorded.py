"""Lay down a result for every stage of every experiment of a project, as a build would have left it.

Runs no stage and loads no TensorFlow. To be run with the project as working directory and its code on the path.
"""

import argparse
import re

from pipeline import folders
from pipeline.experiments import experiment
from pipeline.experiments.schema import Experiment
from tests.tui.recorded import Recorded

MODEL = "tiny"


def main() -> None:
    """Lay down the results, with ``--copies`` those of so many experiments in place of the shipped ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--copies", type=int, default=0, help=f"how many to make from {MODEL}, each with its own seed")
    copies = parser.parse_args().copies
    if copies:
        _replace_experiments(copies)
    recorded = Recorded()
    for number, name in enumerate(experiment.names()):
        document = experiment.load(name)
        twins = (False, True) if isinstance(document, Experiment) and document.compress else (False,)
        for twin in twins:
            recorded.build(name, twin=twin, int8=0.98 - number / 10_000, cycles=6_000_000 - 2 * number - twin)
    recorded.project.hashes.save()


def _replace_experiments(copies: int) -> None:
    text = (folders.EXPERIMENTS / f"{MODEL}.toml").read_text("utf-8")
    for name in experiment.names():
        (folders.EXPERIMENTS / f"{name}.toml").unlink()
    for number in range(copies):
        seeded = re.sub(r"^\[training\]$", f"[training]\nseed = {number}", text, flags=re.MULTILINE)
        (folders.EXPERIMENTS / f"{MODEL}-{number:03d}.toml").write_text(seeded, "utf-8")


if __name__ == "__main__":
    main()
