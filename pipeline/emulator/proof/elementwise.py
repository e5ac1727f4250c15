"""Operators of which every result depends on one element of each input: followed, and compared by whole tables.

An operator on 8 bits has 256 or 65,536 inputs, so its whole table is compared, with the tables that are
fused behind it. On wider numbers it has too many, and only samples show what it computes.
"""

import abc
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from pipeline.emulator.errors import NotVerifiedError
from pipeline.emulator.machine.planning import Planned
from pipeline.emulator.proof.equivalence import Comparison
from pipeline.emulator.proof.following import Following, alike
from pipeline.emulator.proof.int8 import MIDDLE, Possible, Table
from pipeline.emulator.proof.kinds import Kind, Results
from pipeline.emulator.proof.matches import Match, Mismatch, positions
from pipeline.emulator.proof.reach import Reach
from pipeline.emulator.proof.source import Operator, Tensor
from pipeline.emulator.proof.whole_tables import whole_table
from pipeline.emulator.stream import operations
from pipeline.emulator.stream.feature_maps import FeatureMap
from pipeline.emulator.stream.operations import Operand, Pool


class Elementwise(Kind, abc.ABC):
    """An operator of one or two inputs, element by element."""

    OPERANDS: ClassVar[int]
    """How many of its inputs it computes from."""
    WHAT: ClassVar[str]
    """What its table has a result for."""

    @abc.abstractmethod
    def formula(self, operator: Operator) -> Table:
        """Return what TensorFlow Lite Micro makes of every input; all tensors are of 8 bits.

        Raises:
            OverflowError: it depends on the compiler of TensorFlow Lite Micro.
            NotVerifiedError: the operator is not covered.

        """

    def operands(self, operator: Operator) -> list[Tensor]:
        """Return the inputs that it computes from."""
        return [operator.input(place) for place in range(self.OPERANDS)]

    def table(self, operator: Operator) -> Table:
        """Return its whole table.

        Raises:
            NotVerifiedError: its activation, its precision or so far apart scales are not covered.

        """
        for tensor in (*self.operands(operator), operator.outputs[0]):
            if tensor.dtype != np.int8:
                message = f"operator {operator}, of {tensor.dtype.name} numbers"
                raise NotVerifiedError(message)
        try:
            return self.formula(operator)
        except OverflowError as error:
            message = f"operator {operator}: {error}, and TensorFlow Lite Micro's result depends on its C++ compiler"
            raise NotVerifiedError(message) from None

    def compare(self, match: Match, comparison: Comparison) -> None:
        """Compare a command with its operators over every input."""
        first = match.operators[0]
        if first.input(0).dtype != np.int8:
            comparison.only_by_samples(first)
            return
        tables = comparison.tables
        wanted = match.by_operands(comparison.table(match.operators))
        computed = whole_table(match.planned)
        if computed is None or computed.shape != wanted.shape:
            tables.add(wanted.size, wanted.size, f"{match}: it does not have {wanted.size:,} inputs of 8 bits")
            return
        differ = int((computed != wanted).sum())
        tables.add(wanted.size, differ, f"{match}: {_first_difference(computed, wanted)}" if differ else "")

    def results(self, match: Match, as_micro: Planned, reach: Reach) -> Results | None:
        """Return a command's whole tables; None of wider numbers, of which only samples show how many differ."""
        first = match.operators[0]
        compiled, micro = whole_table(match.planned), whole_table(as_micro)
        if first.input(0).dtype != np.int8 or compiled is None or micro is None:
            return None
        possible = match.by_operands(reach.inputs(*self.operands(first)))
        return Results(compiled=compiled, micro=micro, possible=possible, what=self.WHAT)

    def possible(self, operator: Operator, reach: Reach) -> Possible:
        """Return what its table makes of what its inputs can hold."""
        return reach.image(operator, reach.inputs(*self.operands(operator)))


class Unary(Elementwise):
    """An operator of one input."""

    OPERANDS = 1
    WHAT = "inputs"

    def follow(self, following: Following, planned: Planned, operators: tuple[Operator, ...]) -> Match | None:
        """Follow a pooling, or an elementwise command with one operand."""
        match planned.operation:
            case Pool(ifm=ifm):
                return _one_operand(following, planned, operators, ifm)
            case operations.Binary(a=Operand(feature_map=FeatureMap() as ifm), b=None):
                return _one_operand(following, planned, operators, ifm)
        return None


def _one_operand(following: Following, planned: Planned, operators: tuple[Operator, ...], ifm: FeatureMap) -> Match:
    read = operators[0].input(0)
    inputs, outputs = (following.elements.of(tensor).ravel() for tensor in (read, operators[0].outputs[0]))
    alike(ifm, read)
    following.store(planned, operators, outputs[positions(inputs, following.traces.read(ifm))])
    return Match(planned=planned, operators=operators)


class Binary(Elementwise):
    """An operator of two inputs, of which one may be broadcast, or one number throughout."""

    OPERANDS = 2
    WHAT = "input pairs"

    def follow(self, following: Following, planned: Planned, operators: tuple[Operator, ...]) -> Match | None:
        """Follow an elementwise command; its operands may be swapped."""
        if not isinstance(planned.operation, operations.Binary):
            return None
        return _two_operands(following, planned, operators, planned.operation)


def _two_operands(
    following: Following, planned: Planned, operators: tuple[Operator, ...], operation: operations.Binary
) -> Match:
    first, output = operators[0], operators[0].outputs[0]
    elements = following.elements
    try:
        inputs = [np.broadcast_to(elements.of(first.input(place)), output.shape).ravel() for place in (0, 1)]
    except ValueError as error:
        raise Mismatch(str(error)) from None
    operands = [operand for operand in (operation.a, operation.b) if operand is not None]
    if len(operands) == 1:
        message = "it has one input where its operator has two"
        raise Mismatch(message)
    for swapped in (False, True):
        ordered = operands[::-1] if swapped else operands
        places = following.operands.places(inputs, ordered, operation)
        if places is not None:
            for place, operand in enumerate(ordered):
                if operand.feature_map is not None:
                    alike(operand.feature_map, first.input(place))
            following.store(planned, operators, elements.of(output).ravel()[places])
            return Match(
                planned=planned,
                operators=operators,
                swapped=swapped,
                scalar=following.operands.scalar(inputs, ordered),
                scalar_first=ordered[0].feature_map is None,
            )
    message = f"it does not read {first.input(0).name} and {first.input(1).name}"
    raise Mismatch(message)


def _first_difference(computed: npt.NDArray[Any], wanted: npt.NDArray[Any]) -> str:
    where = np.argwhere(computed != wanted)
    inputs = " and ".join(str(int(place) - MIDDLE) for place in where[0])
    first = tuple(where[0])
    return (
        f"of {inputs} it makes {computed[first]} instead of {wanted[first]}; {len(where):,} of {wanted.size:,} differ"
    )
