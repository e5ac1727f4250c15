"""Open a file that Vela compiled: its command streams, the memories they work in, inputs and outputs.

Of a model that is all on the NPU, one custom operator ``ethos-u`` is left. Its first inputs are the command
stream, the constants (region 0) and the scratch memories (regions 1 and 2); where inputs and outputs lie in
scratch is metadata. Beside operators on the CPU, and in a model of several graphs, there are more of them.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt

from pipeline.emulator.errors import NotVerifiedError, StreamError
from pipeline.emulator.stream import driver_actions
from pipeline.emulator.stream.npu import Npu
from pipeline.tflite import reader
from pipeline.tflite.errors import TfliteError
from pipeline.tflite.model import Model, Operator, Subgraph, Tensor

OPERATOR = "ethos-u"
ARENA_OFFSETS = "OfflineMemoryAllocation"
ARENA_HEADER = 3
"""Numbers before those of the tensors: version, graphs, tensors."""
FIXED_INPUTS = 4
"""Command stream, constants, scratch, fast scratch; the model's own inputs follow."""
MOST_SCRATCH_BYTES = 1 << 28
"""No Ethos-U board has 256 MiB of SRAM; a larger number is damage, and would be allocated."""
TYPES = {"int8", "uint8", "int16", "int32"}
"""What inputs and outputs may be stored in."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A model's input or output in scratch memory."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int
    """In bytes, within region 1."""

    @property
    def size(self) -> int:
        """Return its bytes."""
        return int(np.prod(self.shape)) * self.dtype.itemsize


@dataclass(frozen=True, kw_only=True)
class Program:
    """What one command stream computes: a compiled model, or a part of it."""

    npu: Npu
    words: npt.NDArray[np.uint32]
    """The command stream."""
    constants: bytes
    """Region 0."""
    scratch_bytes: int
    """Region 1, the arena."""
    fast_scratch_bytes: int
    """Region 2; 0 where it is the arena itself."""
    inputs: tuple[Place, ...]
    outputs: tuple[Place, ...]


def load(path: Path) -> Program:
    """Open a compiled file whose one command stream computes the whole model.

    Raises:
        StreamError: it is no such file, is cut short, or contradicts itself.
        NotVerifiedError: other operators run on the CPU, or there are several command streams.

    """
    model = opened(path)
    with damage_named(path):
        only = _only(model)
        return _program(model, only, only.graph.inputs, only.graph.outputs)


def programs(path: Path) -> list[Program]:
    """Open every command stream of a compiled file, graph by graph; operators on the CPU are passed over.

    Raises:
        StreamError: it is no such file, is cut short, or contradicts itself.
        NotVerifiedError: nothing of it runs on the NPU, or an input or output of a stream is not stored as integers.

    """
    model = opened(path)
    with damage_named(path):
        return [_program(model, part, part.inputs[FIXED_INPUTS:], part.operator.outputs) for part in _parts(model)[0]]


def opened(path: Path) -> Model:
    """Read a file of TensorFlow Lite's format.

    Raises:
        StreamError: it is none, or damaged.

    """
    try:
        return reader.read(path)
    except TfliteError as error:
        raise StreamError(str(error)) from None


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Put the file's name before what is wrong, and turn what wild numbers in it lead to into a sentence."""
    try:
        yield
    except NotVerifiedError as error:
        message = f"{path}: {error}"
        raise NotVerifiedError(message) from None
    except (StreamError, TfliteError) as error:
        message = f"{path}: {error}"
        raise StreamError(message) from None
    except (LookupError, ValueError, OverflowError, MemoryError) as error:
        message = f"{path}: the file is damaged or cut short ({type(error).__name__}: {error})"
        raise StreamError(message) from None


def _fail(message: str) -> NoReturn:
    raise StreamError(message)


class _Part(NamedTuple):
    """The operator that stands for a command stream, and its graph."""

    graph: Subgraph
    operator: Operator

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """Return its inputs, all of which must be there."""
        return tuple(_fail("its NPU operator goes without an input") if x is None else x for x in self.operator.inputs)


def _only(model: Model) -> _Part:
    """Return the only command stream, beside which nothing runs."""
    parts, on_cpu = _parts(model)
    if on_cpu:
        run = "operator runs" if on_cpu == 1 else "operators run"
        message = f"{on_cpu:,} {run} on the CPU beside the NPU"
        raise NotVerifiedError(message)
    if len(parts) > 1:
        graphs = len({part.graph.number for part in parts})
        message = f"it has {len(parts):,} command streams in {graphs:,} graph{'s' * (graphs > 1)}, not one"
        raise NotVerifiedError(message)
    return parts[0]


def _parts(model: Model) -> tuple[list[_Part], int]:
    """Return every command stream, and count the operators that run on the CPU."""
    every = [_Part(graph, operator) for graph in model.subgraphs for operator in graph.operators]
    mine = [part for part in every if part.operator.custom == OPERATOR]
    if not mine and every and ARENA_OFFSETS in model.metadata and not any(part.operator.custom for part in every):
        message = f"none of its {len(every):,} operators runs on the NPU"
        raise NotVerifiedError(message)
    if not mine:
        foreign = sorted({part.operator.custom for part in every})
        _fail(
            f"no operator of it is {OPERATOR} (there are {', '.join(filter(None, foreign)) or 'none'}):"
            " it was not compiled by Vela for an Ethos-U, or nothing of it is on the NPU"
        )
    return mine, len(every) - len(mine)


def _program(model: Model, part: _Part, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Program:
    if len(part.inputs) < FIXED_INPUTS:
        _fail(f"its NPU operator has {len(part.inputs)} inputs, at least {FIXED_INPUTS} are needed")
    stream, constants, scratch, fast = part.inputs[:FIXED_INPUTS]
    npu, words = driver_actions.read(stream.content.tobytes())
    offsets = _arena_offsets(model, part.graph.number)
    return Program(
        npu=npu,
        words=words,
        constants=constants.content.tobytes(),
        scratch_bytes=_scratch_bytes(scratch),
        fast_scratch_bytes=0 if scratch is fast else _scratch_bytes(fast),
        inputs=_places(inputs, offsets),
        outputs=_places(outputs, offsets),
    )


def _scratch_bytes(tensor: Tensor) -> int:
    size = math.prod(tensor.shape)
    if not 0 <= size <= MOST_SCRATCH_BYTES:
        _fail(f"its scratch memory has {size:,} bytes")
    return size


def _arena_offsets(model: Model, graph: int) -> list[int]:
    """Return where each tensor of a graph lies in the arena; -1 for one that does not."""
    if ARENA_OFFSETS not in model.metadata:
        _fail(f"it has no metadata {ARENA_OFFSETS}, so inputs and outputs can't be placed")
    numbers, counts = model.metadata[ARENA_OFFSETS].view("<i4"), [len(each.tensors) for each in model.subgraphs]
    if numbers.size != sum(counts) + ARENA_HEADER:
        _fail(f"the arena's metadata has {numbers.size} numbers for {sum(counts)} tensors")
    first = ARENA_HEADER + sum(counts[:graph])  # the numbers of all graphs stand in one row
    return [int(number) for number in numbers[first : first + counts[graph]]]


def _places(tensors: Sequence[Tensor], offsets: Sequence[int]) -> tuple[Place, ...]:
    places = []
    for tensor in tensors:
        if tensor.type not in TYPES:
            message = f"input or output {tensor.name} is not stored as integers"
            raise NotVerifiedError(message)
        if offsets[tensor.number] < 0:
            _fail(f"input or output {tensor.name} has no place in the arena")
        places.append(Place(name=tensor.name, shape=tensor.shape, dtype=tensor.dtype, offset=offsets[tensor.number]))
    return tuple(places)
