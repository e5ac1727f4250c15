"""Inputs that change while a stage starts: no result may stand under the key of what it was not made of."""

import os
import random
import shutil
import site
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.attacks.results import Result, Tally, stored
from tests.conftest import Project, lay_out
from tests.models import chain, packed

DIGITS = """
[dataset]
name = "digits"
train_samples = 100
test_samples = 10

[model]
cell = "gru"
units = 2

[vela.targets.npu]
accelerator = "ethos-u55-128"
system_config = "Ethos_U55_High_End_Embedded"
memory_mode = "Shared_Sram"
"""
ARRAYS = DIGITS.replace('name = "digits"', 'name = "npz"\npath = "own/data.npz"')
IMPORTED = '[model]\ntflite = "own/model.tflite"\n' + DIGITS[DIGITS.index("\n[vela") :]


@dataclass(frozen=True)
class Victim:
    """Something that goes into a result, and how to change it."""

    experiment: str
    task: str
    put: Callable[[Project, int], None]
    """Put the first or the second content in place."""
    before: str | None = None
    """A task that is done before the attack begins."""


def _arrays(project: Project, which: int) -> None:
    """Write the user's arrays anew, in place."""
    folder = project.folder / "own"
    folder.mkdir(exist_ok=True)
    x = np.random.default_rng(which).random((40, 4, 3), np.float32)
    y = np.arange(40) % 2
    np.savez(folder / "data.npz", x_train=x, y_train=y, x_test=x[:10], y_test=y[:10])


def _model(project: Project, which: int) -> None:
    """Replace the user's model by another file."""
    folder = project.folder / "own"
    folder.mkdir(exist_ok=True)
    (folder / "new").write_bytes(packed(chain(1 + which)))
    (folder / "new").replace(folder / "model.tflite")


def _linked_model(project: Project, which: int) -> None:
    """Let a link on the way to the user's model lead elsewhere; the file itself stays as it is."""
    for number in (0, 1):
        folder = project.folder / f"own {number}"
        folder.mkdir(exist_ok=True)
        if not (folder / "model.tflite").exists():
            (folder / "model.tflite").write_bytes(packed(chain(1 + number)))
    link = project.folder / "new link"
    link.symlink_to(f"own {which}")
    link.replace(project.folder / "own")


SEEDS = ("SEED = 20_260_101", "SEED = 20_260_102")


def _source(project: Project, which: int) -> None:
    """Edit a source of ours; both contents are of the same size."""
    path = project.folder / "pipeline/data/digits.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(SEEDS[not which], SEEDS[which]), encoding="utf-8")


CLOCKS = ("core_clock=500e6", "core_clock=400e6")


def _package(project: Project, which: int) -> None:
    """Install another version of Vela, whose U55 has another clock, in the order in which installers work."""
    packages = project.folder / "packages"
    if not packages.exists():
        (there,) = (Path(place, "ethosu") for place in site.getsitepackages() if Path(place, "ethosu").exists())
        shutil.copytree(there, packages / "ethosu")
        project.environment["PYTHONPATH"] = str(packages)
    for folder in packages.glob("*.dist-info"):
        shutil.rmtree(folder)
    ini = packages / "ethosu/config_files/Arm/vela.ini"
    text = ini.read_text(encoding="utf-8")
    ini.write_text(text.replace(CLOCKS[not which], CLOCKS[which]), encoding="utf-8")
    version = ("5.2.0", "5.2.1")[which]
    info = packages / f"ethos_u_vela-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: ethos-u-vela\nVersion: {version}\n", "utf-8")
    (info / "RECORD").write_text("ethosu/config_files/Arm/vela.ini,,\n", "utf-8")


def _model_and_package(project: Project, which: int) -> None:
    if not (project.folder / "own").exists():
        _model(project, 0)
    _package(project, which)


VICTIMS = {
    "arrays of one's own": Victim(ARRAYS, "dataset:attacked", _arrays),
    "a model of one's own": Victim(IMPORTED, "quantized:attacked", _model),
    "a link to one's own model": Victim(IMPORTED, "quantized:attacked", _linked_model),
    "a source of ours": Victim(DIGITS, "dataset:attacked", _source),
    "a package": Victim(IMPORTED, "vela:attacked:npu", _model_and_package, before="quantized:attacked"),
}


class Attacker:
    """Attacks one checkout, over and over."""

    def __init__(self, folder: Path, victim: Victim, seed: int) -> None:
        """Lay out the checkout, and make what is right of either content."""
        self.tally = Tally()
        self._victim = victim
        self._random = random.Random(seed)  # noqa: S311 - repeatable is what it shall be
        self._project = lay_out(folder)
        (folder / "experiments/attacked.toml").write_text(victim.experiment, encoding="utf-8")
        self._expected: dict[str, list[Result]] = {}
        for which in (1, 0):
            victim.put(self._project, which)
            started = time.monotonic()
            self._project.doit(victim.task)
            self._seconds = time.monotonic() - started
            self._expected |= stored(self._project)
        self._kept = set[str]()
        self._start_over()
        assert len(self._expected) >= len(SEEDS), "both contents have a key of their own, and a result of their own"

    def attack(self) -> None:
        """Start the stage, change what it reads at some moment, and look at what came of it."""
        running = self._project.start(self._victim.task)
        time.sleep(self._random.uniform(0, 1.2 * self._seconds))
        self._victim.put(self._project, 1)
        if self._random.random() < 1 / 3:  # and back, before anybody may look again
            time.sleep(self._random.uniform(0, self._seconds / 2))
            self._victim.put(self._project, 0)
        printed, _ = running.communicate(timeout=600)
        self.tally.attacks += 1
        self.tally.refused += "changed while" in self.tally.listen(printed)
        for key, results in stored(self._project).items():
            for result in results:
                self.tally.compared += 1
                if result not in self._expected.get(key, []):
                    self.tally.wrong.append(f"{key}: {result}\n{printed}")
        self._start_over()

    def _start_over(self) -> None:
        """Put the first content back and forget the results."""
        self._victim.put(self._project, 0)
        shutil.rmtree(self._project.folder / "build")
        if self._victim.before:
            self._project.doit(self._victim.before)


def campaign(folder: Path, victim: str, attacks: int, watch: Callable[[Tally], None] = lambda _: None) -> Tally:
    """Change something at so many moments of a stage's start; ``watch`` is told after each what was seen so far."""
    attacker = Attacker(folder / victim.replace(os.sep, " "), VICTIMS[victim], seed=0)
    for _ in range(attacks):
        attacker.attack()
        watch(attacker.tally)
    return attacker.tally
