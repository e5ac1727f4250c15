"""What is in the NPU's memories while command after command is followed, for kinds of operators to look into."""

from collections.abc import Mapping

from pipeline.emulator.machine.planning import Planned
from pipeline.emulator.proof.codes import Codes
from pipeline.emulator.proof.elements import Elements
from pipeline.emulator.proof.matches import Mismatch, positions
from pipeline.emulator.proof.operands import Operands
from pipeline.emulator.proof.source import Model, Operator, Tensor
from pipeline.emulator.proof.traces import Traces
from pipeline.emulator.stream.feature_maps import FeatureMap
from pipeline.emulator.stream.program import Program


class Following:
    """The numbers of the quantized model, and where they are by now."""

    def __init__(self, program: Program, model: Model) -> None:
        """Begin before the first command, with nothing but constants."""
        self.elements = Elements(model)
        self.traces = Traces(program)
        self.operands = Operands(self.elements, self.traces)
        self._computes: dict[int, Codes] = {}
        self._outputs: dict[int, int] = {}

    @property
    def computes(self) -> Mapping[int, Codes]:
        """Return what each kernel writes: the codes of its result's elements, by the command's offset."""
        return self._computes

    def next_outputs(self, operator: Operator, count: int) -> slice:
        """Return which outputs, along the last axis, a command computes of an operator that several share in order.

        Raises:
            Mismatch: there are not so many left.

        """
        size = operator.outputs[0].shape[-1]
        start = self._outputs.get(operator.index, 0)
        outputs = slice(start, start + count)
        if outputs.stop > size:
            message = f"it computes more than the {size} outputs that there are"
            raise Mismatch(message)
        self._outputs[operator.index] = outputs.stop % size
        return outputs

    def store(self, planned: Planned, operators: tuple[Operator, ...], results: Codes) -> None:
        """Write results of the first of some operators, or what becomes of them in those fused behind it.

        Raises:
            Mismatch: the command takes them for other numbers, or writes more or less.

        """
        ofm = planned.operation.ofm  # type: ignore[union-attr] # no transfer comes here
        alike(ofm, operators[-1].outputs[0])
        self.write(planned, ofm, self._through(results, operators))

    def write(self, planned: Planned, ofm: FeatureMap, codes: Codes) -> None:
        """Say what a command's result is.

        Raises:
            Mismatch: it writes more numbers, or less.

        """
        if len(codes) != ofm.addresses.size:
            message = f"it writes {ofm.addresses.size:,} numbers, where it computes {len(codes):,}"
            raise Mismatch(message)
        self._computes[planned.command.offset] = codes
        self.traces.write(ofm, codes)

    def _through(self, codes: Codes, operators: tuple[Operator, ...]) -> Codes:
        """Return what becomes of an operator's results in those fused behind it."""
        for operator in operators[1:]:
            places = positions(self.elements.of(operator.input(0)).ravel(), codes)
            codes = self.elements.of(operator.outputs[0]).ravel()[places]
        return codes


def alike(feature_map: FeatureMap, tensor: Tensor) -> None:
    """Check that a command takes a tensor's numbers for what they are: the bytes of -1 are also those of 255.

    Raises:
        Mismatch: it does not.

    """
    if feature_map.dtype != tensor.dtype:
        message = f"it takes {tensor.name} for {feature_map.dtype.name}, which is {tensor.dtype.name}"
        raise Mismatch(message)
