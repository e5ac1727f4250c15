"""Find the first operation of a compiled file whose result is not that of the quantized model's operator."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.data.arrays import Features
from pipeline.emulator.machine.kernels import Numbers
from pipeline.emulator.machine.machine import Machine
from pipeline.emulator.machine.planning import Planned
from pipeline.emulator.proof import source
from pipeline.emulator.proof.codes import INSIDE, split
from pipeline.emulator.proof.static_checks import Findings
from pipeline.runtime import micro
from pipeline.runtime.emulated import EmulatedModel
from pipeline.runtime.litert import INPUT
from pipeline.runtime.micro import MicroModel
from pipeline.tflite import roles
from pipeline.tflite.edit import with_an_output_more, with_every_tensor_put_out

SHOWN = "shown"
UNSEEN = np.int64(1 << 62)
"""No tensor holds it."""


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
        shown = _copy(compiled, Path(folder), with_every_tensor_put_out(compiled.quantized.read_bytes())[0])
        model = _Watched(shown, compiled)
        model.reset()
        model.run(model.inputs[INPUT].stored(model.folded(x[np.newaxis]))[0])
    return model.first


def _copy(compiled: Compiled, folder: Path, content: bytes) -> Path:
    """Write a changed copy of the quantized model; what is known of its inputs and states holds for the copy."""
    shown = folder / "shown.tflite"
    shown.write_bytes(content)
    if graph := roles.of(compiled.quantized):
        roles.save({shown.name: graph}, folder)
    return shown


def softmax_reads_the_same(compiled: Compiled, machine: Machine, x: Features) -> bool:
    """Tell whether the softmax at the end gets the bytes that it gets in TensorFlow Lite Micro, of every sample.

    Args:
        compiled: what is known of the compiled file.
        machine: the same commands, maybe with other multipliers.
        x: float32 (samples, rows, features of a row).

    Raises:
        MicroError: TensorFlow Lite Micro can't run the model.

    """
    model = source.load(compiled.quantized)
    ends = [model.writer_of.get(tensor.number) for tensor in model.outputs]
    read = [operator.input(0) for operator in ends if operator is not None and operator.kind == "SOFTMAX"]
    if len(read) != 1:
        return False
    (tensor,) = read
    with tempfile.TemporaryDirectory() as folder:
        content = with_an_output_more(compiled.quantized.read_bytes(), tensor.number, SHOWN)
        shown = _copy(compiled, Path(folder), content)
        expected = micro.outputs(shown, x, lambda _: None)[SHOWN]
    seen = _Seen(compiled, tensor)
    watched = EmulatedModel(compiled.quantized, machine, seen.watch)
    watched.reset(len(x))
    watched.run(watched.inputs[INPUT].stored(watched.folded(x)))
    return np.array_equal(seen.values, expected.reshape(len(x), -1))


class _Seen:
    """What a tensor of the quantized model last held while a compiled file ran."""

    def __init__(self, compiled: Compiled, tensor: source.Tensor) -> None:
        self.values = np.full((0, 0), UNSEEN)
        """(samples, size); ``UNSEEN`` where no command wrote it."""
        self._computes = compiled.checked.computes
        self._tensor = tensor

    def watch(self, planned: Planned, result: Numbers) -> None:
        numbers, elements = split(self._computes.get(planned.command.offset, np.zeros(0, np.int64)))
        places = np.flatnonzero((numbers == self._tensor.number) & (elements != INSIDE))
        if places.size:
            flat = result.reshape(len(result), -1)
            if len(self.values) != len(flat):
                self.values = np.full((len(flat), int(np.prod(self._tensor.shape))), UNSEEN)
            self.values[:, elements[places]] = flat[:, places]


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
            comparison = _Comparison(self._compiled, self._source, self.read_tensor)
            self._compiled.machine.run(self._given, comparison.compare)
            self.first = comparison.first


def first_operation_of(compiled: Compiled, inputs: Mapping[str, Numbers]) -> str | None:
    """Do the same with any model, given one sample by the names of the compiled file's inputs, each (1, *shape).

    Raises:
        MicroError: TensorFlow Lite Micro can't run the model.

    """
    content, order = with_every_tensor_put_out(compiled.quantized.read_bytes())
    found = micro.computed(content, [inputs[place.name] for place in compiled.machine.program.inputs])
    computed = dict(zip(order, found, strict=True))
    comparison = _Comparison(compiled, source.load(compiled.quantized), lambda number: computed[number])
    compiled.machine.run(inputs, comparison.compare)
    return comparison.first


class _Comparison:
    """Holds what each kernel computes against the tensors of the quantized model."""

    def __init__(self, compiled: Compiled, model: source.Model, read: Callable[[int], Numbers]) -> None:
        self.first: str | None = None
        self._computes = compiled.checked.computes
        self._model = model
        self._read = read

    def compare(self, planned: Planned, result: Numbers) -> None:
        codes = self._computes.get(planned.command.offset)
        if codes is None or self.first is not None:
            return
        numbers, elements = split(codes)
        for number in np.unique(numbers[elements != INSIDE]):
            operator = self._model.writer_of.get(int(number))
            if operator is None:  # a constant or an input, moved
                continue
            places = np.flatnonzero(numbers == number)
            found, wanted = result.ravel()[places], self._read(int(number)).ravel()[elements[places]]
            differs = np.flatnonzero(found != wanted)
            if differs.size:
                at = differs[0]
                self.first = (
                    f"{operator} ({planned.command}): element {elements[places[at]]} is {found[at]},"
                    f" where TensorFlow Lite Micro has {wanted[at]}"
                )
                return
