"""The ``docker`` command: whether it is there, and its words in ours."""

import shutil

from pipeline.errors import UnrollError

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


class DockerError(UnrollError):
    """Docker can't do what was asked; the sentence says why and what to do."""


def path() -> str:
    """Return the path of ``docker``.

    Raises:
        DockerError: it is not installed.

    """
    command = shutil.which("docker")
    if command is None:
        message = "Docker is not installed (no docker on PATH). Install it, or build on this machine: ./doitw"
        raise DockerError(message)
    return command


def sentence(printed: str) -> str | None:
    """Say in a sentence what docker printed of a failure, if we know better words."""
    return next((ours for words, ours in _SENTENCES.items() if words in printed.lower()), None)
