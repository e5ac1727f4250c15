"""The image that doit runs in: made from the project, and made again when what goes into it changed."""

import hashlib
import os
import platform
import subprocess
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec

from pipeline.engine.docker import command
from pipeline.engine.docker.command import DockerError

LABEL = "org.unroll.source"
"""The image's label with the digest of what went into it."""

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")  # apt knows the latter
BUILD_ARGUMENTS = ("BASE_IMAGE", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", *PROXIES)

Say = Callable[[str], None]

_MISSING = "there is none yet"


class _Image(msgspec.Struct, rename="pascal"):
    """What ``docker image inspect`` tells of an image."""

    architecture: str
    config: "_Config | None" = None


class _Config(msgspec.Struct, rename="pascal"):
    labels: dict[str, str] | None = None


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


def ensure_image(root: Path = Path(), say: Say = print, *, quiet_when_fresh: bool = False) -> None:
    """Make the image if there is none or what goes into it changed.

    An image that ``UNROLL_IMAGE`` names is somebody's own: it is used as it is.

    Raises:
        DockerError: Docker is not there or can't make it.

    """
    name, digest = image_name(), context_digest(root)
    reason = _why_to_make(name, digest)
    if reason is None:
        if not quiet_when_fresh:
            say(f"image {name}: up to date, nothing to do")
    elif "UNROLL_IMAGE" not in os.environ:
        say(f"image {name}: {reason}; making it")
        _make(root, name, digest)
    elif reason == _MISSING:
        message = f"image {name} (UNROLL_IMAGE) is not on this machine: docker pull {name}"
        raise DockerError(message)
    else:
        say(f"WARNING: image {name} (UNROLL_IMAGE): {reason}; what runs is the image")


def _why_to_make(name: str, digest: str) -> str | None:
    done = subprocess.run([command.path(), "image", "inspect", name], capture_output=True, text=True, check=False)
    if done.returncode:
        if "no such image" in done.stderr.lower():
            return _MISSING
        raise DockerError(command.sentence(done.stderr) or f"docker image inspect {name}: {done.stderr.strip()}")
    (image,) = msgspec.json.decode(done.stdout, type=list[_Image])
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    if image.architecture != machine:
        return f"it is for {image.architecture} and this machine is {machine}: emulated, TensorFlow is slow or crashes"
    if ((image.config and image.config.labels) or {}).get(LABEL) != digest:
        return "it is older than the source, or made from another"
    return None


def _make(root: Path, name: str, digest: str) -> None:
    given = [word for argument in BUILD_ARGUMENTS if os.environ.get(argument) for word in ("--build-arg", argument)]
    line = [command.path(), "build", "--file", "docker/Dockerfile", "--tag", name, "--label", f"{LABEL}={digest}"]
    last: deque[str] = deque(maxlen=100)
    with subprocess.Popen(
        [*line, *given, "."],
        cwd=root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, "BUILDKIT_PROGRESS": "plain"},
    ) as child:
        assert child.stdout is not None  # noqa: S101 - for mypy: it is a pipe
        for printed in child.stdout:
            print(printed, end="", flush=True)  # noqa: T201 - a build of minutes shows what it does
            last.append(printed)
    if child.returncode:
        raise DockerError(command.sentence("".join(last)) or "the image could not be made; the lines above say why")
