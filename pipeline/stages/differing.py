"""Find the first operation of a compiled file whose result is not that of the quantized model's operator."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.data.arrays import Features
from pipeline.npu.stream import source
from pipeline.npu.stream.elements import INSIDE, split
from pipeline.npu.stream.kernels import Numbers
from pipeline.npu.stream.machine import Machine
from pipeline.npu.stream.planning import Planned
from pipeline.npu.stream.static_checks import Findings
from pipeline.stages.inference import INPUT
from pipeline.stages.micro import MicroModel
from pipeline.tflite.edit import with_every_tensor_put_out


@dataclass(frozen=True, kw_only=True)
class Compiled:
    """A compiled file, and what is known of it."""

    quantized: Path
    machine: Machine
    checked: Findings
    """What was found of it without a sample."""


def first_operation(compiled: Compiled, x: Features) -> str | None:
    """Run one sample, (rows, features); name the first operation whose result TensorFlow Lite Micro does not have.

    What is computed within a softmax has no tensor to be compared with: of it only the result is.

    Raises:
        MicroError: TensorFlow Lite Micro can't run the model.

    """
    with tempfile.TemporaryDirectory() as folder:
        shown = Path(folder, "shown.tflite")
        shown.write_bytes(with_every_tensor_put_out(compiled.quantized.read_bytes())[0])
        model = _Watched(shown, compiled)
        model.reset()
        model.run(model.inputs[INPUT].stored(model.folded(x[np.newaxis]))[0])
    return model.first


class _Watched(MicroModel):
    """The quantized model; after each inference the compiled one computes from the same inputs, and is compared."""

    def __init__(self, path: Path, compiled: Compiled) -> None:
        super().__init__(path)
        self.first: str | None = None
        self._compiled = compiled
        self._source = source.load(compiled.quantized)
        self._given: dict[str, Numbers] = {}

    def put(self, name: str, values: Numbers) -> None:
        super().put(name, values)
        self._given[self.inputs[name].tensor] = values

    def invoke(self) -> None:
        super().invoke()
        if self.first is None:
            self._compiled.machine.run(self._given, self._compare)

    def _compare(self, planned: Planned, result: Numbers) -> None:
        codes = self._compiled.checked.computes.get(planned.command.offset)
        if codes is None or self.first is not None:
            return
        numbers, elements = split(codes)
        for number in np.unique(numbers[elements != INSIDE]):
            operator = self._source.writer_of.get(int(number))
            if operator is None:  # a constant or an input, moved
                continue
            places = np.flatnonzero(numbers == number)
            found, wanted = result.ravel()[places], self.read_tensor(int(number)).ravel()[elements[places]]
            differs = np.flatnonzero(found != wanted)
            if differs.size:
                at = differs[0]
                self.first = (
                    f"{operator} ({planned.command}): element {elements[places[at]]} is {found[at]},"
                    f" where TensorFlow Lite Micro has {wanted[at]}"
                )
                return
