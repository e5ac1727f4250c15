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
from pipeline.emulator.proof.elements import INSIDE, Codes, Elements, is_view
from pipeline.emulator.proof.formulas import BINARY, UNARY
from pipeline.emulator.proof.matches import Flow, Match, Mismatch, positions
from pipeline.emulator.proof.operands import Operands
from pipeline.emulator.proof.source import Model, Operator, Tensor
from pipeline.emulator.proof.traces import CONSTANT, Traces
from pipeline.emulator.proof.whole_tables import whole_table
from pipeline.emulator.stream.debug_database import Origin
from pipeline.emulator.stream.feature_maps import FeatureMap
from pipeline.emulator.stream.operations import Binary, Convolution, Kernel, Operand, Operation, Pool, Transfer


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
        self._elements = Elements(model)
        self._traces = Traces(machine.program)
        self._operands = Operands(self._elements, self._traces)
        self._computes: dict[int, Codes] = {}
        self._channels: dict[int, int] = {}
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
            computes=self._computes,
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
        found = [self._model.operators[number] for number in origin.operators]
        operators = tuple(operator for operator in found if not is_view(operator))
        if not operators:
            self._copy(planned)
            return None
        match = self._matched(planned, operators)
        if match is None:
            self._inside(planned, operation, operators[-1])
        return match

    def _matched(self, planned: Planned, operators: tuple[Operator, ...]) -> Match | None:
        match planned.operation, operators[0].kind:
            case Convolution() as operation, "FULLY_CONNECTED":
                return self._product(planned, operators, operation)
            case (Pool(ifm=ifm), kind) if kind in UNARY:
                return self._unary(planned, operators, ifm)
            case (Binary(a=Operand(feature_map=FeatureMap() as ifm), b=None), kind) if kind in UNARY:
                return self._unary(planned, operators, ifm)
            case (Binary() as operation, kind) if kind in BINARY:
                return self._binary(planned, operators, operation)
        return None

    def _copy(self, planned: Planned) -> None:
        operation = planned.operation
        if not isinstance(operation, Pool) or not copies(planned):
            message = "it is said to copy, but changes what it moves"
            raise Mismatch(message)
        self._write(planned, operation.ofm, self._traces.read(operation.ifm))

    def _product(self, planned: Planned, operators: tuple[Operator, ...], operation: Convolution) -> Match:
        first = operators[0]
        inputs, outputs = (
            self._elements.of(tensor).reshape(-1, tensor.shape[-1]) for tensor in (first.input(0), first.outputs[0])
        )
        inputs = inputs.reshape(len(outputs), -1)
        read = self._traces.read(operation.ifm).reshape(-1, operation.ifm.depth)
        rows = positions(inputs[:, 0], read[:, 0])
        if read.shape[1] != inputs.shape[1] or not np.array_equal(read, inputs[rows]):
            message = f"it does not read {first.input(0).name}"
            raise Mismatch(message)
        start = self._channels.get(first.index, 0)
        channels = slice(start, start + operation.ofm.depth)
        if channels.stop > outputs.shape[1]:
            message = f"it computes more than the {outputs.shape[1]} outputs that there are"
            raise Mismatch(message)
        self._channels[first.index] = channels.stop % outputs.shape[1]
        _alike(operation.ifm, first.input(0))
        self._store(planned, operators, outputs[rows, channels].ravel())
        return Match(planned=planned, operators=operators, channels=channels)

    def _unary(self, planned: Planned, operators: tuple[Operator, ...], ifm: FeatureMap) -> Match:
        inputs, outputs = (
            self._elements.of(tensor).ravel() for tensor in (operators[0].input(0), operators[0].outputs[0])
        )
        _alike(ifm, operators[0].input(0))
        self._store(planned, operators, outputs[positions(inputs, self._traces.read(ifm))])
        return Match(planned=planned, operators=operators)

    def _binary(self, planned: Planned, operators: tuple[Operator, ...], operation: Binary) -> Match:
        first, output = operators[0], operators[0].outputs[0]
        try:
            inputs = [np.broadcast_to(self._elements.of(first.input(place)), output.shape).ravel() for place in (0, 1)]
        except ValueError as error:
            raise Mismatch(str(error)) from None
        operands = [operand for operand in (operation.a, operation.b) if operand is not None]
        if len(operands) == 1:
            message = "it has one input where its operator has two"
            raise Mismatch(message)
        for swapped in (False, True):
            ordered = operands[::-1] if swapped else operands
            places = self._operands.places(inputs, ordered, operation)
            if places is not None:
                for place, operand in enumerate(ordered):
                    if operand.feature_map is not None:
                        _alike(operand.feature_map, first.input(place))
                self._store(planned, operators, self._elements.of(output).ravel()[places])
                first_is_scalar = ordered[0].feature_map is None
                scalar = self._operands.scalar(inputs, ordered)
                return Match(
                    planned=planned,
                    operators=operators,
                    swapped=swapped,
                    scalar=scalar,
                    scalar_first=first_is_scalar,
                )
        message = f"it does not read {first.input(0).name} and {first.input(1).name}"
        raise Mismatch(message)

    def _inside(self, planned: Planned, kernel: Kernel, operator: Operator) -> None:
        """Follow a command of an operator that is compiled into many: it may read its input, and what they computed."""
        self._by_samples[operator.index] = operator
        output = self._elements.of(operator.outputs[0]).ravel()
        inside = (operator.outputs[0].number + 1 << 32) + INSIDE
        allowed = np.concatenate(
            [self._elements.of(tensor).ravel() for tensor in operator.inputs if tensor is not None]
        )
        for feature_map in kernel.inputs:
            codes = self._traces.read(feature_map)
            if not (np.isin(codes, allowed) | (codes == inside) | (codes == CONSTANT)).all():
                message = f"it reads what is neither {operator.input(0).name} nor computed from it"
                raise Mismatch(message)
        ofm = kernel.ofm
        last = planned.command.offset == self._last[operator.index]
        if last and ofm.height * ofm.width * ofm.depth == output.size:
            self._write(planned, ofm, output)
        else:
            self._write(planned, ofm, np.full(ofm.height * ofm.width * ofm.depth, inside))

    def _store(self, planned: Planned, operators: tuple[Operator, ...], results: Codes) -> None:
        """Write results of the first of some operators, or what becomes of them in those fused behind it."""
        ofm = planned.operation.ofm  # type: ignore[union-attr] # no transfer comes here
        _alike(ofm, operators[-1].outputs[0])
        self._write(planned, ofm, self._through(results, operators))

    def _write(self, planned: Planned, ofm: FeatureMap, codes: Codes) -> None:
        if len(codes) != ofm.addresses.size:
            message = f"it writes {ofm.addresses.size:,} numbers, where it computes {len(codes):,}"
            raise Mismatch(message)
        self._computes[planned.command.offset] = codes
        self._traces.write(ofm, codes)

    def _through(self, codes: Codes, operators: tuple[Operator, ...]) -> Codes:
        """Return what becomes of an operator's results in those fused behind it."""
        for operator in operators[1:]:
            places = positions(self._elements.of(operator.input(0)).ravel(), codes)
            codes = self._elements.of(operator.outputs[0]).ravel()[places]
        return codes


def _alike(feature_map: FeatureMap, tensor: Tensor) -> None:
    """Say whether a command takes a tensor's numbers for what they are: the bytes of -1 are also those of 255."""
    if feature_map.dtype != tensor.dtype:
        message = f"it takes {tensor.name} for {feature_map.dtype.name}, which is {tensor.dtype.name}"
        raise Mismatch(message)


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
