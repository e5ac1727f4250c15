"""Find which elements of an operator a command with two operands computes, or a number in place of one."""

import numpy as np

from pipeline.emulator.proof.codes import Codes
from pipeline.emulator.proof.elements import Elements
from pipeline.emulator.proof.matches import Mismatch, positions
from pipeline.emulator.proof.traces import CONSTANT, Traces
from pipeline.emulator.stream.operations import Binary, Operand


class Operands:
    """The operands of commands, seen against what their operators read."""

    def __init__(self, elements: Elements, traces: Traces) -> None:
        """Look into the quantized model's tensors and the NPU's memories."""
        self._elements, self._traces = elements, traces

    def places(self, inputs: list[Codes], operands: list[Operand], operation: Binary) -> Codes | None:
        """Return which elements of the operator's output a command computes; None if operands are not its inputs."""
        codes = [None if operand.feature_map is None else self._broadcast(operand, operation) for operand in operands]
        computed = [
            (wanted, read) for wanted, read in zip(inputs, codes, strict=True) if read is not None and (read > 0).all()
        ]
        if not computed:
            return None
        wanted, read = max(computed, key=lambda pair: len(np.unique(pair[0])))
        if len(wanted) == len(read) and np.array_equal(wanted, read):
            places = np.arange(len(wanted))
        else:
            try:
                places = positions(wanted, read)
            except Mismatch:
                return None
        fit = all(
            self._fits(every[places], operand, found)
            for every, operand, found in zip(inputs, operands, codes, strict=True)
        )
        return places if fit else None

    def _fits(self, wanted: Codes, operand: Operand, read: Codes | None) -> bool:
        """Tell whether an operand is what its operator reads: the same numbers, or constants of the same value."""
        if read is not None and (read > 0).all():
            return np.array_equal(wanted, read)
        constants = self._elements.constants(wanted)
        if constants is None:
            return False
        if operand.feature_map is None or read is None:
            return len(np.unique(constants)) == 1
        if not (read == CONSTANT).all():
            return False
        return np.array_equal(constants, self._traces.constants(operand.feature_map))

    def scalar(self, inputs: list[Codes], operands: list[Operand]) -> int | None:
        """Return what an input is throughout, in stored numbers, where a command has a number in its place."""
        for wanted, operand in zip(inputs, operands, strict=True):
            if operand.feature_map is None:
                constants = self._elements.constants(wanted)
                return None if constants is None else int(constants[0])
        return None

    def _broadcast(self, operand: Operand, operation: Binary) -> Codes:
        feature_map = operand.feature_map
        assert feature_map is not None  # noqa: S101 - both callers looked
        codes = self._traces.read(feature_map).reshape(feature_map.shape)
        return np.broadcast_to(codes, operation.ofm.shape).ravel()
