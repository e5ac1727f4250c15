"""A build with nothing to do in the container, against docker run of the same image with true."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.side_by_side import DOIT, ROOT, alternate, compare, project, run
from pipeline.engine.docker import container
from pipeline.engine.docker import image as docker_image

BARE, BUILD, IN_DOCKER = "docker run IMAGE true", "docker run IMAGE build:tiny", "doit in-docker build:tiny"
MOST = 2.0
"""How many times the bare container a no-op in it may take."""


def main() -> int:
    """Compare; return 0 when the target is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    run([*DOIT, "image"], ROOT)
    with project() as folder:
        _take_what_makes_the_image(folder)
        run([*DOIT, "in-docker", "build:tiny"], folder)
        mounts = [
            f"--mount=type=bind,source={folder}/{name},target=/unroll/{name}" for name in ("build", "experiments")
        ]
        started = ["docker", "run", "--rm", *container.SANDBOX, *mounts]
        image = docker_image.image_name()
        times = alternate(
            {
                BARE: lambda: run([*started, "--entrypoint=true", image], folder).seconds,
                BUILD: _no_op([*started, image, "build:tiny"], folder),
                IN_DOCKER: _no_op([*DOIT, "in-docker", "build:tiny"], folder),
            },
            rounds,
        )
    return 0 if compare("nothing to do, in a container", times, {BUILD: MOST}) else 1


def _take_what_makes_the_image(folder: Path) -> None:
    """Copy what the image is made of, so that it is the image of this folder, too."""
    for file in docker_image.context_files(ROOT):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes((ROOT / file).read_bytes())


def _no_op(command: Sequence[str], folder: Path) -> Callable[[], float]:
    def measure() -> float:
        done = run(command, folder)
        if done.output != "tiny: up to date, nothing to do (6 stages)\n":
            sys.exit(f"{' '.join(command)} found something to do:\n{done.output}")
        return done.seconds

    measure()
    return measure


if __name__ == "__main__":
    sys.exit(main())
