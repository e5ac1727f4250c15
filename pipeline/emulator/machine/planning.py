"""Make every command of a stream ready to run: its operation, its bytes, its weights and tables."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipeline.emulator.errors import StreamError
from pipeline.emulator.machine import kernels
from pipeline.emulator.machine.kernels import Numbers, Product
from pipeline.emulator.machine.lookup import built_in
from pipeline.emulator.machine.memory import CONSTANT, LOOKUP, UNWRITTEN, Access, Contents
from pipeline.emulator.machine.shared import Shared
from pipeline.emulator.machine.views import Memories, Read, reader, writer
from pipeline.emulator.stream.commands import KERNELS, Command, Kind
from pipeline.emulator.stream.npu import Family
from pipeline.emulator.stream.operations import (
    AS_IT_IS,
    Activation,
    Binary,
    Convolution,
    Lookup,
    Operand,
    Operation,
    Pool,
    Pooling,
    Stream,
    Substitution,
    Transfer,
)
from pipeline.emulator.stream.program import Program
from pipeline.emulator.stream.translation import translate

LOOKUP_SHARED_BELOW = 128
"""A U55 of fewer MACs uses the memory of the tables for other things in every kernel without one."""


@dataclass(kw_only=True)
class Planned:
    """A command, made ready to run."""

    command: Command
    operation: Operation | None = None
    """None of a wait or a stop."""
    reads: tuple[Access, ...] = ()
    writes: tuple[Access, ...] = ()
    run: Callable[[Memories], Numbers | None] = lambda _: None
    """Compute, store, and return the result; None of what only moves constants or waits."""
    lookup: Numbers | None = None
    """The table that it looks up, as it is in memory by then."""
    table: Numbers | None = None
    """Of an elementwise operation on 8 bits: its result for every input (``kernels.table_of``)."""
    product: Product | None = None
    """Of a convolution: its weights, biases and scales."""


class Planner:
    """Plans the commands of a program one after the other."""

    def __init__(self, program: Program, substitutions: Mapping[int, Substitution]) -> None:
        """Begin with the memories as the program finds them; ``substitutions`` as ``Machine`` has them."""
        self.program = program
        self.substitutions = substitutions
        self.contents = Contents(program)
        self._shared = Shared()

    def plan(self, command: Command) -> Planned:
        """Plan a command.

        Raises:
            StreamError: it is damaged, or reads or writes what it must not.
            NotVerifiedError: it does what this emulator does not cover.

        """
        if command.kind not in KERNELS | {Kind.DMA_START}:
            return Planned(command=command)
        operation = translate(command, self.program.npu)
        scale = self._substitution(command).scale
        if isinstance(operation, Binary | Pool) and scale is not None:
            operation = replace(operation, scale=scale)
        match operation:
            case Transfer():
                return self._transfer(operation)
            case Convolution():
                planned = self._convolution(operation)
            case Pool():
                planned = self._pool(operation)
            case Binary():
                planned = self._elementwise(operation)
        npu = self.program.npu
        if planned.lookup is None and npu.family is Family.U55 and npu.macs < LOOKUP_SHARED_BELOW:
            lookup = self.contents.state[LOOKUP]
            lookup[:] = UNWRITTEN
            planned.writes += (Access(LOOKUP, 0, len(lookup)),)
        return planned

    def _substitution(self, command: Command) -> Substitution:
        return self.substitutions.get(command.offset, AS_IT_IS)

    def _transfer(self, operation: Transfer) -> Planned:
        command, contents = operation.command, self.contents
        source = self._access(operation.source)
        target = Access(
            LOOKUP if operation.to_lookup else contents.region(operation.region),
            operation.address,
            operation.address + operation.source.length,
        )
        planned = Planned(command=command, operation=operation, reads=(source,), writes=(target,))
        if operation.to_lookup or contents.states(source, command) == CONSTANT:
            contents.write(target, command, contents.constant(source, command))
            return planned
        contents.write(target, command)

        def run(memories: Memories) -> Numbers:
            moved = memories[source.region][:, source.start : source.stop].copy()
            memories[target.region][:, target.start : target.stop] = moved
            return moved

        planned.run = run
        return planned

    def _convolution(self, operation: Convolution) -> Planned:
        streams = [*operation.weights, *operation.scales]
        contents = [self.contents.constant(self._access(stream), operation.command) for stream in streams]
        product = Product.of(
            operation,
            self._shared.weights(tuple(contents[: len(operation.weights)]), operation.layout),
            self._shared.scales(tuple(contents[len(operation.weights) :]), operation),
        )
        read, reads = reader(operation.ifm, self.contents, operation.command)
        lookup, table_reads = self._lookup(operation.activation, operation)
        reads += (*map(self._access, streams), *table_reads)
        planned = self._kernel(operation, reads, lambda memories: product(read(memories)), lookup)
        planned.product = product
        return planned

    def _pool(self, operation: Pool) -> Planned:
        channels = 1 if operation.mode is Pooling.REDUCE_SUM else operation.ifm.depth
        if operation.ofm.depth != channels:
            message = f"{operation.command}: its output has {operation.ofm.depth} channels instead of {channels}"
            raise StreamError(message)
        read, reads = reader(operation.ifm, self.contents, operation.command)
        lookup, table_reads = self._lookup(operation.activation, operation)
        return self._kernel(
            operation, reads + table_reads, lambda memories: kernels.pool(operation, read(memories)), lookup
        )

    def _elementwise(self, operation: Binary) -> Planned:
        read_a, reads_a = self._operand(operation.a, operation.command)
        read_b, reads_b = self._operand(operation.b, operation.command)
        lookup, table_reads = self._lookup(operation.activation, operation)
        reads = reads_a + reads_b + table_reads
        table = self._shared.table(operation, lookup)
        if table is None:
            return self._kernel(
                operation,
                reads,
                lambda memories: kernels.elementwise(
                    operation,
                    read_a(memories) if read_a else operation.a.scalar,
                    None if operation.b is None else read_b(memories) if read_b else operation.b.scalar,
                ),
                lookup,
            )
        write, writes = writer(operation.ofm, self.contents, operation.command)
        found = [read for read in (read_a, read_b) if read]

        def run(memories: Memories) -> Numbers:
            index: Numbers = found[0](memories).view(np.uint8)
            if len(found) > 1:
                index = index.astype(np.uint16) << 8 | found[1](memories).view(np.uint8)
            result = table[index]
            write(memories, result)
            return result

        return Planned(
            command=operation.command,
            operation=operation,
            reads=reads,
            writes=writes,
            run=run,
            lookup=lookup,
            table=table,
        )

    def _kernel(
        self,
        operation: Convolution | Pool | Binary,
        reads: tuple[Access, ...],
        compute: Callable[[Memories], Any],
        lookup: Numbers | None,
    ) -> Planned:
        write, writes = writer(operation.ofm, self.contents, operation.command)

        def run(memories: Memories) -> Numbers:
            result = kernels.finish(compute(memories), operation.ofm, operation.activation, lookup)
            write(memories, result)
            return result

        return Planned(
            command=operation.command, operation=operation, reads=reads, writes=writes, run=run, lookup=lookup
        )

    def _access(self, stream: Stream) -> Access:
        return Access(self.contents.region(stream.region), stream.address, stream.address + stream.length)

    def _lookup(self, activation: Activation, operation: Operation) -> tuple[Numbers | None, tuple[Access, ...]]:
        """Return the table that an operation looks up, by its entries."""
        if activation.table is None:
            return None if activation.lookup is Lookup.DIRECT else built_in(), ()
        access = Access(LOOKUP, activation.table, activation.table + activation.table_bytes)
        content = self.contents.constant(access, operation.command)
        lookup: Numbers | None = self._substitution(operation.command).lookup
        if lookup is None:
            lookup = np.frombuffer(content, f"<i{activation.table_bits // 8}")
        return lookup, (access,)

    def _operand(self, operand: Operand | None, command: Command) -> tuple[Read | None, tuple[Access, ...]]:
        if operand is None or operand.feature_map is None:
            return None, ()
        return reader(operand.feature_map, self.contents, command)
