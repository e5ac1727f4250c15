"""The image: what is in it and what is not, when it is made again, and what is said when it can't be."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.engine.digests.packages import installed
from pipeline.engine.docker import image as docker_image
from tests.conftest import Project
from tests.docker.conftest import BASE, answers, docker

pytestmark = [pytest.mark.slow, pytest.mark.docker]

MOST_BYTES_ABOVE_BASE = 1_350_000_000
REMADE_SECONDS = 30
linux_root = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("dockerd"), reason="needs root and dockerd")


def _layers(image: str) -> list[str]:
    return list(json.loads(docker("image", "inspect", "--format", "{{json .RootFS.Layers}}", image)))


def _in(image: str, *words: str) -> str:
    return docker("run", "--rm", f"--entrypoint={words[0]}", image, *words[1:])


def test_it_is_small(image: str) -> None:
    sizes = [int(docker("image", "inspect", "--format", "{{.Size}}", name)) for name in (image, BASE)]
    assert sizes[0] - sizes[1] <= MOST_BYTES_ABOVE_BASE


def test_nothing_is_in_it_that_no_build_needs(image: str) -> None:
    tools = _in(image, "sh", "-c", "for tool in cc gcc g++ ld strip git curl; do command -v $tool; done; true")
    caches = _in(
        image, "sh", "-c", "ls -A /root/.cache /var/lib/apt/lists /var/cache/apt /tmp 2>/dev/null | grep -v : ; true"
    )
    headers = _in(image, "sh", "-c", "ls -d .venv/lib/python3*/site-packages/tensorflow/include 2>/dev/null; true")
    assert (tools, caches, headers) == ("", "", "")
    assert "PIP_" not in docker("history", "--no-trunc", image), "an index may have a password in its address"


def test_it_says_what_it_is_and_runs_as_nobody_special(image: str) -> None:
    (facts,) = json.loads(docker("image", "inspect", image))
    assert facts["Config"]["User"] == "1000:1000"
    assert facts["Config"]["StopSignal"] == "SIGTERM"
    assert facts["Config"]["Labels"]["org.opencontainers.image.title"] == "Unroll"
    assert facts["Config"]["Labels"][docker_image.LABEL] == docker_image.context_digest(Path(__file__).parents[2])
    assert not [name for name in facts["Config"]["Env"] if "PASS" in name or "TOKEN" in name or name.startswith("PIP")]


def test_its_packages_are_those_of_the_host(image: str) -> None:
    code = "import json; from pipeline.engine.digests.packages import installed; print(json.dumps(installed()))"
    theirs = {name: version for name, (version, _) in json.loads(_in(image, ".venv/bin/python", "-c", code)).items()}
    mine = {name: version for name, (version, _) in installed().items()}
    assert {"tensorflow-cpu", "keras", "numpy", "ethos-u-vela", "ai-edge-litert"} - {"pip"} <= set(theirs)
    outside_the_lock = {"pip", "setuptools", "wheel"}
    assert {name: mine.get(name) for name in theirs if name not in outside_the_lock} == {
        name: version for name, version in theirs.items() if name not in outside_the_lock
    }


def test_it_starts_from_bytecode(image: str) -> None:
    code = "import doit.doit_cmd, textual.app, pipeline.engine.build"
    said = _in(image, ".venv/bin/python", "-v", "-c", code)
    compiled = [line for line in said.splitlines() if line.startswith("# code object from")]
    assert len(compiled) > 100
    assert [line for line in compiled if ".pyc" not in line] == []


def test_it_is_made_again_when_contents_change_and_only_then(checkout: Project) -> None:
    assert checkout.doit("image") == "image unroll: up to date, nothing to do\n"
    for path in checkout.folder.rglob("*"):
        os.utime(path)
    checkout.change("units = 16", "units = 8")
    assert checkout.doit("image") == "image unroll: up to date, nothing to do\n"
    first = _layers("unroll")
    source = checkout.folder / "pipeline" / "engine" / "running" / "run.py"
    text = source.read_text(encoding="utf-8")
    source.write_text(f"{text}\n# edited\n", encoding="utf-8")
    try:
        started = time.monotonic()
        assert "image unroll: it is older than the source, or made from another; making it" in checkout.doit("image")
        assert time.monotonic() - started < REMADE_SECONDS
        assert _layers("unroll")[:-2] == first[:-2], "the packages stay as they are"
        assert "# edited" in _in("unroll", "tail", "-1", "pipeline/engine/running/run.py")
    finally:
        source.write_text(text, encoding="utf-8")
        checkout.doit("image")


def test_both_of_docker_s_builders_make_it(checkout: Project) -> None:
    """BuildKit is in the engine; a command without buildx, such as Debian's, reaches it by DOCKER_BUILDKIT=1."""
    command = "/usr/bin/docker"
    said = subprocess.run([command, "--version"], capture_output=True, text=True, check=False).stdout
    if "version 20." not in said:
        pytest.skip("needs Debian 12's docker command, which has BuildKit without buildx")
    build = [command, "build", "--file", "docker/Dockerfile", "--target", "python", "--tag", "unroll-buildkit", "."]
    environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
    done = subprocess.run(build, cwd=checkout.folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "naming to docker.io/library/unroll-buildkit" in done.stderr
    docker("image", "rm", "unroll-buildkit")


def test_a_certificate_of_the_site_is_trusted(checkout: Project) -> None:
    certificate = checkout.folder / "docker" / "ca" / "site.crt"
    if not shutil.which("openssl"):
        pytest.skip("needs openssl to make a certificate")
    words = [
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=site",
        "-keyout",
        os.devnull,
        "-out",
        str(certificate),
    ]
    subprocess.run(["openssl", "req", *words], check=True, capture_output=True)
    build = ["build", "--quiet", "--file", f"{checkout.folder}/docker/Dockerfile", "--target", "python"]
    made = docker(*build, str(checkout.folder)).splitlines()[-1]
    second_line = certificate.read_text().splitlines()[1]
    assert second_line in _in(made, "cat", "/etc/ssl/certs/ca-certificates.crt")


@pytest.fixture
def foreign(engine: None) -> Iterator[str]:
    """Make an image for a processor that this machine does not have."""
    del engine
    other = "amd64" if os.uname().machine == "aarch64" else "arm64"
    layer = io.BytesIO()
    tarfile.open(fileobj=layer, mode="w").close()
    name = hashlib.sha256(layer.getvalue()).hexdigest()
    config = {"architecture": other, "os": "linux", "rootfs": {"type": "layers", "diff_ids": [f"sha256:{name}"]}}
    manifest = [{"Config": "config.json", "RepoTags": ["unroll-foreign:latest"], "Layers": ["layer.tar"]}]
    saved = io.BytesIO()
    with tarfile.open(fileobj=saved, mode="w") as archive:
        for file, content in (
            ("config.json", json.dumps(config).encode()),
            ("layer.tar", layer.getvalue()),
            ("manifest.json", json.dumps(manifest).encode()),
        ):
            entry = tarfile.TarInfo(file)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    subprocess.run(["docker", "load"], input=saved.getvalue(), check=True, capture_output=True)
    yield "unroll-foreign"
    docker("image", "rm", "unroll-foreign")


def test_an_image_for_another_processor_is_told(checkout: Project, foreign: str) -> None:
    checkout.environment["UNROLL_IMAGE"] = foreign
    printed = checkout.doit("image")
    assert "WARNING: image unroll-foreign (UNROLL_IMAGE): it is for " in printed
    assert ": emulated, TensorFlow is slow or crashes" in printed


def test_an_image_of_one_s_own_that_is_not_there_is_a_sentence(checkout: Project) -> None:
    checkout.environment["UNROLL_IMAGE"] = "no/such:image"
    printed = checkout.doit("in-docker", "list", check=1)
    assert "FAILED in-docker: image no/such:image (UNROLL_IMAGE) is not on this machine: docker pull" in printed


@linux_root
def test_a_user_without_permission_is_a_sentence(checkout: Project) -> None:
    """The real command, run as nobody."""
    folder = checkout.folder / "bin"
    folder.mkdir()
    script = f'#!/bin/sh\nexec setpriv --reuid=65534 --clear-groups {shutil.which("docker")} "$@"\n'
    (folder / "docker").write_text(script, encoding="utf-8")
    (folder / "docker").chmod(0o755)
    checkout.environment["PATH"] = f"{folder}:{checkout.environment['PATH']}"
    printed = checkout.doit("in-docker", "build:tiny", check=1)
    assert "FAILED in-docker: this user may not use Docker: sudo usermod -aG docker $USER" in printed


@pytest.fixture
def full_engine(tmp_path: Path, engine: None) -> Iterator[str]:
    """Start a second engine whose disk has room for the base and no more; return its address.

    It has a network of its own, or it would take the first engine's bridge down with it.
    """
    del engine
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=190m", "tmpfs", str(disk)], check=True)
    address = f"unix://{tmp_path}/sock"
    places = [f"--data-root={disk}", f"--exec-root={tmp_path}/exec", f"--pidfile={tmp_path}/pid", f"--host={address}"]
    alone = ["--storage-driver=vfs", "--iptables=false"]
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(["unshare", "--net", "dockerd", *places, *alone], stdout=log, stderr=log) as started,
    ):
        os.environ["DOCKER_HOST"] = address
        try:
            Project.wait_until(answers)
            yield address
        finally:
            del os.environ["DOCKER_HOST"]
            started.terminate()
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@linux_root
def test_a_disk_that_fills_while_the_image_is_made_is_a_sentence(checkout: Project, full_engine: str) -> None:
    checkout.environment["DOCKER_HOST"] = full_engine
    save = ["docker", "--host=unix:///var/run/docker.sock", "save", BASE]
    with subprocess.Popen(save, stdout=subprocess.PIPE) as saved:
        subprocess.run(["docker", "load"], stdin=saved.stdout, check=True, capture_output=True)
    printed = checkout.doit("image", check=1)
    assert "no space left on device" in printed
    assert "FAILED image: the disk is full and the image was not made: docker system prune" in printed
