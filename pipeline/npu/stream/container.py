"""Open a file that Vela compiled: the command stream, the memories it works in, inputs and outputs.

The whole model is one custom operator ``ethos-u``. Its first inputs are the command stream, the
constants (region 0) and the scratch memories (regions 1 and 2); where the model's inputs and
outputs lie in scratch is metadata.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ethosu.vela.tflite.Model import Model
from ethosu.vela.tflite.TensorType import TensorType

from pipeline.npu.stream.errors import NotVerifiedError, StreamError

IDENTIFIER = b"TFL3"
OPERATOR = b"ethos-u"
FOURCC = b"COP1"
ARENA_OFFSETS = b"OfflineMemoryAllocation"
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
    """A compiled model."""

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
    """Open a compiled file.

    Raises:
        StreamError: it is no such file, is cut short, or contradicts itself.
        NotVerifiedError: operators beside the NPU's one run on the CPU, or it has several subgraphs.

    """
    content = path.read_bytes()
    if content[4:8] != IDENTIFIER:
        message = f"{path}: not a TFLite file (bytes 4 to 7 are {content[4:8]!r}, not {IDENTIFIER!r})"
        raise StreamError(message)
    with damage_named(path):
        return _program(Model.GetRootAsModel(content, 0), len(content))


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


def _program(model: Any, file_bytes: int) -> Program:
    if not model.SubgraphsLength():
        _fail("it has 0 subgraphs")
    if model.SubgraphsLength() > 1:
        message = f"it has {model.SubgraphsLength()} subgraphs; one is covered"
        raise NotVerifiedError(message)
    graph = model.Subgraphs(0)
    operator = _npu_operator(model, graph)
    if not FIXED_INPUTS <= operator.InputsLength() <= file_bytes:
        _fail(f"its NPU operator has {operator.InputsLength()} inputs, at least {FIXED_INPUTS} are needed")
    fixed = [operator.Inputs(place) for place in range(FIXED_INPUTS)]
    stream, constants, scratch, fast = (graph.Tensors(number) for number in fixed)
    npu, words = _actions(_data(model, stream))
    offsets = _arena_offsets(model, graph.TensorsLength())
    one_scratch = fixed[2] == fixed[3]
    return Program(
        npu=npu,
        words=words,
        constants=_data(model, constants),
        scratch_bytes=_scratch_bytes(scratch),
        fast_scratch_bytes=0 if one_scratch else _scratch_bytes(fast),
        inputs=_places(graph, [graph.Inputs(place) for place in range(graph.InputsLength())], offsets),
        outputs=_places(graph, [graph.Outputs(place) for place in range(graph.OutputsLength())], offsets),
    )


def _npu_operator(model: Any, graph: Any) -> Any:
    """Return the NPU's operator, which must be the only one."""
    operators = [graph.Operators(index) for index in range(min(graph.OperatorsLength(), 1 << 16))]
    mine = [operator for operator in operators if _custom_code(model, operator) == OPERATOR]
    if not mine and operators and _is_of_vela(model) and not any(_custom_code(model, each) for each in operators):
        message = f"none of its {len(operators)} operators runs on the NPU"
        raise NotVerifiedError(message)
    if not mine:
        foreign = sorted({(_custom_code(model, operator) or b"").decode(errors="replace") for operator in operators})
        _fail(
            f"no operator of it is {OPERATOR.decode()} (there are {', '.join(filter(None, foreign)) or 'none'}):"
            " it was not compiled by Vela for an Ethos-U"
        )
    if len(operators) > 1:
        beside = len(operators) - len(mine)
        parts = f"{len(mine)} parts of the model run on the NPU, where one is covered; " * (len(mine) > 1)
        message = f"{parts}{beside} operators run on the CPU beside the NPU"
        raise NotVerifiedError(message)
    return mine[0]


def _is_of_vela(model: Any) -> bool:
    return any(model.Metadata(index).Name() == ARENA_OFFSETS for index in range(model.MetadataLength()))


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


def _arena_offsets(model: Any, tensors: int) -> list[int]:
    """Return where each tensor lies in the arena; -1 for one that does not."""
    for index in range(model.MetadataLength()):
        metadata = model.Metadata(index)
        if metadata.Name() == ARENA_OFFSETS:
            numbers = np.frombuffer(model.Buffers(metadata.Buffer()).DataAsNumpy().tobytes(), "<i4")
            if numbers.size != tensors + 3:
                _fail(f"the arena's metadata has {numbers.size} numbers for {tensors} tensors")
            return [int(number) for number in numbers[3:]]
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
