"""Arm's own adviser, MLIA, reports the same numbers as we do for the same model and profile.

It brings its own versions of what our lock pins, so it lives in an environment of its own.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Project

pytestmark = pytest.mark.slow

PROFILES = ("ethos-u55-128", "ethos-u55-256", "ethos-u65-256", "ethos-u65-512", "ethos-u85-256", "ethos-u85-2048")
OURS: Mapping[str, str] = {
    "total_cycles": "cycles_total",
    "npu_cycles": "cycles_npu",
    "sram_access_cycles": "cycles_sram_access",
    "dram_access_cycles": "cycles_dram_access",
    "on_chip_flash_access_cycles": "cycles_on_chip_flash_access",
    "off_chip_flash_access_cycles": "cycles_off_chip_flash_access",
    "batch_inference_time": "inference_ms",
}
"""MLIA's name of a metric -> ours."""


@pytest.fixture(scope="module")
def mlia(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Install MLIA with our version of Vela; return its program."""
    folder = tmp_path_factory.mktemp("mlia")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    wanted = ["mlia==0.12.2", "mlia-ethos-u==0.1.0", f"ethos-u-vela=={version('ethos-u-vela')}"]
    command = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"MLIA can't be installed here: {(done.stderr.strip().splitlines() or ['no reason'])[-1]}")
    return str(folder / "bin" / "mlia")


@pytest.fixture(scope="module")
def compiled(template: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Return the metrics of every point of the whole matrix of tiny."""
    folder = tmp_path_factory.mktemp("whole-matrix") / "project"
    project = Project(shutil.copytree(template, folder, symlinks=True))
    points = json.loads(project.out("matrix:tiny", "--all", "--json"))["points"]
    return {
        (point["accelerator"], point["system_config"], point["memory_mode"]): point["metrics"]
        for point in points
        if point["optimise"] == "Performance"
    }


@pytest.mark.parametrize("profile", PROFILES)
def test_mlia_reports_the_same_numbers(
    mlia: str, compiled: dict[tuple[str, str, str], dict[str, Any]], template: Path, tmp_path: Path, profile: str
) -> None:
    model = template / "build" / "tiny" / "quantized" / "quantized.tflite"
    command = [mlia, "check", str(model), "-t", profile, "--performance", "--json", "--out-dir", str(tmp_path)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [*command, "--noninteractive"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    said = json.loads(done.stdout)
    chosen = said["backends"][0]["configuration"]
    found = {metric["name"]: metric.get("value") for metric in said["results"][0]["metrics"]}
    ours = compiled[chosen["accelerator_config"], chosen["system_config"], chosen["memory_mode"]]
    assert {name: found[name] for name in OURS} == {
        name: pytest.approx(ours[key], rel=1e-9) for name, key in OURS.items()
    }
