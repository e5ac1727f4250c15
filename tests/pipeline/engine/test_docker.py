"""Docker from the host: what goes into the image, when it is made again, and what is said when Docker can't.

Docker itself is real where a test has one, and where the failure can be had: only what this machine's Docker does not
say is said by a stand-in on PATH. What needs an engine is in ``tests/test_docker.py``.
"""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from pipeline.engine.docker import container, image
from pipeline.engine.docker.command import DockerError
from tests.conftest import ROOT

needs_docker = pytest.mark.skipif(shutil.which("docker") is None, reason="needs the docker command")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a checkout with just enough in it, and with no engine."""
    for name in (
        ".dockerignore",
        "dodo.py",
        "requirements.lock",
        "docker/Dockerfile",
        "pipeline/engine/running/run.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    for name in ("UNROLL_IMAGE", "UNROLL_DATA", "UNROLL_CACHE", "UNROLL_CACHE_KEY", "BASE_IMAGE", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def _stand_in(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a command named docker before all others."""
    (folder / "bin").mkdir()
    (folder / "bin" / "docker").write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / "bin" / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder / "bin"), prepend=os.pathsep)


def _refusal(checkout: Path) -> str:
    with pytest.raises(DockerError) as caught:
        image.ensure_image(checkout)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_what_goes_into_the_image_is_what_a_build_and_the_tests_read_and_nothing_else() -> None:
    names = {file.as_posix() for file in image.context_files(ROOT)}
    assert {
        "dodo.py",
        "doitw",
        "requirements.lock",
        "pipeline/engine/running/run.py",
        "docker/Dockerfile",
        "tests/conftest.py",
    } <= names
    assert not [name for name in names if name.startswith(("build/", "experiments/", ".git/", ".venv/"))]
    assert not [name for name in names if name.endswith(".pyc")]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs a checkout of git")
def test_whatever_is_added_to_the_project_is_in_the_image_or_known_not_to_be() -> None:
    stays_out = {".ci", ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "experiments", "requirements-dev.lock"}
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    tracked = {name.partition("/")[0] for name in listed.split("\0") if name}
    assert tracked - stays_out <= {file.parts[0] for file in image.context_files(ROOT)}


def test_the_label_has_the_version_of_the_project() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f'org.opencontainers.image.version="{version}"' in (ROOT / "docker/Dockerfile").read_text(encoding="utf-8")


def test_compose_gives_an_image_and_a_run_what_the_host_gives_them() -> None:
    written = (ROOT / "docker" / "compose.yaml").read_text(encoding="utf-8")
    arguments, _, rest = written.partition("args:\n")[2].partition("  init:")
    assert tuple(re.findall(r"- (\w+)", arguments)) == image.BUILD_ARGUMENTS
    (base,) = re.findall(r"BASE_IMAGE:-(.+)}", arguments)
    assert f"ARG BASE_IMAGE={base}\n" in (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
    variables = rest.partition("UNROLL_DATA: /data\n")[2].partition("volumes:")[0]
    assert tuple(re.findall(r"(\w+):\n", variables)) == container.PASSED_ON


def test_the_image_depends_on_contents_and_names_and_the_base_and_on_nothing_else(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = image.context_digest(checkout)
    os.utime(checkout / "dodo.py", (0, 0))
    (checkout / "experiments").mkdir()
    (checkout / "experiments" / "mine.toml").touch()
    (checkout / "pipeline" / "__pycache__").mkdir()
    (checkout / "pipeline" / "__pycache__" / "run.pyc").touch()
    assert image.context_digest(checkout) == first
    for name in ("dodo.py", "requirements.lock", "docker/Dockerfile", "pipeline/engine/running/run.py"):
        content = (checkout / name).read_bytes()
        (checkout / name).write_bytes(content + b"\n")
        assert image.context_digest(checkout) != first, name
        (checkout / name).write_bytes(content)
    assert image.context_digest(checkout) == first
    (checkout / "dodo.py").rename(checkout / "doitw")
    assert image.context_digest(checkout) != first
    (checkout / "doitw").rename(checkout / "dodo.py")
    monkeypatch.setenv("BASE_IMAGE", "python:3.11-slim-bookworm")
    assert image.context_digest(checkout) != first


def test_no_docker_is_a_sentence(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(checkout))
    assert (
        _refusal(checkout)
        == "Docker is not installed (no docker on PATH). Install it, or build on this machine: ./doitw"
    )


@needs_docker
def test_an_engine_that_does_not_run_is_a_sentence(checkout: Path) -> None:
    assert _refusal(checkout).startswith("the Docker engine is not running: start it (sudo systemctl start docker")


SAID = {
    "failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct": (
        "the Docker engine is not running"
    ),
    "permission denied while trying to connect to the docker API at unix:///var/run/docker.sock": (
        "this user may not use Docker: sudo usermod -aG docker $USER"
    ),
    "something new": "docker image inspect unroll: something new",
}
"""What other versions of the command say -> what we say."""


@pytest.mark.parametrize("said", SAID)
def test_what_other_versions_say_is_understood(checkout: Path, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    _stand_in(checkout, f"echo '{said}' >&2; exit 1", monkeypatch)
    assert _refusal(checkout).startswith(SAID[said])


def test_a_base_that_no_registry_gives_is_a_sentence(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "ERROR: failed to resolve reference docker.io/library/debian:x: pull access denied"
    _stand_in(
        checkout,
        f'[ "$1" = build ] || {{ echo "No such image: unroll" >&2; exit 1; }}; echo "{said}"; exit 1',
        monkeypatch,
    )
    assert "the base image can't be had from a registry: as root, docker/make-base-image" in _refusal(checkout)


def test_a_build_that_fails_for_another_reason_shows_what_docker_said(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = (
        '[ "$1" = build ] || { echo "No such image: unroll" >&2; exit 1; }; echo "THESE PACKAGES DO NOT MATCH"; exit 1'
    )
    _stand_in(checkout, script, monkeypatch)
    assert _refusal(checkout) == "the image could not be made; the lines above say why"
    assert "THESE PACKAGES DO NOT MATCH" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("code", "words"), [(125, "Docker could not run the container, or lost it"), (137, "the container was killed")]
)
def test_a_container_that_ends_badly_is_a_sentence_and_keeps_its_exit_code(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    label = f'{{"{image.LABEL}": "{image.context_digest(checkout)}"}}'
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    inspected = f'[{{"Architecture": "{machine}", "Config": {{"Labels": {label}}}}}]'
    _stand_in(checkout, f"[ \"$1\" = run ] && exit {code}; echo '{inspected}'", monkeypatch)
    said: list[str] = []
    assert container.run(["build:tiny"], checkout, said.append) == code
    assert [line.startswith(words) for line in said] == [True]
    assert "What finished is kept" in said[0]


def test_folders_are_mounted_whatever_their_names_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "ein Prüfstand, und: mehr"
    (place / "data").mkdir(parents=True)
    monkeypatch.setenv("UNROLL_DATA", str(place / "data"))
    monkeypatch.setenv("UNROLL_CACHE", str(place / "not there"))
    assert list(container.mounts(place)) == [
        "--env=UNROLL_DATA=/data",
        f'--mount=type=bind,"source={place}/build",target=/unroll/build',
        f'--mount=type=bind,"source={place}/experiments",target=/unroll/experiments',
        f'--mount=type=bind,"source={place}/data",target=/data,readonly',
    ]


def test_the_key_of_the_shared_store_goes_along_and_a_missing_one_is_missed_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNROLL_CACHE_KEY", str(tmp_path / "team.key"))
    assert "--env=UNROLL_CACHE_KEY=/cache-key" in list(container.mounts(tmp_path))
    (tmp_path / "team.key").write_text("secret", encoding="utf-8")
    mounts = list(container.mounts(tmp_path))
    assert f'--mount=type=bind,"source={tmp_path}/team.key",target=/cache-key,readonly' in mounts
    assert "--env=UNROLL_CACHE_KEY=/cache-key" in mounts
