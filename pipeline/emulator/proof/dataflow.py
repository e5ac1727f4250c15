"""Follow every number of the quantized model through the compiled file's memories.

Each command must read exactly the numbers that its operator reads, element for element, and what it writes
is then what the operator computes; at the end each output must lie where it is said to. Together with
``equivalence``, which compares what the commands compute from them, this holds for every input, not only
for samples.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from pipeline.emulator.errors import StreamError
from pipeline.emulator.machine.machine import Machine
from pipeline.emulator.machine.planning import Planned
from pipeline.emulator.proof.checks import Tally
from pipeline.emulator.proof.codes import inside
from pipeline.emulator.proof.elements import is_view
from pipeline.emulator.proof.following import Following
from pipeline.emulator.proof.kinds import kind_of
from pipeline.emulator.proof.matches import Flow, Match, Mismatch
from pipeline.emulator.proof.source import Model, Operator
from pipeline.emulator.proof.traces import CONSTANT
from pipeline.emulator.proof.whole_tables import whole_table
from pipeline.emulator.stream.debug_database import Origin
from pipeline.emulator.stream.operations import Kernel, Operation, Pool, Transfer


def follow(machine: Machine, model: Model, origins: Mapping[int, Origin]) -> Flow:
    """Follow all numbers through all commands.

    Args:
        machine: the compiled model, planned.
        model: the quantized one.
        origins: which operators each command is for, by its offset.

    """
    return _Follower(machine, model, origins).flow()


class _Follower:
    def __init__(self, machine: Machine, model: Model, origins: Mapping[int, Origin]) -> None:
        self._machine, self._model, self._origins = machine, model, origins
        self._following = Following(machine.program, model)
        self._elements, self._traces = self._following.elements, self._following.traces
        self._last = {number: offset for offset, origin in sorted(origins.items()) for number in origin.operators}
        self._by_samples: dict[int, Operator] = {}

    def flow(self) -> Flow:
        tally = Tally("every number is read where the quantized model reads it", "commands and outputs")
        matches = []
        self._place_inputs()
        for planned in self._machine.planned:
            if planned.operation is None:
                continue
            try:
                match = self._command(planned, planned.operation)
            except Mismatch as mismatch:
                tally.add(1, 1, f"{self._name(planned)}: {mismatch}")
                self._traces.forget(planned.writes)
            else:
                tally.add(1)
                if match is not None:
                    matches.append(match)
        for name, wrong in self._wrong_outputs():
            tally.add(1, int(wrong), f"output {name}: it is not what the quantized model puts out")
        return Flow(
            matches=tuple(matches),
            by_samples=tuple(self._by_samples.values()),
            computes=self._following.computes,
            check=tally.check,
        )

    def _place_inputs(self) -> None:
        places = self._machine.program.inputs
        if len(places) != len(self._model.inputs):
            message = f"it has {len(places)} inputs, the quantized model {len(self._model.inputs)}"
            raise StreamError(message)
        for place, tensor in zip(places, self._model.inputs, strict=True):
            if (place.shape, place.dtype) != (tensor.shape, tensor.dtype):
                message = (
                    f"input {place.name} is {place.dtype.name} {place.shape}, {tensor.dtype.name} {tensor.shape} in"
                    " the quantized model: they are not of the same model"
                )
                raise StreamError(message)
            self._traces.put(place, self._elements.of(tensor).ravel())

    def _wrong_outputs(self) -> Iterator[tuple[str, bool]]:
        places = self._machine.program.outputs
        if len(places) != len(self._model.outputs):
            message = f"it has {len(places)} outputs, the quantized model {len(self._model.outputs)}"
            raise StreamError(message)
        for place, tensor in zip(places, self._model.outputs, strict=True):
            yield place.name, not np.array_equal(self._traces.at(place), self._elements.of(tensor).ravel())

    def _name(self, planned: Planned) -> str:
        origin = self._origins.get(planned.command.offset)
        return f"{origin.operation} {origin.name} ({planned.command})" if origin else str(planned.command)

    def _command(self, planned: Planned, operation: Operation) -> Match | None:
        """Follow one command; return what is to be compared, if anything."""
        if isinstance(operation, Transfer):
            self._traces.move(planned.reads[0], planned.writes[0])
            return None
        origin = self._origins.get(planned.command.offset)
        if origin is None:
            message = "Vela's debug database does not say which operator it is for"
            raise Mismatch(message)
        every = [self._model.operators[number] for number in origin.operators]
        operators = tuple(operator for operator in every if not is_view(operator))
        if not operators:
            self._copy(planned)
            return None
        match = kind_of(operators[0]).follow(self._following, planned, operators)
        if match is None:
            self._inside(planned, operation, operators[-1])
        return match

    def _copy(self, planned: Planned) -> None:
        operation = planned.operation
        if not isinstance(operation, Pool) or not copies(planned):
            message = "it is said to copy, but changes what it moves"
            raise Mismatch(message)
        self._following.write(planned, operation.ofm, self._traces.read(operation.ifm))

    def _inside(self, planned: Planned, kernel: Kernel, operator: Operator) -> None:
        """Follow a command of an operator that is compiled into many: it may read its input, and what they computed."""
        self._by_samples[operator.index] = operator
        output = self._elements.of(operator.outputs[0]).ravel()
        on_the_way = inside(operator.outputs[0])
        allowed = np.concatenate(
            [self._elements.of(tensor).ravel() for tensor in operator.inputs if tensor is not None]
        )
        for feature_map in kernel.inputs:
            codes = self._traces.read(feature_map)
            if not (np.isin(codes, allowed) | (codes == on_the_way) | (codes == CONSTANT)).all():
                message = f"it reads what is neither {operator.input(0).name} nor computed from it"
                raise Mismatch(message)
        ofm = kernel.ofm
        last = planned.command.offset == self._last[operator.index]
        if last and ofm.height * ofm.width * ofm.depth == output.size:
            self._following.write(planned, ofm, output)
        else:
            self._following.write(planned, ofm, np.full(ofm.height * ofm.width * ofm.depth, on_the_way))


def copies(planned: Planned) -> bool:
    """Tell whether a pooling moves all numbers as they are."""
    operation = planned.operation
    if not isinstance(operation, Pool) or operation.ifm.dtype != operation.ofm.dtype:
        return False
    table = whole_table(planned)
    if table is None:
        return False
    first = np.iinfo(operation.ifm.dtype).min
    return np.array_equal(table, np.arange(first, first + len(table)))
