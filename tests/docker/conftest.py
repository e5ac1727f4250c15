"""A real Docker engine, a real image, and a checkout to use them from."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from pipeline.engine.docker import image as docker_image
from tests.conftest import ROOT, Project

START_SECONDS = 60
BASE = next(
    line.removeprefix("ARG BASE_IMAGE=")
    for line in (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8").splitlines()
    if line.startswith("ARG BASE_IMAGE=")
)
Compose = Callable[..., str]


def docker(*words: str, check: bool = True) -> str:
    """Run docker; return what it printed."""
    done = subprocess.run(
        ["docker", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=900
    )
    assert not check or done.returncode == 0, done.stdout
    return done.stdout.strip()


def answers() -> bool:
    """Tell whether an engine answers."""
    return shutil.which("docker") is not None and _ends_well("docker", "version")


def _ends_well(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Use the machine's engine, or start one where that can be done, and end it afterwards."""
    if answers():
        yield
        return
    if os.geteuid() or not all(map(shutil.which, ("docker", "dockerd"))):
        pytest.skip("no Docker engine can be had here: none runs, and starting one takes root and docker.io")
    log = tmp_path_factory.mktemp("engine") / "log"
    with log.open("wb") as file, subprocess.Popen(["dockerd"], stdout=file, stderr=file) as started:
        end = time.monotonic() + START_SECONDS
        while not answers():
            if started.poll() is not None or time.monotonic() > end:
                started.terminate()
                pytest.skip(f"no Docker engine can be had here: {log.read_text().splitlines()[-1]}")
            time.sleep(0.2)
        yield
        started.terminate()


@pytest.fixture(scope="session")
def checkouts(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Project]:
    """Return what makes a new checkout, under a path with a space and letters beyond ASCII."""

    def make() -> Project:
        folder = tmp_path_factory.mktemp("ein Prüfstand")
        for name in docker_image.context_files(ROOT):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        shutil.copytree(ROOT / "experiments", folder / "experiments")
        return Project(folder)

    return make


@pytest.fixture
def checkout(checkouts: Callable[[], Project], image: str) -> Project:
    """Return a checkout of one's own whose image is made."""
    del image
    return checkouts()


@pytest.fixture(scope="session")
def image(engine: None, checkouts: Callable[[], Project]) -> str:
    """Make the image as a user does; where there is no registry, on a base from docker/make-base-image."""
    del engine
    if docker("image", "inspect", BASE, check=False).startswith("[]") and shutil.which("debootstrap"):
        subprocess.run([ROOT / "docker" / "make-base-image"], check=True)
    checkouts().doit("image", timeout=900)
    return "unroll"


def composes() -> dict[str, Sequence[str]]:
    """Find Compose v1 (Debian's docker-compose) and v2 or later (the plugin, or the dev lock's)."""
    found: dict[str, Sequence[str]] = {}
    for command in (("/usr/bin/docker-compose",), (f"{sys.prefix}/bin/docker-compose",), ("docker", "compose")):
        if shutil.which(command[0]):
            said = subprocess.run([*command, "version", "--short"], capture_output=True, text=True, check=False)
            if said.returncode == 0:
                found["v1" if said.stdout.startswith("1.") else "v2"] = command
    return found


@pytest.fixture(params=["v1", "v2"])
def compose(request: pytest.FixtureRequest, checkout: Project) -> Compose:
    """Return what runs a command of Compose, of either generation, in the checkout."""
    command = composes().get(request.param)
    if command is None:
        pytest.skip(f"Compose {request.param} is not installed")

    def run(*words: str, check: int | None = 0, **environment: str) -> str:
        more = ["-T"] if words[0] == "run" else []
        done = subprocess.run(
            [*command, "-f", "docker/compose.yaml", words[0], *more, *words[1:]],
            cwd=checkout.folder,
            env={**checkout.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=900,
        )
        assert check is None or done.returncode == check, done.stdout
        assert "Traceback" not in done.stdout
        return done.stdout

    return run


def running(project: Project) -> str:
    """Return the id of the container that works in a project."""
    return docker("ps", "--quiet", "--filter", f"volume={project.folder}/build")
