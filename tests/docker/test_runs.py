"""Builds in containers: with Compose of both generations, and from the host."""

import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from http import HTTPStatus
from pathlib import Path

import aiohttp
import pytest

from pipeline.engine.docker import container
from pipeline.engine.results.record import read_record
from tests.conftest import TINY, Project
from tests.docker.conftest import Compose, composes, docker, running
from tests.pipeline.records import amend

pytestmark = [pytest.mark.slow, pytest.mark.docker]

UP_TO_DATE = "tiny: up to date, nothing to do (7 stages)"
ALICE = 1234
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give files to somebody else")


def _owners(folder: Path) -> set[int]:
    return {path.lstat().st_uid for path in [folder, *folder.rglob("*")]}


def _take_to(project: Project, template: Path) -> None:
    shutil.copytree(template / "build", project.folder / "build", symlinks=True)


def _train_long(project: Project) -> None:
    project.change("epochs = 2", "epochs = 60")
    project.mark()


def test_a_build_in_the_container_is_the_build_of_the_host(compose: Compose, checkout: Project, template: Path) -> None:
    printed = compose("run", "--rm", "build", "build:tiny")
    assert "float accuracy" in printed
    assert "differ" not in printed
    assert UP_TO_DATE in compose("run", "--rm", "build", "build:tiny")
    assert checkout.doit("build:tiny") == f"{UP_TO_DATE}\n"
    assert checkout.results() == Project(template).results(), "byte for byte the same artefacts"
    record = json.loads((checkout.folder / "build/tiny/network/stage.json").read_text())
    assert record["inputs"]["made_on"]["container"] is True


def test_a_build_on_the_host_is_up_to_date_in_the_container(
    compose: Compose, checkout: Project, template: Path
) -> None:
    _take_to(checkout, template)
    assert UP_TO_DATE in compose("run", "--rm", "build", "build:tiny")
    assert f"{UP_TO_DATE}\n" == checkout.doit("in-docker", "build:tiny")
    checkout.change("units = 16", "units = 12")
    printed = compose("run", "--rm", "build", "status", "tiny", check=1)
    assert re.search(r"^network:tiny +stale +units 16 -> 12$", printed, re.MULTILINE)


def test_other_versions_than_the_container_s_are_named(compose: Compose, checkout: Project, template: Path) -> None:
    """What a host with another TensorFlow has built, as the record says it."""
    _take_to(checkout, template)
    weights = checkout.folder / "build/tiny/network"
    inputs = read_record(weights).inputs
    amend(weights, inputs=inputs | {"tools": inputs["tools"] | {"tensorflow": "2.20.0"}})
    assert "tensorflow 2.20.0 -> 2.21.0" in compose("run", "--rm", "build", "status", "tiny", check=1)


@as_root
def test_what_is_built_belongs_to_whoever_owns_the_checkout(compose: Compose, checkout: Project) -> None:
    subprocess.run(["chown", "-R", f"{ALICE}:{ALICE}", checkout.folder], check=True)
    assert not (checkout.folder / "build").exists(), "Docker makes it, as root"
    compose("run", "--rm", "build", "dataset:tiny")
    assert _owners(checkout.folder / "build") == {ALICE}


@as_root
def test_a_build_folder_of_somebody_else_is_a_sentence(compose: Compose, checkout: Project, template: Path) -> None:
    _take_to(checkout, template)
    subprocess.run(["chown", "-R", f"{ALICE}:{ALICE}", checkout.folder], check=True)
    subprocess.run(["chown", "-R", "4321", checkout.folder / "build"], check=True)
    printed = compose("run", "--rm", "build", "build:tiny", check=3)
    assert "build/ can't be written to: Permission denied. It belongs to user 4321, and you are 1234" in printed
    assert "sudo chown -R 1234 build" in printed
    assert _owners(checkout.folder / "build") == {4321}


def test_an_image_older_than_the_checkout_is_told(compose: Compose, checkout: Project) -> None:
    (checkout.folder / "pipeline" / "engine" / "running" / "run.py").write_text("# edited\n", encoding="utf-8")
    printed = compose("run", "--rm", "build", "list", "--status")
    assert "the image and the checkout differ; what runs is the image" in printed
    assert "docker compose -f docker/compose.yaml build" in printed


def test_compose_makes_the_image_too(compose: Compose) -> None:
    compose("build", "build", UNROLL_IMAGE="unroll-composed")
    assert "every stage of every experiment" in compose("run", "--rm", "build", "list", UNROLL_IMAGE="unroll-composed")
    docker("image", "rm", "unroll-composed")


def test_compose_and_the_host_run_the_same_sandbox(compose: Compose) -> None:
    """Read from what Compose makes of the file, as JSON where it can say it so."""
    asked = compose("config")
    for option in container.SANDBOX:
        word = option.removeprefix("--").replace("=", ": ", 1).partition(": ")
        name, value = word[0].replace("-", "_"), word[2]
        assert name in asked
        assert value in asked, option


def test_docker_stop_keeps_what_is_finished_and_whoever_waits_goes_on(checkout: Project) -> None:
    _train_long(checkout)
    first = checkout.start("in-docker", "build:tiny")
    checkout.wait_for("stage_progress", stage="network")
    name = running(checkout)
    checkout.change("epochs = 60", "epochs = 2")
    second = checkout.start("build:tiny")
    assert second.stdout is not None
    assert f" in container {name}, since" in second.stdout.readline()
    docker("stop", name)
    stopped, _ = first.communicate(timeout=30)
    assert (first.returncode, "stopped   network:tiny" in stopped) == (128 + signal.SIGTERM, True), stopped
    printed, _ = second.communicate(timeout=120)
    assert "done      vela:tiny" in printed
    assert "start     dataset:tiny" not in printed, "made in the container"
    assert set(checkout.states().values()) == {"fresh"}
    assert not list((checkout.folder / "build/.store/scratch").iterdir())


def test_a_container_killed_with_9_loses_nothing_that_is_finished(checkout: Project, template: Path) -> None:
    _train_long(checkout)
    first = checkout.start("in-docker", "build:tiny")
    checkout.wait_for("stage_progress", stage="network")
    docker("kill", running(checkout))
    printed, _ = first.communicate(timeout=30)
    assert first.returncode == 128 + signal.SIGKILL
    assert "the container was killed (docker kill, or memory ran out). What finished is kept" in printed
    checkout.change("epochs = 60", "epochs = 2")
    assert checkout.states()["dataset"] == "fresh"
    assert "start     dataset" not in checkout.doit("in-docker", "build:tiny")
    assert checkout.results() == Project(template).results()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopping_on_the_host_stops_the_container(checkout: Project, number: signal.Signals) -> None:
    _train_long(checkout)
    first = checkout.start("in-docker", "build:tiny")
    checkout.wait_for("stage_progress", stage="network")
    os.killpg(first.pid, number) if number == signal.SIGINT else first.send_signal(number)
    printed, _ = first.communicate(timeout=30)
    assert (first.returncode, "stopped   network:tiny" in printed) == (128 + number, True), printed
    assert running(checkout) == ""
    assert checkout.states()["dataset"] == "fresh"


def test_arguments_and_exit_codes_pass_through(checkout: Project) -> None:
    assert json.loads(checkout.doit("in-docker", "status", "--json", "tiny", check=1))["stages"][0]["state"] == "stale"
    assert "done      dataset:tiny" in checkout.doit("in-docker", "--", "-n", "2", "dataset:tiny")
    assert "no experiment 'nobody'" in checkout.doit("in-docker", "status", "nobody", check=1)


def test_no_network_is_needed(checkout: Project) -> None:
    (checkout.folder / "build").mkdir()
    mounts = [
        f"--mount=type=bind,source={checkout.folder}/{name},target=/unroll/{name}" for name in ("build", "experiments")
    ]
    printed = docker("run", "--rm", "--network=none", *container.SANDBOX, *mounts, "unroll", "build:tiny")
    assert "float accuracy" in printed
    assert set(checkout.states()) == set(TINY)
    assert set(checkout.states().values()) == {"fresh"}


def test_nothing_mounted_is_a_sentence(image: str) -> None:
    assert "unroll: no experiments here. Use docker/compose.yaml" in docker("run", "--rm", image, check=False)


def test_what_an_image_could_break_works_inside_it(checkout: Project) -> None:
    """The whole suite runs on the host, with the same packages (``test_its_packages_are_those_of_the_host``)."""
    printed = checkout.doit("in-docker", "test", "-q", "-m", "smoke and not slow", timeout=1500)
    summary = printed.strip().splitlines()[-1]
    assert " passed" in summary
    assert "failed" not in summary


def _once(project: Project) -> str:
    """Return what a dashboard on the host shows."""
    command = [sys.executable, "-m", "tui", "--once"]
    return subprocess.run(command, cwd=project.folder, stdout=subprocess.PIPE, text=True, check=True).stdout


def _without_ages(printed: str) -> str:
    return re.sub(r", [\d.]+ \w+ ago", "", printed)


def test_the_dashboard_of_the_container_shows_what_the_host_built(
    compose: Compose, checkout: Project, template: Path
) -> None:
    _take_to(checkout, template)
    printed = compose("run", "--rm", "dashboard", "--once")
    for line in _without_ages(_once(checkout)).splitlines():
        assert line in _without_ages(printed)


def test_a_dashboard_on_one_side_sees_the_run_on_the_other(checkout: Project) -> None:
    _train_long(checkout)
    inside = checkout.start("in-docker", "network:tiny")
    checkout.wait_for("stage_progress", stage="network")
    assert "running: doit network:tiny" in _once(checkout)
    docker("stop", running(checkout))
    inside.communicate(timeout=30)
    checkout.mark()
    outside = checkout.start("network:tiny")
    checkout.wait_for("stage_progress", stage="network")
    assert "running: doit network:tiny" in checkout.doit("in-docker", "dashboard", "--once")
    outside.send_signal(signal.SIGINT)
    outside.communicate(timeout=30)


def test_the_dashboard_has_a_terminal_and_colours(checkout: Project, template: Path) -> None:
    _take_to(checkout, template)
    found = composes().get("v2") or pytest.skip("Compose v2 is not installed")
    command = f"{shlex.join(found)} -f docker/compose.yaml run --rm dashboard"
    with subprocess.Popen(
        ["script", "--quiet", "--return", "--command", command, os.devnull],
        cwd=checkout.folder,
        env={**checkout.environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as terminal:
        assert terminal.stdin is not None
        assert terminal.stdout is not None
        seen = b""
        while b"fresh" not in seen:
            read = os.read(terminal.stdout.fileno(), 65536)
            assert read, seen
            seen += read
        terminal.stdin.write(b"q")
        terminal.stdin.flush()
        terminal.communicate(timeout=30)
    assert terminal.returncode == 0
    assert b"\x1b[?1049h" in seen, "the whole screen"
    assert b"38;2;" in seen, "true colours"


async def test_the_dashboard_is_served_to_this_machine_alone(
    compose: Compose, checkout: Project, template: Path
) -> None:
    _take_to(checkout, template)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    compose("up", "-d", "serve", UNROLL_PORT=str(port))
    try:
        assert docker("inspect", "--format", "{{json .HostConfig.PortBindings}}", running(checkout)) == (
            f'{{"8000/tcp":[{{"HostIp":"127.0.0.1","HostPort":"{port}"}}]}}'
        )
        checkout.wait_until(lambda: _listens(port))
        seen = b""
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"http://127.0.0.1:{port}/ws?width=120&height=40") as page,
            asyncio.timeout(30),
        ):
            while b"network" not in seen:
                message = await page.receive()
                seen += message.data.encode() if isinstance(message.data, str) else message.data
    finally:
        compose("rm", "--force", "--stop", "serve")


def _listens(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as page:
            return bool(page.status == HTTPStatus.OK)
    except OSError:
        return False
