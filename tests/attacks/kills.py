"""Builds that are killed at any moment, in several checkouts on one shared store, while settings change.

Whatever was killed, a result that is called fresh is, byte for byte, what a clean checkout makes.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.attacks.results import Result, Tally, fresh, total
from tests.conftest import Project, lay_out
from tests.models import chain, packed

if TYPE_CHECKING:
    import subprocess

TARGET = """
[vela.targets.npu]
accelerator = "{accelerator}"
system_config = "Ethos_U55_High_End_Embedded"
memory_mode = "Shared_Sram"
"""
TRAINED = """
[dataset]
name = "digits"
train_samples = 300
test_samples = {test_samples}

[model]
cell = "gru"
units = {units}
rows_per_step = 7

[training]
batch_size = 50

[quantization]
representative_samples = {representative_samples}
"""
IMPORTED = """
[model]
tflite = "own/{operators}.tflite"
"""


@dataclass(frozen=True)
class Subject:
    """An experiment with its settings, each of which makes another stage stale."""

    experiment: str
    choices: Mapping[str, Sequence[object]]

    def all_settings(self, changing: Sequence[str] | None = None) -> list["Settings"]:
        """Return the first value of every setting, and each change of one of those named, by default of any."""
        usual = {name: values[0] for name, values in self.choices.items()}
        names = self.choices if changing is None else changing
        changed = [{**usual, name: value} for name in names for value in self.choices[name][1:]]
        return [tuple(each.values()) for each in (usual, *changed)]

    def choose(self, project: Project, settings: "Settings") -> None:
        """Write the experiment, in one step as editors do."""
        path = project.folder / "experiments" / "attacked.toml"
        scratch = path.with_suffix(".new")
        scratch.write_text(self.experiment.format(**dict(zip(self.choices, settings, strict=True))), encoding="utf-8")
        scratch.replace(path)


Settings = tuple[object, ...]
Reference = Mapping[Settings, Mapping[str, Result]]
ACCELERATORS = ("ethos-u55-128", "ethos-u55-32")
SUBJECTS = {
    "a network that is trained": Subject(
        TRAINED + TARGET,
        {
            "accelerator": ACCELERATORS,
            "representative_samples": (20, 10),
            "units": (4, 3),
            "test_samples": (40, 30),
        },
    ),
    "a model made elsewhere": Subject(IMPORTED + TARGET, {"accelerator": ACCELERATORS, "operators": (1, 2, 3)}),
}
"""The one has all stages; those of the other are quick, so that most of the time something is being published."""


def _lay_out(folder: Path) -> Project:
    project = lay_out(folder)
    (folder / "own").mkdir()
    for operators in (1, 2, 3):
        (folder / "own" / f"{operators}.tflite").write_bytes(packed(chain(operators)))
    return project


def reference(folder: Path, subject: Subject, every: Sequence[Settings]) -> Reference:
    """Build every combination in a clean checkout that nobody disturbs."""
    project = _lay_out(folder)
    results = {}
    for settings in every:
        subject.choose(project, settings)
        project.doit("build:attacked")
        results[settings] = fresh(project, Tally(), "attacked")
    return results


def seconds_of_a_stage(folder: Path) -> float:
    """Return how long the longest stage of a built checkout took, on this machine as it is."""
    records = (folder / "build/.store").glob("*/stage.json")
    return max(float(json.loads(record.read_bytes())["seconds"]) for record in records)


class Attacker:
    """Attacks one checkout."""

    def __init__(self, project: Project, subject: Subject, expected: Reference, seconds: float, seed: int) -> None:
        """Take the checkout, what is right, within how long to kill, and a seed."""
        self.tally = Tally()
        self._project, self._subject, self._expected = project, subject, expected
        self._seconds = seconds
        self._random = random.Random(seed)  # noqa: S311 - repeatable is what it shall be

    def attack(self) -> None:
        """Change a setting, build, kill, and look at what is called fresh."""
        self._clean_up_sometimes()
        settings = self._choose()
        running = self._project.start("build:attacked")
        self._wait_for_a_moment(running)
        self._random.choice((self._kill_build, self._kill_build, self._kill_stage, self._kill_all))(running)
        printed, _ = running.communicate(timeout=300)
        self.tally.listen(printed)
        self.tally.attacks += 1
        self._compare(settings)

    def finish(self) -> None:
        """Let a build come to its end: all must be fresh and right."""
        settings = self._choose()
        self.tally.listen(self._project.run("build:attacked"))
        if self._compare(settings) != len(self._expected[settings]):
            self.tally.wrong.append(f"{self._project.folder.name}: a whole build did not make all stages fresh")

    def _choose(self) -> Settings:
        """Choose settings; what stands before them in the flow can stay."""
        settings = self._random.choice(list(self._expected))
        self._subject.choose(self._project, settings)
        return settings

    def _clean_up_sometimes(self) -> None:
        """Forget results, for else all are there soon and no stage runs any more."""
        if self._random.random() < 1 / 5:
            self.tally.listen(self._project.run("prune", "--keep", "0"))
        if self._random.random() < 1 / 20:
            for entry in Path(self._project.environment["UNROLL_CACHE"]).glob("*.*"):
                if self._random.random() < 1 / 2:
                    shutil.rmtree(entry, ignore_errors=True)  # others may be reading it

    def _wait_for_a_moment(self, running: "subprocess.Popen[str]") -> None:
        """Wait until a result or two were about to be published, where kills do most harm, or into the next stage."""
        scratch = self._project.folder / "build/.store/scratch"
        before = set(scratch.glob("*/report.json"))  # of builds that were killed
        seen: set[Path] = set()
        publishing = self._random.choice((0, 0, 1, 1, 2))
        while running.poll() is None and len(seen) < publishing:
            seen |= set(scratch.glob("*/report.json")) - before
            time.sleep(0.002)
        within = self._random.choice((0.05, self._seconds)) if publishing else self._seconds
        time.sleep(self._random.uniform(0, within))

    def _kill_build(self, running: "subprocess.Popen[str]") -> None:
        running.kill()

    def _kill_stage(self, running: "subprocess.Popen[str]") -> None:
        for process in self._project.stage_processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        if self._random.random() < 1 / 2:
            running.kill()

    def _kill_all(self, running: "subprocess.Popen[str]") -> None:
        running.kill()
        self._kill_stage(running)

    def _compare(self, settings: Settings) -> int:
        """Hold what is called fresh against the reference; return how many that were."""
        results = fresh(self._project, self.tally, "attacked")
        for task, result in results.items():
            self.tally.compared += 1
            if result != self._expected[settings][task]:
                self.tally.wrong.append(f"{self._project.folder.name}: {task} with {settings}: {result}")
        return len(results)


def campaign(  # noqa: PLR0913 - the last two make it small
    folder: Path,
    name: str,
    kills: int,
    watch: Callable[[Tally], None] = lambda _: None,
    *,
    changing: Sequence[str] | None = None,
    checkouts: int = 3,
) -> Tally:
    """Kill builds so many times in all.

    Args:
        folder: an empty one.
        name: of the subject.
        kills: how many, over all checkouts.
        watch: is told after each kill what all have seen so far.
        changing: the settings that change, by default all that the subject has.
        checkouts: of them share a store, and are attacked at the same time.

    """
    subject = SUBJECTS[name]
    expected = reference(folder / "reference", subject, subject.all_settings(changing))
    seconds = seconds_of_a_stage(folder / "reference")
    left = threading.Semaphore(kills)
    attackers = []
    for number in range(checkouts):
        project = _lay_out(folder / f"checkout {number}")
        project.environment["UNROLL_CACHE"] = str(folder / "shared")
        attackers.append(Attacker(project, subject, expected, seconds, number))

    def work(attacker: Attacker) -> None:
        while left.acquire(blocking=False):
            attacker.attack()
            watch(total([each.tally for each in attackers]))
        attacker.finish()

    with ThreadPoolExecutor(checkouts) as pool:
        list(pool.map(work, attackers))
    return total([attacker.tally for attacker in attackers])
