"""The points of the matrix: which accelerator, memory mode and system configuration to compile for."""

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

import msgspec

from pipeline.npu.section import Strategy, Target, Variant
from pipeline.npu.targets import ACCELERATORS, MEMORY_MODES, SYSTEM_CONFIGS, why_impossible
from pipeline.section import Section

USUAL_SYSTEM: Mapping[str, str] = {
    "u55": "Ethos_U55_High_End_Embedded",
    "u65": "Ethos_U65_High_End",
    "u85": "Ethos_U85_SYS_DRAM_Mid",
}
"""Family -> the system configuration of Arm's adviser MLIA; for the U85, which has three there, the middle one."""

USUAL_MODES = ("Sram_Only", "Shared_Sram", "Dedicated_Sram")
"""One memory mode of each kind; the other ones bound the SRAM of ``Dedicated_Sram``."""


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """What Vela is told beside the model."""

    accelerator: str
    system_config: str
    memory_mode: str
    optimise: Strategy = "Performance"
    clusters: int = 0
    """Weights share so many values, as an experiment on a copy of the model; 0 leaves them as they are."""
    config: str | None = None
    """One's own ``vela.ini`` with the system configuration or the memory mode."""

    @property
    def name(self) -> str:
        """Name it as a task's target and a folder: ``u55-128.Shared_Sram.High_End_Embedded``."""
        system = self.system_config.removeprefix(f"Ethos_{self.family.upper()}_")
        parts = [self.accelerator.removeprefix("ethos-"), self.memory_mode, system]
        parts += [self.optimise] * (self.optimise != "Performance")
        parts += [f"{self.clusters}-values"] * (self.clusters > 0)
        return re.sub(r"[^A-Za-z0-9_.-]", "-", ".".join(parts))

    @property
    def family(self) -> str:
        """Return ``u55``, ``u65`` or ``u85``."""
        return ACCELERATORS[self.accelerator]

    @property
    def macs_per_cycle(self) -> int:
        """Return how many multiplications the accelerator does in a cycle at most."""
        return int(self.accelerator.rpartition("-")[2])

    def as_config(self) -> dict[str, Any]:
        """Return it under the names of an experiment file."""
        built: dict[str, Any] = msgspec.to_builtins(self)
        return {name: value for name, value in built.items() if value or name not in ("clusters", "config")}

    def sections(self) -> dict[str, Section]:
        """Return it as the ``vela`` stage reads it; an experiment's target of the same has the same result."""
        target = Target(
            accelerator=self.accelerator,
            system_config=self.system_config,
            memory_mode=self.memory_mode,
            optimise=self.optimise,
            config=self.config,
        )
        return {"target": target, **({"variant": Variant(clusters=self.clusters)} if self.clusters else {})}


class Impossible(NamedTuple):
    """A pair that no compile can be had for, and why."""

    accelerator: str
    memory_mode: str
    system_config: str | None
    """None when it is so with every system configuration of the family."""
    reason: str


def place(point: Point) -> tuple[Any, ...]:
    """Return what puts points in the order of the tables of targets, those of one system together."""
    accelerators, modes = list(ACCELERATORS), list(MEMORY_MODES)
    return (
        point.family,
        point.system_config,
        accelerators.index(point.accelerator),
        modes.index(point.memory_mode) if point.memory_mode in modes else len(modes),
        point.optimise,
    )


def of_config(config: Mapping[str, Any]) -> Point:
    """Return the point that a job of the ``vela`` stage compiles for, of what it reads of its experiment."""
    settings = {**config["target"], **config.get("variant", {})}
    return Point(**{name: settings[name] for name in Point.__struct_fields__ if name in settings})


def points(*, every: bool, strategies: tuple[Strategy, ...] = ("Performance",)) -> Iterator[Point]:
    """Return the points that can be compiled, by accelerator.

    Args:
        every: with every system configuration and memory mode, not only the usual ones.
        strategies: Vela's optimisation strategies.

    """
    for accelerator, system, mode, optimise in product(ACCELERATORS, SYSTEM_CONFIGS, MEMORY_MODES, strategies):
        family, _ = SYSTEM_CONFIGS[system]
        usual = system == USUAL_SYSTEM[family] and mode in USUAL_MODES
        if family == ACCELERATORS[accelerator] and (every or usual) and not why_impossible(accelerator, system, mode):
            yield Point(accelerator=accelerator, system_config=system, memory_mode=mode, optimise=optimise)


def impossible(*, every: bool) -> Iterator[Impossible]:
    """Return the pairs of accelerator and memory mode that can't be compiled, and why."""
    for accelerator, mode in product(ACCELERATORS, MEMORY_MODES if every else USUAL_MODES):
        family = ACCELERATORS[accelerator]
        systems = [name for name, (of, _) in SYSTEM_CONFIGS.items() if of == family and (every or _usual(name))]
        reasons = {system: why_impossible(accelerator, system, mode) for system in systems}
        if all(reasons.values()):
            yield Impossible(accelerator, mode, None, next(iter(reasons.values())) or "")
        else:
            yield from (Impossible(accelerator, mode, system, reason) for system, reason in reasons.items() if reason)


def _usual(system: str) -> bool:
    return system in USUAL_SYSTEM.values()
