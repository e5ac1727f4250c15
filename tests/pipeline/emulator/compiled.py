"""Small networks, quantized, compiled with the real Vela, and read back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipeline.emulator.machine.machine import Machine
from pipeline.emulator.proof import source, static_checks
from pipeline.emulator.proof.static_checks import Findings
from pipeline.emulator.stream import debug_database, program
from pipeline.emulator.stream.debug_database import Origin
from pipeline.emulator.stream.program import Program
from pipeline.npu.section import Target

SYSTEMS = {
    "u55": "Ethos_U55_High_End_Embedded",
    "u65": "Ethos_U65_High_End",
    "u85": "Ethos_U85_SYS_DRAM_Mid",
}


def target(accelerator: str, memory_mode: str) -> Target:
    """Return a target as an experiment has it."""
    system = SYSTEMS[accelerator.split("-")[1]]
    return Target(accelerator=accelerator, system_config=system, memory_mode=memory_mode)


@dataclass(frozen=True)
class Compiled:
    """A compiled model, and the quantized one that it was compiled from."""

    path: Path
    quantized: Path

    @cached_property
    def program(self) -> Program:
        """The compiled model."""
        return program.load(self.path)

    @cached_property
    def machine(self) -> Machine:
        """It, planned."""
        return Machine(self.program)

    @cached_property
    def model(self) -> source.Model:
        """The quantized model."""
        return source.load(self.quantized)

    @cached_property
    def origins(self) -> Mapping[int, Origin]:
        """Which operators each command is for."""
        return debug_database.read(debug_database.beside(self.path))

    def check(self) -> Findings:
        """Check it without samples."""
        return static_checks.check(self.machine, self.model, self.origins)


Compile = Callable[..., Compiled]
"""``compile_network(network, steps, accelerator, memory_mode, state=False, bits=8)``."""
CompileModel = Callable[..., Compiled]
"""``compile_model(content, accelerator, memory_mode)`` of a quantized model's bytes."""
