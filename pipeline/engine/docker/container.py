"""Run doit in a container of the image."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from pipeline.engine.docker import command
from pipeline.engine.docker.image import PROXIES, Say, ensure_image, image_name
from pipeline.folders import BUILD, EXPERIMENTS

PASSED_ON = ("TERM", "COLORTERM", "NO_COLOR", *PROXIES)
"""Variables that a run gets from the host, where they are set; the arguments of the image likewise when it is made."""

SANDBOX = (
    "--init",
    "--read-only",
    "--tmpfs=/tmp:exec,mode=1777",
    "--user=0:0",  # until docker/entrypoint has become the owner of experiments/
    "--cap-drop=ALL",
    "--cap-add=CHOWN",
    "--cap-add=SETGID",
    "--cap-add=SETUID",
    "--security-opt=no-new-privileges:true",
)
"""How a container is run; ``docker/compose.yaml`` says the same."""

_COULD_NOT_START, _KILLED = 125, 128 + signal.SIGKILL


def run(words: list[str], root: Path = Path(), say: Say = print) -> int:
    """Run what ``./doitw WORDS`` would do in a container; return its exit code.

    Ctrl-C and SIGTERM stop the container as they stop a build: what is finished stays.

    Raises:
        DockerError: Docker is not there, or there is no image and none can be made.

    """
    ensure_image(root, say, quiet_when_fresh=True)
    terminal = ("--interactive", "--tty") if os.isatty(0) and os.isatty(1) else ()
    line = [command.path(), "run", "--rm", *SANDBOX, *terminal, *mounts(root), *_environment(), image_name(), *words]
    with subprocess.Popen(line) as child, _passing_on_signals(child):
        code = child.wait()
    if code == _COULD_NOT_START:
        say("Docker could not run the container, or lost it; its own words are above. What finished is kept.")
    elif code == _KILLED:
        say(
            "the container was killed (docker kill, or memory ran out)."
            " What finished is kept; the same command goes on from there."
        )
    return code


def mounts(root: Path = Path()) -> Iterator[str]:
    """Yield the options that mount a project and what the variables name, and that tell the container of these."""
    places = [(root / BUILD, "/unroll/build", ""), (root / EXPERIMENTS, "/unroll/experiments", "")]
    for variable, target, mode in (("UNROLL_DATA", "/data", ",readonly"), ("UNROLL_CACHE", "/cache", "")):
        folder = os.environ.get(variable)
        if folder and os.path.isdir(folder):
            places.append((Path(folder), target, mode))
            yield f"--env={variable}={target}"
    if key := os.environ.get("UNROLL_CACHE_KEY"):
        yield "--env=UNROLL_CACHE_KEY=/cache-key"  # a key that is not there is one that can't be read inside, either
        if os.path.isfile(key):
            places.append((Path(key), "/cache-key", ",readonly"))
    for source, target, mode in places:
        yield f'--mount=type=bind,"source={source.resolve()}",target={target}{mode}'


def _environment() -> Iterator[str]:
    yield from (f"--env={name}" for name in PASSED_ON if name in os.environ)


@contextmanager
def _passing_on_signals(child: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Outlive the signals that end the container, so that its exit code is known.

    A terminal sends Ctrl-C to docker as well; SIGTERM is meant for us alone and passed on.
    """

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGTERM:
            child.send_signal(number)

    if threading.current_thread() is not threading.main_thread():  # doit -n 2: only the main thread has signals
        yield
        return
    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
