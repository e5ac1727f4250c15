"""The build inside Docker, asked for on the host: make the image when what goes into it changed, run tasks in it.

Only the ``docker`` command is used, so whatever it is set up to talk to (a context, a rootless engine) is talked to.
"""

import hashlib
import os
import platform
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import msgspec

from pipeline.errors import UnrollError
from pipeline.folders import BUILD, EXPERIMENTS

LABEL = "org.unroll.source"
"""The image's label with the digest of what went into it."""

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")  # apt knows the latter
BUILD_ARGUMENTS = ("BASE_IMAGE", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", *_PROXIES)
PASSED_ON = ("TERM", "COLORTERM", "NO_COLOR", *_PROXIES)
"""Variables that a run gets from the host, where they are set; the arguments likewise when the image is made."""

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
_NOT_RUNNING = "the Docker engine is not running: start it (sudo systemctl start docker, or Docker Desktop)"
_NO_BASE = (
    "the base image can't be had from a registry: as root, docker/make-base-image makes it from a Debian mirror;"
    " or name one you have: BASE_IMAGE=<name> ./doitw image"
)
_SENTENCES = {
    "permission denied while trying to connect": (
        "this user may not use Docker: sudo usermod -aG docker $USER and log in again, or set up rootless Docker"
    ),
    "cannot connect to the docker daemon": _NOT_RUNNING,
    "failed to connect to the docker api": _NOT_RUNNING,
    "error during connect": _NOT_RUNNING,
    "no space left on device": (
        "the disk is full and the image was not made: docker system prune frees what Docker no longer needs"
    ),
    "pull access denied": _NO_BASE,
    "manifest unknown": _NO_BASE,
    "failed to resolve": _NO_BASE,
    "dial tcp": _NO_BASE,
}
"""What docker says, in lower case -> what we say of it."""

Say = Callable[[str], None]


class DockerError(UnrollError):
    """Docker can't do what was asked; the sentence says why and what to do."""


class _Image(msgspec.Struct, rename="pascal"):
    """What ``docker image inspect`` tells of an image."""

    architecture: str
    config: "_Config | None" = None


class _Config(msgspec.Struct, rename="pascal"):
    labels: dict[str, str] | None = None


def inside() -> bool:
    """Tell whether this process runs in a container."""
    return os.path.exists("/.dockerenv") or "container" in os.environ


def image_name() -> str:
    """Return the image that is made and run: ``unroll``, or one of your own named by ``UNROLL_IMAGE``."""
    return os.environ.get("UNROLL_IMAGE") or "unroll"


def context_files(root: Path = Path()) -> list[Path]:
    """Return the files that go into the image, relative to the project, as ``.dockerignore`` lists them."""
    lines = (root / ".dockerignore").read_text(encoding="utf-8").splitlines()
    found: set[Path] = set()
    for name in (line[1:] for line in lines if line.startswith("!")):
        path = root / name
        inner = path.rglob("*") if path.is_dir() else [path]
        found |= {file.relative_to(root) for file in inner if file.is_file() and "__pycache__" not in file.parts}
    return sorted(found)


def context_digest(root: Path = Path()) -> str:
    """Return the digest of names and contents of all that goes into the image, and of the base's name."""
    total = hashlib.sha256(os.environ.get("BASE_IMAGE", "").encode())
    for file in context_files(root):
        content = hashlib.sha256((root / file).read_bytes()).hexdigest()
        total.update(f"{content}  {file.as_posix()}\n".encode())
    return total.hexdigest()


def ensure_image(say: Say = print, *, quiet_when_fresh: bool = False) -> None:
    """Make the image if there is none or what goes into it changed.

    An image that ``UNROLL_IMAGE`` names is somebody's own: it is used as it is.

    Raises:
        DockerError: Docker is not there or can't make it.

    """
    name, digest = image_name(), context_digest()
    reason = _why_to_make(name, digest)
    if reason is None:
        if not quiet_when_fresh:
            say(f"image {name}: up to date, nothing to do")
    elif "UNROLL_IMAGE" not in os.environ:
        say(f"image {name}: {reason}; making it")
        _make(name, digest)
    elif reason == _MISSING:
        message = f"image {name} (UNROLL_IMAGE) is not on this machine: docker pull {name}"
        raise DockerError(message)
    else:
        say(f"WARNING: image {name} (UNROLL_IMAGE): {reason}; what runs is the image")


_MISSING = "there is none yet"


def _why_to_make(name: str, digest: str) -> str | None:
    done = subprocess.run([_docker(), "image", "inspect", name], capture_output=True, text=True, check=False)
    if done.returncode:
        if "no such image" in done.stderr.lower():
            return _MISSING
        raise DockerError(_sentence(done.stderr) or f"docker image inspect {name}: {done.stderr.strip()}")
    (image,) = msgspec.json.decode(done.stdout, type=list[_Image])
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    if image.architecture != machine:
        return f"it is for {image.architecture} and this machine is {machine}: emulated, TensorFlow is slow or crashes"
    if ((image.config and image.config.labels) or {}).get(LABEL) != digest:
        return "it is older than the source, or made from another"
    return None


def _make(name: str, digest: str) -> None:
    given = [word for argument in BUILD_ARGUMENTS if os.environ.get(argument) for word in ("--build-arg", argument)]
    command = [_docker(), "build", "--file", "docker/Dockerfile", "--tag", name, "--label", f"{LABEL}={digest}"]
    last: deque[str] = deque(maxlen=100)
    with subprocess.Popen(
        [*command, *given, "."],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, "BUILDKIT_PROGRESS": "plain"},
    ) as child:
        assert child.stdout is not None  # noqa: S101 - for mypy: it is a pipe
        for line in child.stdout:
            print(line, end="", flush=True)  # noqa: T201 - a build of minutes shows what it does
            last.append(line)
    if child.returncode:
        raise DockerError(_sentence("".join(last)) or "the image could not be made; the lines above say why")


def run(words: list[str], say: Say = print) -> int:
    """Run what ``./doitw WORDS`` would do in a container; return its exit code.

    Ctrl-C and SIGTERM stop the container as they stop a build: what is finished stays.

    Raises:
        DockerError: Docker is not there, or there is no image and none can be made.

    """
    ensure_image(say, quiet_when_fresh=True)
    terminal = ("--interactive", "--tty") if os.isatty(0) and os.isatty(1) else ()
    command = [_docker(), "run", "--rm", *SANDBOX, *terminal, *_mounts(), *_environment(), image_name(), *words]
    with subprocess.Popen(command) as child, _passing_on_signals(child):
        code = child.wait()
    if code == _COULD_NOT_START:
        say("Docker could not run the container, or lost it; its own words are above. What finished is kept.")
    elif code == _KILLED:
        say(
            "the container was killed (docker kill, or memory ran out)."
            " What finished is kept; the same command goes on from there."
        )
    return code


def _mounts() -> Iterator[str]:
    places = [(BUILD, "/unroll/build", ""), (EXPERIMENTS, "/unroll/experiments", "")]
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


def _docker() -> str:
    found = shutil.which("docker")
    if found is None:
        message = "Docker is not installed (no docker on PATH). Install it, or build on this machine: ./doitw"
        raise DockerError(message)
    return found


def _sentence(said: str) -> str | None:
    return next((sentence for words, sentence in _SENTENCES.items() if words in said.lower()), None)
