"""Run a command stream: every command is planned once, then samples go through in batches."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from pipeline.emulator.machine.kernels import Numbers
from pipeline.emulator.machine.memory import SCRATCH, Access
from pipeline.emulator.machine.planning import Planned, Planner
from pipeline.emulator.stream.commands import decode
from pipeline.emulator.stream.operations import Substitution
from pipeline.emulator.stream.program import Program

Watch = Callable[[Planned, Numbers], None]
"""Is told the result of every kernel, (samples, height, width, depth)."""


class Machine:
    """A compiled model, ready to run."""

    def __init__(self, program: Program, substitutions: Mapping[int, Substitution] = MappingProxyType({})) -> None:
        """Plan every command.

        Args:
            program: the compiled model.
            substitutions: what commands are to have in place of what the stream gives them, by their offset.

        Raises:
            StreamError: the stream is damaged, or reads or writes what it must not.
            NotVerifiedError: it does what this emulator does not cover.

        """
        self.program = program
        planner = Planner(program, substitutions)
        self.planned = [planner.plan(command) for command in decode(program.words, program.npu.family)]
        for place in program.outputs:
            access = Access(SCRATCH, place.offset, place.offset + place.size)
            planner.contents.states(access, f"output {place.name}")
        self._sizes = {region: len(state) for region, state in planner.contents.state.items() if region >= SCRATCH}

    def run(self, inputs: Mapping[str, Numbers], watch: Watch | None = None) -> dict[str, Numbers]:
        """Let samples through.

        Args:
            inputs: by name, each (samples, *shape) in stored numbers.
            watch: is told the results.

        Returns:
            The outputs by name, each (samples, *shape).

        Raises:
            NotVerifiedError: a number goes beyond what is known of the hardware.

        """
        samples = len(next(iter(inputs.values())))
        memories = {region: np.zeros((samples, size), np.uint8) for region, size in self._sizes.items()}
        for place in self.program.inputs:
            stored = np.ascontiguousarray(inputs[place.name], place.dtype).reshape(samples, -1)
            memories[SCRATCH][:, place.offset : place.offset + place.size] = stored.view(np.uint8)
        for planned in self.planned:
            result = planned.run(memories)
            if watch is not None and result is not None:
                watch(planned, result)
        found = {}
        for place in self.program.outputs:
            stored = memories[SCRATCH][:, place.offset : place.offset + place.size].copy()
            found[place.name] = stored.view(place.dtype).reshape(samples, *place.shape)
        return found
