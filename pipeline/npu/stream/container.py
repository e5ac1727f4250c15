"""Open a file that Vela compiled: its command streams, the memories they work in, inputs and outputs.

Of a model that is all on the NPU, one custom operator ``ethos-u`` is left. Its first inputs are the command
stream, the constants (region 0) and the scratch memories (regions 1 and 2); where inputs and outputs lie in
scratch is metadata. Beside operators on the CPU, and in a model of several graphs, there are more of them.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from ethosu.vela.tflite.Model import Model
from ethosu.vela.tflite.TensorType import TensorType

from pipeline.npu.stream.errors import NotVerifiedError, StreamError

IDENTIFIER = b"TFL3"
OPERATOR = b"ethos-u"
FOURCC = b"COP1"
ARENA_OFFSETS = b"OfflineMemoryAllocation"
ARENA_HEADER = 3
"""Numbers before those of the tensors: version, graphs, tensors."""
MOST_GRAPHS = 1 << 10
FIXED_INPUTS = 4
"""Command stream, constants, scratch, fast scratch; the model's own inputs follow."""
CONFIG, COMMAND_STREAM, NOP = 1, 2, 5
"""Driver actions of the command tensor."""
MOST_SCRATCH_BYTES = 1 << 28
"""No Ethos-U board has 256 MiB of SRAM; a larger number is damage, and would be allocated."""
DTYPES: dict[int, np.dtype[Any]] = {
    TensorType.INT8: np.dtype(np.int8),
    TensorType.UINT8: np.dtype(np.uint8),
    TensorType.INT16: np.dtype(np.int16),
    TensorType.INT32: np.dtype(np.int32),
}
U85_LOOKUP_BYTES = 2048


class Family(Enum):
    """The product, as the config action numbers it."""

    U55 = 0
    U65 = 1
    U85 = 2


CORES = {(Family.U65, 512): 2, (Family.U85, 512): 2, (Family.U85, 1024): 4, (Family.U85, 2048): 4}
"""Accelerators whose weights are in several streams, one for each core."""


@dataclass(frozen=True, kw_only=True)
class Npu:
    """The NPU that the file was compiled for."""

    family: Family
    macs: int
    """Multiply-accumulates per cycle, of all cores."""
    shram_bytes: int
    """Shared RAM, of all cores; of the U85 the memory of its tables, the only part that can be addressed."""

    @property
    def cores(self) -> int:
        """Return how many cores share the weights: each has a stream of its own."""
        return CORES.get((self.family, self.macs), 1)

    @property
    def name(self) -> str:
        """Return ``u55-128`` and the like."""
        return f"{self.family.name.lower()}-{self.macs}"


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
    model, size = _model(path)
    with damage_named(path):
        only = _only(model)
        inputs = [only.graph.Inputs(place) for place in range(only.graph.InputsLength())]
        outputs = [only.graph.Outputs(place) for place in range(only.graph.OutputsLength())]
        return _program(model, only, size, inputs, outputs)


def programs(path: Path) -> list[Program]:
    """Open every command stream of a compiled file, graph by graph; operators on the CPU are passed over.

    Raises:
        StreamError: it is no such file, is cut short, or contradicts itself.
        NotVerifiedError: nothing of it runs on the NPU, or an input or output of a stream is not stored as integers.

    """
    model, size = _model(path)
    with damage_named(path):
        found = []
        for part in _parts(model)[0]:
            inputs = [part.operator.Inputs(place) for place in range(FIXED_INPUTS, part.operator.InputsLength())]
            outputs = [part.operator.Outputs(place) for place in range(part.operator.OutputsLength())]
            found.append(_program(model, part, size, inputs, outputs))
        return found


def _model(path: Path) -> tuple[Any, int]:
    """Return the file's flatbuffer and its bytes."""
    content = path.read_bytes()
    if content[4:8] != IDENTIFIER:
        message = f"{path}: not a TFLite file (bytes 4 to 7 are {content[4:8]!r}, not {IDENTIFIER!r})"
        raise StreamError(message)
    with damage_named(path):
        return Model.GetRootAsModel(content, 0), len(content)


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Put the file's name before what is wrong, and turn what flatbuffers raises at a damaged file into a sentence."""
    try:
        yield
    except (StreamError, NotVerifiedError) as error:
        message = f"{path}: {error}"
        raise type(error)(message) from None
    except (struct.error, LookupError, TypeError, ValueError, OverflowError, AttributeError, MemoryError) as error:
        message = f"{path}: the file is damaged or cut short ({type(error).__name__}: {error})"
        raise StreamError(message) from None


def _fail(message: str) -> None:
    raise StreamError(message)


class _Part(NamedTuple):
    """The operator that stands for a command stream, and its graph."""

    number: int
    """Of the graph."""
    graph: Any
    operator: Any


def _only(model: Any) -> _Part:
    """Return the only command stream, beside which nothing runs."""
    parts, on_cpu = _parts(model)
    if on_cpu:
        run = "operator runs" if on_cpu == 1 else "operators run"
        message = f"{on_cpu:,} {run} on the CPU beside the NPU"
        raise NotVerifiedError(message)
    if len(parts) > 1:
        graphs = len({part.number for part in parts})
        message = f"it has {len(parts):,} command streams in {graphs:,} graph{'s' * (graphs > 1)}, not one"
        raise NotVerifiedError(message)
    return parts[0]


def _parts(model: Any) -> tuple[list[_Part], int]:
    """Return every command stream, and count the operators that run on the CPU."""
    if not 1 <= model.SubgraphsLength() <= MOST_GRAPHS:
        _fail(f"it has {model.SubgraphsLength()} subgraphs")
    graphs = [model.Subgraphs(number) for number in range(model.SubgraphsLength())]
    every = [
        _Part(number, graph, graph.Operators(index))
        for number, graph in enumerate(graphs)
        for index in range(min(graph.OperatorsLength(), 1 << 16))
    ]
    mine = [part for part in every if _custom_code(model, part.operator) == OPERATOR]
    if not mine and every and _is_of_vela(model) and not any(_custom_code(model, part.operator) for part in every):
        message = f"none of its {len(every):,} operators runs on the NPU"
        raise NotVerifiedError(message)
    if not mine:
        foreign = sorted({(_custom_code(model, part.operator) or b"").decode(errors="replace") for part in every})
        _fail(
            f"no operator of it is {OPERATOR.decode()} (there are {', '.join(filter(None, foreign)) or 'none'}):"
            " it was not compiled by Vela for an Ethos-U, or nothing of it is on the NPU"
        )
    return mine, len(every) - len(mine)


def _is_of_vela(model: Any) -> bool:
    return any(model.Metadata(index).Name() == ARENA_OFFSETS for index in range(model.MetadataLength()))


def _program(model: Any, part: _Part, file_bytes: int, inputs: list[int], outputs: list[int]) -> Program:
    graph, operator = part.graph, part.operator
    if not FIXED_INPUTS <= operator.InputsLength() <= file_bytes:
        _fail(f"its NPU operator has {operator.InputsLength()} inputs, at least {FIXED_INPUTS} are needed")
    fixed = [operator.Inputs(place) for place in range(FIXED_INPUTS)]
    stream, constants, scratch, fast = (graph.Tensors(number) for number in fixed)
    npu, words = _actions(_data(model, stream))
    offsets = _arena_offsets(model, part.number)
    one_scratch = fixed[2] == fixed[3]
    return Program(
        npu=npu,
        words=words,
        constants=_data(model, constants),
        scratch_bytes=_scratch_bytes(scratch),
        fast_scratch_bytes=0 if one_scratch else _scratch_bytes(fast),
        inputs=_places(graph, inputs, offsets),
        outputs=_places(graph, outputs, offsets),
    )


def _custom_code(model: Any, operator: Any) -> bytes | None:
    code: bytes | None = model.OperatorCodes(operator.OpcodeIndex()).CustomCode()
    return code


def _data(model: Any, tensor: Any) -> bytes:
    """Return the content of a constant tensor."""
    buffer = model.Buffers(tensor.Buffer())
    if not buffer.DataLength():
        return b""
    return bytes(buffer.DataAsNumpy().tobytes())


def _scratch_bytes(tensor: Any) -> int:
    size = int(np.prod([tensor.Shape(axis) for axis in range(tensor.ShapeLength())], dtype=np.int64))
    if not 0 <= size <= MOST_SCRATCH_BYTES:
        _fail(f"its scratch memory has {size:,} bytes")
    return size


def _actions(content: bytes) -> tuple[Npu, npt.NDArray[np.uint32]]:
    """Read the driver's actions: which NPU the stream is for, and the stream."""
    if content[:4] != FOURCC:
        _fail(f"the command tensor begins with {content[:4]!r}, not {FOURCC!r}")
    words = np.frombuffer(content[: len(content) // 4 * 4], "<u4")
    npu, place = None, 1
    while place < words.size:
        word, action = int(words[place]), int(words[place]) & 0xFF
        place += 1
        if action == CONFIG:
            npu = _npu(int(words[place]))
            place += 2
        elif action == COMMAND_STREAM:
            count = word >> 16 | (word >> 8 & 0xFF) << 16
            if place + count > words.size:
                _fail(f"the command stream has {words.size - place:,} words, its length says {count:,}")
            if npu is None:
                _fail("the command stream does not say which NPU it is for")
            return npu, words[place : place + count]  # type: ignore[return-value] # checked above
        elif action != NOP:
            _fail(f"the command tensor has an unknown action {action} at byte {4 * (place - 1)}")
    message = "the command tensor holds no command stream"
    raise StreamError(message)


def _npu(config: int) -> Npu:
    product, macs = config >> 28, 1 << (config & 0xF)
    if product not in {family.value for family in Family}:
        _fail(f"the command stream is for an unknown product {product}")
    family = Family(product)
    shram_bytes = U85_LOOKUP_BYTES if family is Family.U85 else (config >> 8 & 0xFF) * 1024
    return Npu(family=family, macs=macs, shram_bytes=shram_bytes)


def _arena_offsets(model: Any, graph: int) -> list[int]:
    """Return where each tensor of a graph lies in the arena; -1 for one that does not."""
    counts = [model.Subgraphs(number).TensorsLength() for number in range(model.SubgraphsLength())]
    tensors = sum(counts)
    for index in range(model.MetadataLength()):
        metadata = model.Metadata(index)
        if metadata.Name() == ARENA_OFFSETS:
            numbers = np.frombuffer(model.Buffers(metadata.Buffer()).DataAsNumpy().tobytes(), "<i4")
            if numbers.size != tensors + ARENA_HEADER:
                _fail(f"the arena's metadata has {numbers.size} numbers for {tensors} tensors")
            first = ARENA_HEADER + sum(counts[:graph])  # the numbers of all graphs stand in one row
            return [int(number) for number in numbers[first : first + counts[graph]]]
    message = f"it has no metadata {ARENA_OFFSETS.decode()}, so inputs and outputs can't be placed"
    raise StreamError(message)


def _places(graph: Any, numbers: list[int], offsets: list[int]) -> tuple[Place, ...]:
    found = []
    for number in numbers:
        tensor = graph.Tensors(number)
        name = (tensor.Name() or b"").decode(errors="replace")
        if tensor.Type() not in DTYPES:
            message = f"input or output {name} is not stored as integers"
            raise NotVerifiedError(message)
        if offsets[number] < 0:
            _fail(f"input or output {name} has no place in the arena")
        shape = tuple(int(tensor.Shape(axis)) for axis in range(tensor.ShapeLength()))
        found.append(Place(name=name, shape=shape, dtype=DTYPES[tensor.Type()], offset=offsets[number]))
    return tuple(found)
